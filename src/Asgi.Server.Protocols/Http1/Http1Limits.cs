// What the HTTP/1 machine accepts from a peer. Set once per server, shared by all connections; immutable.

namespace Asgi.Server.Protocols.Http1;

internal sealed record Http1Limits
{
    public static Http1Limits Default { get; } = new();

    /// <summary>
    /// Bytes of a request line with its CRLF, and of the empty lines before it; beyond it 414. RFC 9112, 3, asks for at least 8000.
    /// </summary>
    public int MaxRequestLineSize { get; init; } = 8 * 1024;

    /// <summary>
    /// Bytes of all field lines of a section with their CRLFs; beyond it 431. Headers and trailers each have their own measure.
    /// </summary>
    public int MaxRequestHeadersTotalSize { get; init; } = 32 * 1024;

    /// <summary>Field lines of a section; beyond it 431. Bounds the work of everything that walks the fields.</summary>
    public int MaxRequestHeaderCount { get; init; } = 100;

    /// <summary>
    /// Whether a Host field that differs from the authority of an absolute-form target is overridden by it (RFC 9112, 3.2.2), rather than
    /// refused.
    /// </summary>
    public bool AllowsHostOverride { get; init; }

    /// <summary>Whether field values may have other bytes above 0x7F than UTF-8's: somebody else judges them.</summary>
    public bool AllowsAnyEncoding { get; init; }

    /// <summary>
    /// Bytes of all chunk extensions of a message, semicolons included; beyond it 400. No client is known to need any; the limit is that
    /// of hyper. Over the whole message, since one byte of content per chunk would multiply a limit per chunk (RFC 9112, 7.1.1).
    /// </summary>
    public int MaxChunkExtensionSize { get; init; } = 16 * 1024;
}
