// The first bytes of a client (RFC 9113, section 3.4). Asked by the machine, and by drivers that tell versions apart by them; no state.

namespace Asgi.Server.Protocols.Http2;

internal enum Http2PrefaceMatch
{
    /// <summary>So far it may become one.</summary>
    Partial,

    Full,

    None,
}

internal static class Http2Preface
{
    public const int Size = 24;

    public static ReadOnlySpan<byte> Bytes => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Whether bytes begin with the preface, or with so much of it as there are bytes.</summary>
    public static Http2PrefaceMatch Match(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= Size)
            return bytes.StartsWith(Bytes) ? Http2PrefaceMatch.Full : Http2PrefaceMatch.None;
        return Bytes.StartsWith(bytes) ? Http2PrefaceMatch.Partial : Http2PrefaceMatch.None;
    }
}
