// Whether bytes that are no preface of HTTP/2 are a request of HTTP/1, and what that is told where only HTTP/2 is spoken. No state.
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal static class Http1Request
{
    // A request line may be as long as this before nobody waits for its end.
    private const int LineLengthMax = 8 * 1024;

    /// <summary>The answer, as Kestrel gives it.</summary>
    public static ReadOnlySpan<byte> Refusal =>
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 56\r\n\r\n"u8
        + "An HTTP/1.x request was sent to an HTTP/2 only endpoint."u8;

    /// <summary>Whether bytes begin with the request line of HTTP/1, or may become one.</summary>
    public static Http2PrefaceMatch Match(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        var line = (end < 0 ? bytes : bytes[..end]).TrimEnd((byte)'\r');
        if (line.Length > LineLengthMax || line.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) >= 0)
        {
            return Http2PrefaceMatch.None;
        }

        return end < 0 ? Http2PrefaceMatch.Partial
            : line.EndsWith(" HTTP/1.1"u8) || line.EndsWith(" HTTP/1.0"u8) ? Http2PrefaceMatch.Full
            : Http2PrefaceMatch.None;
    }
}
