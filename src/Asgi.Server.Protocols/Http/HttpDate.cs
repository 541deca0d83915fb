// The date of RFC 9110, section 5.6.7, as a sender writes it. Called by the owner of the Date line, once a second.

using System.Buffers.Text;
using System.Diagnostics;

namespace Asgi.Server.Protocols.Http;

internal static class HttpDate
{
    /// <summary>The length of an IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".</summary>
    public const int Size = 29;

    /// <summary>Writes <paramref name="value"/> as IMF-fixdate, in GMT whatever its offset.</summary>
    public static void Format(DateTimeOffset value, Span<byte> destination)
    {
        if (!Utf8Formatter.TryFormat(value, destination, out int written, 'R'))
            throw new ArgumentException("An IMF-fixdate needs 29 bytes.", nameof(destination));
        Debug.Assert(written == Size);
    }
}
