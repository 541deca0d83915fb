// The status lines of HTTP/1.1 for the registered status codes (RFC 9110, section 15), ready to copy.
// Called by the head writer; immutable.

using System.Text;

namespace Asgi.Server.Protocols.Http;

internal static class ReasonPhrases
{
    private const int First = 100;
    private const int Last = 599;

    private static readonly byte[]?[] StatusLines = BuildStatusLines();

    /// <summary>The whole status line with its CRLF, or an empty span for a code without a registered phrase.</summary>
    public static ReadOnlySpan<byte> GetStatusLine(int status) =>
        status is >= First and <= Last ? StatusLines[status - First] : default;

    private static byte[]?[] BuildStatusLines()
    {
        var lines = new byte[]?[Last - First + 1];
        foreach ((int status, string phrase) in Phrases())
            lines[status - First] = Encoding.ASCII.GetBytes($"HTTP/1.1 {status} {phrase}\r\n");
        return lines;
    }

    private static (int Status, string Phrase)[] Phrases() =>
    [
        (100, "Continue"), (101, "Switching Protocols"), (102, "Processing"), (103, "Early Hints"),

        (200, "OK"), (201, "Created"), (202, "Accepted"), (203, "Non-Authoritative Information"), (204, "No Content"),
        (205, "Reset Content"), (206, "Partial Content"), (207, "Multi-Status"), (208, "Already Reported"), (226, "IM Used"),

        (300, "Multiple Choices"), (301, "Moved Permanently"), (302, "Found"), (303, "See Other"), (304, "Not Modified"),
        (305, "Use Proxy"), (306, "Switch Proxy"), (307, "Temporary Redirect"), (308, "Permanent Redirect"),

        (400, "Bad Request"), (401, "Unauthorized"), (402, "Payment Required"), (403, "Forbidden"), (404, "Not Found"),
        (405, "Method Not Allowed"), (406, "Not Acceptable"), (407, "Proxy Authentication Required"), (408, "Request Timeout"),
        (409, "Conflict"), (410, "Gone"), (411, "Length Required"), (412, "Precondition Failed"),
        // RFC 9110 renamed 413; the phrase ASP.NET Core applications see is the older one.
        (413, "Payload Too Large"), (414, "URI Too Long"), (415, "Unsupported Media Type"), (416, "Range Not Satisfiable"),
        (417, "Expectation Failed"), (418, "I'm a teapot"), (419, "Authentication Timeout"), (421, "Misdirected Request"),
        (422, "Unprocessable Content"), (423, "Locked"), (424, "Failed Dependency"), (425, "Too Early"), (426, "Upgrade Required"),
        (428, "Precondition Required"), (429, "Too Many Requests"), (431, "Request Header Fields Too Large"),
        (451, "Unavailable For Legal Reasons"), (499, "Client Closed Request"),

        (500, "Internal Server Error"), (501, "Not Implemented"), (502, "Bad Gateway"), (503, "Service Unavailable"),
        (504, "Gateway Timeout"), (505, "HTTP Version Not Supported"), (506, "Variant Also Negotiates"),
        (507, "Insufficient Storage"), (508, "Loop Detected"), (510, "Not Extended"), (511, "Network Authentication Required"),
    ];
}
