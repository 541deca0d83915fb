// What a raw client saw: the response as it stood on the wire, and whether the connection outlived it. Made by RawClient, read by tests.

using System.Globalization;

namespace Asgi.Server.Testing;

/// <summary>One request's outcome.</summary>
/// <param name="Response">The final response, or null if the connection ended before one.</param>
/// <param name="StaysOpen">Whether a second request on the connection was answered.</param>
internal sealed record RawExchange(RawResponse? Response, bool StaysOpen)
{
    /// <summary>Of HTTP/2: the code with which the stream was reset (RFC 9113, section 7).</summary>
    public long? ErrorCode { get; init; }

    /// <summary>"200 open", "400 closed", "200 cut" (before its framing said so), "none": short enough to stand in a table.</summary>
    public string Outcome => Response switch
    {
        null => "none",
        { IsComplete: false } => $"{Response.Status} cut",
        _ => $"{Response.Status} {(StaysOpen ? "open" : "closed")}",
    };

    public RawResponse Answer => Response ?? throw new Xunit.Sdk.XunitException("the connection ended without a response");
}

/// <summary>A response as it stood on the wire, one char per byte.</summary>
internal sealed class RawResponse(string statusLine)
{
    public string StatusLine { get; } = statusLine;

    public int Status { get; } = int.Parse(statusLine.Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>The field lines in their order, values trimmed.</summary>
    public List<KeyValuePair<string, string>> Fields { get; } = [];

    public List<KeyValuePair<string, string>> Trailers { get; } = [];

    public List<string> Chunks { get; } = [];

    public IReadOnlyList<RawResponse> Interim { get; set; } = [];

    public string Content { get; set; } = "";

    /// <summary>Whether the content ended as its framing said it would.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Whether the end of the connection was what ended the content.</summary>
    public bool EndsWithClose { get; set; }

    /// <summary>How the content is delimited (RFC 9112, section 6.3): "chunked", "length 5", "close" or "none".</summary>
    public string Framing => (Field("Transfer-Encoding"), Field("Content-Length")) switch
    {
        ({ } coding, null) => coding,
        (null, { } length) => $"length {length}",
        ({ } coding, { } length) => $"{coding} and length {length}",
        _ => EndsWithClose ? "close" : "none",
    };

    /// <summary>The one value of a field, null if it is absent; two lines of it fail the test.</summary>
    public string? Field(string name) => Values(name).SingleOrDefault();

    public IEnumerable<string> Values(string name) =>
        from field in Fields where string.Equals(field.Key, name, StringComparison.OrdinalIgnoreCase) select field.Value;
}
