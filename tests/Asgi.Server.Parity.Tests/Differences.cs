// Every place where Asgi.Server deliberately is not Kestrel, both answers side by side with the reason. The README's table is this file
// in prose: a row here has a row there. Read by DifferenceTests, and by the tests of the matter a named difference belongs to.

namespace Asgi.Server.Parity.Tests;

/// <param name="What">The situation.</param>
/// <param name="Kestrel">Its answer.</param>
/// <param name="Asgi">Ours.</param>
/// <param name="Reason">One word: grammar, smuggling, confusion, splitting, framing, uniform, half-close.</param>
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

        // RFC 9110, sections 5.1 and 5.5: a name is a token; a value holds no control character but HTAB.
        ("GET / HTTP/1.1\r\nHost: h\r\nF(o)o: 1\r\n\r\n", new("a field name that is no token", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\n\"x\": 1\r\n\r\n", new("a quoted field name", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\nF\u0001: 1\r\n\r\n", new("a control character in a field name", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u0001b\r\n\r\n",
            new("a control character in a field value", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u007fb\r\n\r\n", new("DEL in a field value", "200 open", "400 closed", Grammar)),
        ("GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", new("a port beyond 65535 in Host", "200 open", "400 closed", Grammar)),

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
    public static readonly Difference<string> SynchronousIO =
        new("synchronous write with AllowSynchronousIO", "yes", nameof(InvalidOperationException), "today");

    // RawResponse.Framing of "hello" advanced in BodyWriter and never flushed.
    public static readonly Difference<string> UnflushedBody = new("a body written and never flushed", "chunked", "length 5", "framing");

    // IHttpRequestTrailersFeature.Available before any read.
    public static readonly Difference<bool> TrailersWithLengthZero =
        new("trailers with Content-Length: 0 are available at once", false, true, "uniform");

    // RawExchange.Outcome for a client that sends a request and FIN, when the app answers after RequestAborted, which fires on both.
    public static readonly Difference<string> AnswerAfterHalfClose =
        new("the response to a half-closed client", "none", "200 closed", "half-close");
}
