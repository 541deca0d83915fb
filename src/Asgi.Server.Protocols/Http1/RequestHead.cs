// The head of a request: the request line (RFC 9112, section 3), the fields, and what they say about framing and persistence.
// Filled by the machine, read by the driver between the Request event and the next request, on the connection's loop.

using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

/// <summary>All offsets are relative to the first byte of the span that the machine was given when it answered Request.</summary>
internal sealed class RequestHead
{
    public int MethodStart { get; set; }

    public int MethodLength { get; set; }

    public int TargetStart { get; set; }

    public int TargetLength { get; set; }

    public TargetForm Form { get; set; }

    /// <summary>Host and port in an absolute or authority form; length 0 otherwise.</summary>
    public int AuthorityStart { get; set; }

    public int AuthorityLength { get; set; }

    /// <summary>The port that the scheme of an absolute form implies, otherwise 0.</summary>
    public int DefaultPort { get; set; }

    /// <summary>The raw path without the query; length 0 when the form has none, and in an absolute form where "/" is implied.</summary>
    public int PathStart { get; set; }

    public int PathLength { get; set; }

    /// <summary>The query with its '?'; length 0 when there is none.</summary>
    public int QueryStart { get; set; }

    public int QueryLength { get; set; }

    /// <summary>Otherwise the version is HTTP/1.0.</summary>
    public bool IsHttp11 { get; set; }

    public FieldSection Fields { get; } = new();

    public long? ContentLength { get; set; }

    public bool IsChunked { get; set; }

    public bool HasContent => IsChunked || ContentLength > 0;

    /// <summary>Whether the client lets the connection persist (RFC 9112, 9.3).</summary>
    public bool KeepAlive { get; set; }

    /// <summary>Whether Connection lists "upgrade" (RFC 9110, 7.8).</summary>
    public bool ConnectionUpgrade { get; set; }

    /// <summary>Whether the client waits for 100 (RFC 9110, 10.1.1); a server ignores that in HTTP/1.0.</summary>
    public bool ExpectContinue { get; set; }

    /// <summary>
    /// Forgets what depends on the presence of a field or of a part of the target; the rest is set by every request line.
    /// </summary>
    public void Clear()
    {
        AuthorityStart = AuthorityLength = DefaultPort = 0;
        PathStart = PathLength = 0;
        QueryStart = QueryLength = 0;
        Fields.Clear();
        ContentLength = null;
        IsChunked = false;
        KeepAlive = false;
        ConnectionUpgrade = false;
        ExpectContinue = false;
    }
}
