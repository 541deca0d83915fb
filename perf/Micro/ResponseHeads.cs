// The head of a response, from status and fields to bytes. Length and Date are written beside the fields that the names count.

using Asgi.Server.Application;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class ResponseHeads
{
    private const string Date = "Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n";

    private const string Small =
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n" + Date + "Content-Type: text/plain\r\n\r\n";

    private const string Typical =
        "HTTP/1.1 200 OK\r\nContent-Length: 5120\r\n" + Date
        + "Content-Type: text/html; charset=utf-8\r\n"
        + "Cache-Control: private, max-age=60\r\n"
        + "ETag: \"33a64df551425fcc55e4d42a148795d9\"\r\n"
        + "Vary: Accept-Encoding\r\n"
        + "Strict-Transport-Security: max-age=31536000\r\n"
        + "X-Content-Type-Options: nosniff\r\n\r\n";

    private readonly byte[] _buffer = new byte[4096];
    private readonly ReadOnlyMemory<byte> _common = Messages.Bytes(Date);
    private readonly FieldList _small = new FieldList().Add("Content-Type", "text/plain");
    private readonly FieldList _typical = new();
    private readonly ResponseHeaders _headers = new(exchange: null);

    public int SmallLength => Small.Length;

    public int TypicalLength => Typical.Length;

    [GlobalSetup]
    public void SetUp()
    {
        foreach (string line in Typical.Split("\r\n", StringSplitOptions.RemoveEmptyEntries)[3..])
            _typical.Add(line[..line.IndexOf(':')], line[(line.IndexOf(':') + 2)..]);
    }

    [Benchmark(Baseline = true), Yields(nameof(SmallLength))]
    public int OneField() => Write(13, _small);

    [Benchmark, Yields(nameof(TypicalLength))]
    public int SixFields() => Write(5120, _typical);

    /// <summary>As an ASP.NET application does it: the fields are set first, for this response.</summary>
    [Benchmark, Yields(nameof(TypicalLength))]
    public int SixFieldsSetAndWritten()
    {
        _headers.Reset();
        IHeaderDictionary headers = _headers;
        headers.ContentType = "text/html; charset=utf-8";
        headers.CacheControl = "private, max-age=60";
        headers.ETag = "\"33a64df551425fcc55e4d42a148795d9\"";
        headers.Vary = "Accept-Encoding";
        headers.StrictTransportSecurity = "max-age=31536000";
        headers.XContentTypeOptions = "nosniff";
        return Write(5120, _headers);
    }

    private int Write(long contentLength, FieldSource fields)
    {
        var head = new ResponseHead { Status = 200, ContentLength = contentLength, Common = _common };
        return ResponseHeadWriter.TryWrite(_buffer, head, fields, out int written) == HeadResult.Done ? written : -1;
    }
}
