// The head of a request, from its bytes to the offsets of its parts: request line, fields, framing.

using Asgi.Server.Protocols.Http1;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class HeadParsing
{
    private readonly Http1Machine _machine = new(Http1Limits.Default);
    private readonly byte[] _wrk = Messages.Bytes(Messages.Wrk);
    private readonly byte[] _curl = Messages.Bytes(Messages.Curl);
    private readonly byte[] _browser = Messages.Bytes(Messages.Browser);

    [Benchmark(Baseline = true), Yields(1)]
    public int Wrk() => Parse(_wrk);

    [Benchmark, Yields(3)]
    public int Curl() => Parse(_curl);

    [Benchmark, Yields(Messages.BrowserFieldCount)]
    public int Browser() => Parse(_browser);

    /// <summary>The same, of which the first read has half.</summary>
    [Benchmark, Yields(Messages.BrowserFieldCount)]
    public int BrowserInTwoReads() =>
        _machine.Read(_browser.AsSpan(0, _browser.Length / 2), out _) == Http1Event.NeedData ? Parse(_browser) : -1;

    private int Parse(byte[] bytes)
    {
        if (_machine.Read(bytes, out int consumed) != Http1Event.Request || consumed != bytes.Length)
            return -1;
        int count = _machine.Head.Fields.Count;
        _machine.Read([], out _);
        _machine.Next();
        return count;
    }
}
