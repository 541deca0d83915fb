// One stream as the machine knows it (RFC 9113, section 5.1): id, state, windows, and what came of the request. Pooled by the machine of
// its connection and used for one stream after the other; on the connection's loop.

using System.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Protocols.Http2;

/// <summary>The states a stream of a client can have. Nobody pushes, so none is reserved.</summary>
internal enum Http2StreamPhase : byte
{
    Idle,
    Open,

    /// <summary>We have sent END_STREAM.</summary>
    HalfClosedLocal,

    /// <summary>The peer has sent END_STREAM.</summary>
    HalfClosedRemote,

    /// <summary>Both sides have ended it.</summary>
    Closed,

    /// <summary>Closed by RST_STREAM of ours: the peer may not know it yet.</summary>
    ResetByUs,

    /// <summary>Closed by RST_STREAM of the peer's, which knows it.</summary>
    ResetByPeer,
}

internal sealed class Http2StreamState
{
    private FieldSection? _trailers;
    private FieldBytes? _trailerBytes;

    public int Id { get; internal set; }

    public Http2StreamPhase Phase { get; internal set; }

    public bool IsClosed => Phase >= Http2StreamPhase.Closed;

    /// <summary>Whether the peer may still send content.</summary>
    public bool CanReceive => Phase is Http2StreamPhase.Open or Http2StreamPhase.HalfClosedLocal;

    /// <summary>Whether we may still send HEADERS and DATA.</summary>
    public bool CanSend => Phase is Http2StreamPhase.Open or Http2StreamPhase.HalfClosedRemote;

    /// <summary>What the peer lets us send, in bytes; below zero when it has taken back what it gave (6.9.2).</summary>
    public int SendWindow { get; internal set; }

    public Http2RequestHead Head { get; } = new();

    /// <summary>The trailer section; empty but after Trailers. Its bytes are its own and stay until the stream is released.</summary>
    public FieldSection Trailers => _trailers ??= new FieldSection();

    /// <summary>Whether there are any, which is rare.</summary>
    public bool HasTrailers => _trailers is { Count: > 0 };

    /// <summary>The content so far, in bytes without padding, told or about to be.</summary>
    public long ContentBytes { get; internal set; }

    /// <summary>Content that was told and not consumed, in bytes.</summary>
    public int UnconsumedBytes { get; internal set; }

    /// <summary>
    /// Whatever the driver keeps for its streams. It stays with the record when that is released, and serves a later stream.
    /// </summary>
    public object? Attachment { get; set; }

    /// <summary>What the peer may send us, in bytes.</summary>
    internal int ReceiveWindow { get; set; }

    /// <summary>What the application has used and the peer was not told, in bytes.</summary>
    internal int Credit { get; set; }

    internal FieldBytes TrailerBytes => _trailerBytes ??= new FieldBytes(0);

    internal void Start(int id, int sendWindow, int receiveWindow)
    {
        Debug.Assert(Phase == Http2StreamPhase.Idle);
        Id = id;
        SendWindow = sendWindow;
        ReceiveWindow = receiveWindow;
    }

    /// <summary>Forgets everything but storage and attachment.</summary>
    internal void Clear()
    {
        Id = 0;
        Phase = Http2StreamPhase.Idle;
        SendWindow = 0;
        ReceiveWindow = 0;
        Credit = 0;
        UnconsumedBytes = 0;
        ContentBytes = 0;
        Head.Clear();
        _trailers?.Clear();
        _trailerBytes = null;
    }
}
