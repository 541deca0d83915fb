// What the head of a response is made of, besides the application's fields. Built by Http1Stream, read by ResponseHeadWriter.

namespace Asgi.Server.Protocols.Http1;

/// <summary>The one option of the Connection field that the server itself sends.</summary>
internal enum ConnectionOption
{
    None,
    Close,
    KeepAlive,
    Upgrade,
}

internal readonly struct ResponseHead
{
    /// <summary>0 to 9999. Three digits by RFC 9112, section 4; what an application sets beyond them is its own.</summary>
    public int Status { get; init; }

    /// <summary>Null for the registered phrase of the status.</summary>
    public string? ReasonPhrase { get; init; }

    /// <summary>Null for no Content-Length.</summary>
    public long? ContentLength { get; init; }

    /// <summary>Whether Transfer-Encoding is sent; excludes Content-Length (RFC 9112, 6.2).</summary>
    public bool Chunked { get; init; }

    public ConnectionOption Connection { get; init; }

    /// <summary>Complete lines with their CRLFs, such as Date and Server.</summary>
    public ReadOnlyMemory<byte> Common { get; init; }
}
