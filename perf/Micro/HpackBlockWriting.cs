// The heads of HTTP/2 responses as header blocks, of a connection that has had some: the counterparts of ResponseHeads.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2.Hpack;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class HpackBlockWriting
{
    /// <summary>Status, date, server and type are one byte each; the length is a literal, with three bytes before its digits.</summary>
    private const int PlaintextLength = 4 + (3 + 2);

    /// <summary>Length and entity tag are literals, both Huffman-coded.</summary>
    private const int SixFieldsLength = 3 + 5 + (3 + 3) + (3 + 26);

    private readonly byte[] _buffer = new byte[4096];
    private readonly HpackEncoder _encoder = new();
    private readonly FieldList _plaintext = new FieldList().Add("Content-Type", "text/plain");
    private readonly FieldList _typical = new FieldList()
        .Add("Content-Type", "text/html; charset=utf-8")
        .Add("Cache-Control", "private, max-age=60")
        .Add("ETag", "\"33a64df551425fcc55e4d42a148795d9\"")
        .Add("Vary", "Accept-Encoding")
        .Add("Strict-Transport-Security", "max-age=31536000")
        .Add("X-Content-Type-Options", "nosniff");

    private readonly DefaultFieldValues _defaults = new()
    {
        Date = Messages.Bytes("Sat, 21 Nov 2026 12:00:00 GMT"),
        Server = Messages.Bytes("Asgi.Server"),
    };

    [GlobalSetup]
    public void SetUp()
    {
        // The second time a value comes, it goes into the table.
        for (int i = 0; i < 2; i++)
        {
            Plaintext();
            SixFields();
        }
    }

    [Benchmark(Baseline = true), Yields(PlaintextLength)]
    public int Plaintext() => Write(13, _plaintext);

    [Benchmark, Yields(SixFieldsLength)]
    public int SixFields() => Write(5120, _typical);

    private int Write(long contentLength, FieldSource fields) =>
        _encoder.EncodeResponse(_buffer, 200, contentLength, fields, _defaults, out int written) == BlockResult.Done ? written : -1;
}
