// Which fields may not be sent as trailers (RFC 9110, section 6.5.1). Asked by the waist, any thread.

using System.Collections.Frozen;

namespace Asgi.Server.Protocols.Http;

internal static class TrailerNames
{
    // What a recipient needs before the content: framing, routing, modifiers, authentication, control data, how to process the content.
    private static readonly FrozenSet<string> Forbidden = new[]
    {
        "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "TE", "Trailer", "Host",
        "Cache-Control", "Expect", "Max-Forwards", "Pragma", "Range", "If-Match", "If-None-Match", "If-Modified-Since",
        "If-Unmodified-Since", "If-Range", "Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate",
        "Authentication-Info", "Proxy-Authentication-Info", "Cookie", "Set-Cookie", "Age", "Date", "Expires", "Location", "Retry-After",
        "Vary", "Warning", "Content-Encoding", "Content-Type", "Content-Range",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsForbidden(string name) => Forbidden.Contains(name);
}
