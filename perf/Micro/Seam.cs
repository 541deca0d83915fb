// The waist alone: what a response costs that passes through HttpExchange as messages, over a stream that keeps nothing.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class Seam
{
    private readonly NullStream _stream = new();
    private readonly FieldList _fields = new FieldList().Add("Content-Type", "text/plain").Add("Content-Length", "13");
    private readonly byte[] _content = Messages.Bytes("Hello, World!");
    private HttpExchange _exchange = null!;

    [GlobalSetup]
    public void SetUp()
    {
        byte[] request = Messages.Bytes(Messages.Wrk);
        var machine = new Http1Machine(Http1Limits.Default);
        machine.Read(request, out _);
        var head = machine.Head;
        head.Fields.Bind(request, 0);
        var scope = new HttpScope(head.Fields, connection: null!);
        scope.Bind(request, new HttpScope.HeadOffsets(
            head.MethodStart, head.MethodLength, head.TargetStart, head.TargetLength, head.PathStart, head.PathLength,
            head.QueryStart, head.QueryLength, head.Form == TargetForm.Origin, head.IsHttp11));
        _exchange = new HttpExchange(_stream, scope);
    }

    /// <summary>What the messages become without the exchange: the three calls of the stream.</summary>
    [Benchmark(Baseline = true), Yields(13)]
    public long StreamAlone()
    {
        _stream.Restart();
        _content.CopyTo(_stream.GetMemory(0));
        _stream.Advance(_content.Length);
        _stream.WriteHead(new ResponseHeadDecision(200, null, _fields, 13, HasContent: true));
        _stream.Complete(isReturning: false);
        return _stream.SentLength;
    }

    [Benchmark, Yields(13)]
    public long StartAndBody()
    {
        _stream.Restart();
        _exchange.Reset();
        _exchange.Send(new ResponseStart(200, _fields));
        var sent = _exchange.SendAsync(new ResponseBody(_content));
        return sent.IsCompletedSuccessfully ? _stream.SentLength : -1;
    }
}
