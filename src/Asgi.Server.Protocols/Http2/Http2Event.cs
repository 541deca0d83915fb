// What one read of the machine found. Answered by Http2Machine.Read, acted upon by the driver on the connection's loop.

namespace Asgi.Server.Protocols.Http2;

internal enum Http2Event
{
    /// <summary>Nothing yet: call again with the bytes that were not consumed and more behind them.</summary>
    NeedData,

    /// <summary>Something was consumed that asks for nothing: read on.</summary>
    Ignored,

    /// <summary>The peer's settings were applied (<see cref="Http2Machine.PeerSettings"/>): acknowledge them.</summary>
    Settings,

    /// <summary>The peer acknowledged our settings.</summary>
    SettingsAck,

    /// <summary>A stream was opened: its head is filled. <see cref="Http2Machine.EndStream"/> says that there is no content.</summary>
    Request,

    /// <summary>Content of a stream, possibly a part of a DATA frame, possibly of length 0.</summary>
    Content,

    /// <summary>The trailer section of a stream, which ends it.</summary>
    Trailers,

    /// <summary>The peer reset a stream that was not closed; <see cref="Http2Machine.ErrorCode"/> says why.</summary>
    StreamReset,

    /// <summary>
    /// The peer broke the rules of one stream: send RST_STREAM with the code of <see cref="Http2Machine.Fault"/> on
    /// <see cref="Http2Machine.FaultStreamId"/>. The machine has closed the stream, if it was open.
    /// </summary>
    StreamFault,

    /// <summary>A send window has grown: that of <see cref="Http2Machine.Stream"/>, or of the connection where that is null.</summary>
    WindowUpdate,

    /// <summary>Answer with the same eight bytes, <see cref="Http2Machine.PingOpaque"/>.</summary>
    Ping,

    /// <summary>The peer answered a PING of ours that bore <see cref="Http2Machine.PingOpaque"/>.</summary>
    PingAck,

    /// <summary>The peer opens no more streams; those that are open go on.</summary>
    GoAway,

    /// <summary>
    /// The peer broke the rules of the connection: send GOAWAY with <see cref="Http2Machine.LastStreamId"/> and the code of
    /// <see cref="Http2Machine.Fault"/>, then close. Final.
    /// </summary>
    Fault,
}
