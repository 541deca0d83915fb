// Plain HTTP where TLS is spoken: found out by its first bytes, and told so by a fixed answer that every client of HTTP can show.
using System.Buffers;

namespace Asgi.Server.Connections;

internal static class PlainHttp
{
    // The longest registered method has 17.
    private const int MethodLengthMax = 20;

    private static readonly SearchValues<byte> MethodBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ-"u8);

    /// <summary>The answer, whole: it is the same to everything, the preface of HTTP/2 included.</summary>
    public static ReadOnlySpan<byte> Refusal =>
        "HTTP/1.1 400 Bad Request\r\n"u8
        + "Content-Length: 76\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"u8
        + "This port speaks https, and the request was plain http: use an https:// URL\n"u8;

    /// <summary>Whether bytes may be the start of a request: a method, whole or not.</summary>
    public static bool LooksLikeRequest(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.IndexOfAnyExcept(MethodBytes);
        return length < 0 ? bytes.Length is > 0 and <= MethodLengthMax : length is > 0 and <= MethodLengthMax && bytes[length] == (byte)' ';
    }
}
