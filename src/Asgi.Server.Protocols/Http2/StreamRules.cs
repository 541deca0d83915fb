// The states of a stream (RFC 9113, section 5.1) as two tables: what a received frame means in each, and where what is sent or received
// leads. Asked by the machine; no state.

namespace Asgi.Server.Protocols.Http2;

/// <summary>Frames of a stream, as the states see them.</summary>
internal enum StreamInput : byte
{
    Headers,
    Data,
    RstStream,
    WindowUpdate,
    Priority,
}

/// <summary>What is to be done with a frame of a stream.</summary>
internal enum StreamVerdict : byte
{
    Accept,

    /// <summary>It is processed as far as the connection needs it (compression, its window) and then forgotten.</summary>
    Ignore,

    /// <summary>A stream error of type STREAM_CLOSED.</summary>
    StreamError,

    /// <summary>A connection error of type STREAM_CLOSED.</summary>
    ConnectionClosed,

    /// <summary>A connection error of type PROTOCOL_ERROR: the stream was never opened.</summary>
    ConnectionIdle,
}

internal static class StreamRules
{
    private const StreamVerdict Accept = StreamVerdict.Accept;
    private const StreamVerdict Ignore = StreamVerdict.Ignore;
    private const StreamVerdict Error = StreamVerdict.StreamError;
    private const StreamVerdict Closed = StreamVerdict.ConnectionClosed;
    private const StreamVerdict Idle = StreamVerdict.ConnectionIdle;

    private const int Inputs = 5;

    // In the order of Http2StreamPhase. PRIORITY may come at any time (5.3.2). After our RST_STREAM anything may still be on its way (5.1,
    // closed), after our END_STREAM window updates and resets; after the peer's own END_STREAM or RST_STREAM it has no excuse.
    private static ReadOnlySpan<StreamVerdict> Verdicts =>
    [
        // HEADERS  DATA    RST_STREAM  WINDOW_UPDATE  PRIORITY
        Accept,     Idle,   Idle,       Idle,          Ignore,    // Idle
        Accept,     Accept, Accept,     Accept,        Ignore,    // Open
        Accept,     Accept, Accept,     Accept,        Ignore,    // HalfClosedLocal
        Error,      Error,  Accept,     Accept,        Ignore,    // HalfClosedRemote
        Closed,     Closed, Ignore,     Ignore,        Ignore,    // Closed
        Ignore,     Ignore, Ignore,     Ignore,        Ignore,    // ResetByUs
        Error,      Error,  Ignore,     Ignore,        Ignore,    // ResetByPeer
    ];

    public static StreamVerdict Judge(Http2StreamPhase phase, StreamInput input) => Verdicts[(int)phase * Inputs + (int)input];

    /// <summary>Where END_STREAM of the peer leads.</summary>
    public static Http2StreamPhase EndedByPeer(Http2StreamPhase phase) => phase switch
    {
        Http2StreamPhase.Open => Http2StreamPhase.HalfClosedRemote,
        Http2StreamPhase.HalfClosedLocal => Http2StreamPhase.Closed,
        _ => throw new InvalidOperationException($"A stream that is {phase} is not ended by the peer."),
    };

    /// <summary>Where END_STREAM of ours leads.</summary>
    public static Http2StreamPhase EndedByUs(Http2StreamPhase phase) => phase switch
    {
        Http2StreamPhase.Open => Http2StreamPhase.HalfClosedLocal,
        Http2StreamPhase.HalfClosedRemote => Http2StreamPhase.Closed,
        _ => throw new InvalidOperationException($"A stream that is {phase} is not ended by us."),
    };
}
