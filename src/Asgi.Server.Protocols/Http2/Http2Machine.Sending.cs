// What the driver sends, and what it has done with what it received: the states and windows that follow from it (RFC 9113, sections 5.1,
// 5.2 and 6.8). The driver writes the frames.

namespace Asgi.Server.Protocols.Http2;

internal sealed partial class Http2Machine
{
    /// <summary>
    /// The most content that the next DATA frame of a stream may carry: 0 while a window is used up. A frame without content may always go.
    /// </summary>
    public int GetSendable(Http2StreamState stream) => stream.CanSend
        ? Math.Max(0, Math.Min(Math.Min(stream.SendWindow, _flow.SendWindow), _peerSettings.MaxFrameSize))
        : 0;

    /// <summary>HEADERS go out: a head, an interim response or trailers.</summary>
    /// <exception cref="InvalidOperationException">We have ended the stream, or it is closed.</exception>
    public void SentHeaders(Http2StreamState stream, bool endStream)
    {
        EnsureCanSend(stream);
        if (endStream)
            EndByUs(stream);
    }

    /// <summary>DATA with so much content goes out, without padding.</summary>
    /// <exception cref="InvalidOperationException">We have ended the stream, it is closed, or a window does not allow it.</exception>
    public void SentData(Http2StreamState stream, int length, bool endStream)
    {
        EnsureCanSend(stream);
        _flow.Sent(stream, length);
        _counters.DataSent(length, Math.Min(stream.SendWindow, _flow.SendWindow));
        if (endStream)
            EndByUs(stream);
    }

    /// <summary>RST_STREAM goes out, by the driver's own decision.</summary>
    /// <exception cref="InvalidOperationException">The stream is closed.</exception>
    public void SentReset(Http2StreamState stream)
    {
        if (stream.IsClosed || stream.Phase == Http2StreamPhase.Idle)
            throw new InvalidOperationException($"A stream that is {stream.Phase} is not reset.");
        ResetByUs(stream);
    }

    /// <summary>
    /// Content was used, or thrown away: the increments of the WINDOW_UPDATE frames to send now, of the stream and of the connection. 0 is
    /// none yet.
    /// </summary>
    /// <param name="stream">Whose content it was.</param>
    /// <param name="bytes">At most <see cref="Http2StreamState.UnconsumedBytes"/>; 0 asks for what padding used.</param>
    public (int StreamIncrement, int ConnectionIncrement) Consumed(Http2StreamState stream, int bytes)
    {
        _flow.Consume(stream, bytes);
        return (_flow.TakeIncrement(stream), _flow.TakeIncrement());
    }

    /// <summary>
    /// The increment of the WINDOW_UPDATE frame to send for the connection now, or 0: for what no application has seen. Asked after reading
    /// and after <see cref="Release"/>.
    /// </summary>
    public int TakeConnectionIncrement() => _flow.TakeIncrement();

    /// <summary>
    /// Nobody uses a stream any more. Its record, with its attachment, serves a later stream; content that was not consumed is given back.
    /// </summary>
    /// <exception cref="InvalidOperationException">The stream is not closed, or was released before.</exception>
    public void Release(Http2StreamState stream)
    {
        if (!stream.IsClosed || !ReferenceEquals(_streams.Find(stream.Id), stream))
            throw new InvalidOperationException($"A stream that is {stream.Phase} is not released.");
        _flow.GiveBack(stream.UnconsumedBytes);
        _streams.Remove(stream);
    }

    /// <summary>
    /// The second step of a graceful end (6.8), some time after GOAWAY with the id 2^31-1, which needs nothing here: from now on streams
    /// above the one that is answered, which the second GOAWAY must name, are ignored.
    /// </summary>
    public int FinishGoAway() => _streams.ServedIdMax = Math.Min(_streams.ServedIdMax, LastStreamId);

    private static void EnsureCanSend(Http2StreamState stream)
    {
        if (!stream.CanSend)
            throw new InvalidOperationException($"Nothing is sent on a stream that is {stream.Phase}.");
    }

    private void EndByUs(Http2StreamState stream)
    {
        _streams.Move(stream, StreamRules.EndedByUs(stream.Phase));
        _counters.ResponseSent();
    }

    /// <summary>
    /// Closes a stream by RST_STREAM of ours; what the peer sends until it has heard of it is allowed by the window it had.
    /// </summary>
    private void ResetByUs(Http2StreamState stream)
    {
        AbandonContent(stream);
        if (stream.CanReceive)
            _flow.AllowStray(stream.ReceiveWindow);
        _streams.Move(stream, Http2StreamPhase.ResetByUs);
    }
}
