// Every place where Asgi.Server deliberately is not Kestrel, both answers side by side with the reason. The README's table is this file
// in prose: a row here has a row there. Read by DifferenceTests, and by the tests of the matter a named difference belongs to.

namespace Asgi.Server.Parity.Tests;

/// <param name="What">The situation.</param>
/// <param name="Kestrel">Its answer.</param>
/// <param name="Asgi">Ours.</param>
/// <param name="Reason">
/// One word: confusion, framing, grammar, half-close, kept, limit, order, smuggling, splitting, today, uniform.
/// </param>
internal sealed record Difference<T>(string What, T Kestrel, T Asgi, string Reason)
{
    public T On(HostKind host) => host switch
    {
        HostKind.Kestrel => Kestrel,
        HostKind.Asgi => Asgi,
        _ => throw new ArgumentOutOfRangeException(nameof(host), host, "the wire differs on hosts with sockets only"),
    };
}

internal static class Differences
{
    private const string Grammar = "grammar";
    private const string Smuggling = "smuggling";

    /// <summary>Bytes of all chunk extensions of a message that we take, semicolons included.</summary>
    public const int ChunkExtensionSizeMax = 16 * 1024;

    // A request, and RawExchange.Outcome when the app reads the content and echoes it.
    public static readonly (string Request, Difference<string> Outcome)[] Requests =
    [
        // RFC 9112, section 2.2: a bare LF MAY be taken as a line end; what one hop takes and the next does not smuggles a request.
        ("GET / HTTP/1.1\nHost: h\r\n\r\n", new("bare LF ends the request line", "200 open", "400 closed", Smuggling)),
        ("GET / HTTP/1.1\r\nHost: h\n\r\n", new("bare LF ends a field line", "200 open", "400 closed", Smuggling)),
        ("GET / HTTP/1.1\r\nHost: h\r\n\n", new("bare LF ends the head", "200 open", "400 closed", Smuggling)),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
            new("bare LF ends a trailer line", "200 open", "400 closed", Smuggling)),

        // RFC 9112, section 3: one SP between the parts, and a request-target of the URI's characters.
        ("GET /  HTTP/1.1\r\nHost: h\r\n\r\n", new("two spaces before the version", "200 open", "400 closed", Grammar)),
        ("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", new("a fragment in the target", "200 open", "400 closed", Grammar)),
        ("GET /a?b#c HTTP/1.1\r\nHost: h\r\n\r\n", new("a fragment after the query", "200 open", "400 closed", Grammar)),
        ("GET /\u0001 HTTP/1.1\r\nHost: h\r\n\r\n", new("a control character in the target", "200 open", "400 closed", Grammar)),
        ("GET /\t HTTP/1.1\r\nHost: h\r\n\r\n", new("a tab in the target", "200 open", "400 closed", Grammar)),
        ("GET /\u007f HTTP/1.1\r\nHost: h\r\n\r\n", new("DEL in the target", "200 open", "400 closed", Grammar)),
        // RFC 3986, section 3.1: a scheme has no case.
        ("GET HTTP://h/a HTTP/1.1\r\nHost: h\r\n\r\n", new("an upper-case scheme in the target", "400 closed", "200 open", Grammar)),

        // RFC 9110, sections 5.1 and 5.5: a name is a token; a value holds no control character but HTAB.
        ("GET / HTTP/1.1\r\nHost: h\r\nF(o)o: 1\r\n\r\n", new("a field name that is no token", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\n\"x\": 1\r\n\r\n", new("a quoted field name", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\nF\u0001: 1\r\n\r\n", new("a control character in a field name", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u0001b\r\n\r\n",
            new("a control character in a field value", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u007fb\r\n\r\n", new("DEL in a field value", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", new("a port beyond 65535 in Host", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: [1:2]\r\n\r\n", new("brackets around no IPv6 address in Host", "200 open", "400 closed", Grammar)),

        // RFC 9110, section 8.6; RFC 9112, sections 6.1 and 6.3: whatever two readers could frame differently is refused.
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
            new("a sign in Content-Length", "200 open", "400 closed", Smuggling)),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            new("Content-Length with Transfer-Encoding", "200 closed", "400 closed", Smuggling)),
        ("POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            new("Transfer-Encoding on 1.0", "200 closed", "400 closed", Smuggling)),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            new("a transfer coding nobody decodes", "200 open", "501 closed", Smuggling)),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            new("chunked twice", "200 open", "400 closed", Smuggling)),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ,chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            new("an empty member before chunked", "200 open", "400 closed", Smuggling)),

        // RFC 9112, section 7.1.1: an extension is of tokens and quoted strings, and its total length is to be limited.
        (Wire.PostChunked("5;a=\u0001\r\nhello\r\n" + Wire.LastChunk),
            new("a control character in a chunk extension", "200 open", "400 closed", Grammar)),
        (Wire.PostChunked($"5;{new string('a', ChunkExtensionSizeMax)}\r\nhello\r\n" + Wire.LastChunk),
            new("chunk extensions above 16 KiB", "200 open", "400 closed", "limit")),
    ];

    // An absolute-form target, and the path the app sees. Kestrel's goes through System.Uri, so a proxy and the app disagree on the path.
    public static readonly (string Target, Difference<string> Path)[] AbsoluteForms =
    [
        ("http://h/a%2Fb", new("%2F in an absolute-form target", "/a/b", "/a%2Fb", "confusion")),
        ("http://h/a\\b", new("a backslash in an absolute-form target", "/a/b", "/a\\b", "confusion")),
    ];

    // Whether the setter throws InvalidOperationException.
    public static readonly Difference<bool> ReasonPhraseWithLineEnd = new("CR or LF in ReasonPhrase is refused", false, true, "splitting");

    // The content sent, or "dead" when Advance throws.
    public static readonly Difference<string> MemoryLentBeforeStart =
        new("memory of BodyWriter got before StartAsync and advanced after it", "dead", "hello", "kept");

    // The content sent, or what a write throws.
    // RawResponse.Framing of "hello" advanced in BodyWriter and never flushed.
    public static readonly Difference<string> UnflushedBody = new("a body written and never flushed", "chunked", "length 5", "framing");

    // The trailers on the wire when the app appends one to a chunked response; an InvalidOperationException where it cannot.
    public static readonly Difference<string> ResponseTrailers =
        new("trailers of a response over HTTP/1.1", nameof(InvalidOperationException), "X-Sum: 1", "RFC 9110, 6.5");

    // IHttpRequestTrailersFeature.Available before any read.
    public static readonly Difference<bool> TrailersWithLengthZero =
        new("trailers with Content-Length: 0 are available at once", false, true, "uniform");

    // RawExchange.Outcome for a client that sends a request and FIN, when the app answers after RequestAborted. That fires at once on
    // Kestrel, here after HalfCloseTimeout.
    public static readonly Difference<string> AnswerAfterHalfClose =
        new("the response to a half-closed client", "none", "200 closed", "half-close");

    // RawExchange.Outcome when the app answers without reading the content that its client holds back (RFC 9110, section 10.1.1).
    public static readonly Difference<string> ExpectAnsweredUnread =
        new("Expect: 100-continue answered without reading", "200 open", "200 closed", "framing");

    // The response's Connection field; both servers close (RFC 9112, section 9.6).
    public static readonly Difference<string?> ConnectionAfterBadContent =
        new("Connection after malformed content that the app has not read or has swallowed", null, "close", "uniform");

    // RawExchange.Outcome.
    public static readonly Difference<string> StatusOfFiveDigits = new("a status above 9999", "10000 open", "500 open", Grammar);

    // RawExchange.Outcome (RFC 9112, section 6.1).
    public static readonly Difference<string> CodingWithoutContent =
        new("204 with Transfer-Encoding", "none", "500 open", "uniform");

    // RawExchange.Outcome when the app writes content to the stream with a status that has none, before the head is out.
    public static readonly Difference<string> ContentWhereNoneMayBe =
        new("content with 204, 205 or 304", "the status, closed", "500 open", "uniform");

    // RawExchange.Outcome when the app completes BodyWriter with an exception after a write, and returns.
    public static readonly Difference<string> WriterCompletedWithError =
        new("BodyWriter.CompleteAsync with an exception after the start", "200 open", "200 cut", "uniform");

    // RawResponse.Framing when the app frames by itself and gives a length as well (RFC 9112, section 6.2).
    public static readonly Difference<string> LengthWithOwnCoding =
        new("Content-Length with the app's own Transfer-Encoding", "chunked and length 5", "chunked", Smuggling);

    // IHttpUpgradeFeature.IsUpgradableRequest (RFC 9110, section 7.8).
    public static readonly Difference<bool> UpgradeOn10 = new("an upgrade asked for in HTTP/1.0", true, false, Grammar);

    // The names of X-A, User-Agent, Accept, Host, in the order an enumeration of Request.Headers gives them.
    public static readonly Difference<string> RequestHeaderOrder =
        new("request headers, enumerated", "Accept Host User-Agent X-A", "X-A User-Agent Accept Host", "order");
}
