// DATA (RFC 9113, section 6.1), which is told in the pieces it arrives in, and its sum (8.1.1). All of a frame is counted against the
// windows when its header is read.

namespace Asgi.Server.Protocols.Http2;

internal sealed partial class Http2Machine
{
    // Of the frame under way, in the state Content.
    private Http2StreamState? _contentStream;
    private int _contentLeft;
    private int _paddingLeft;
    private bool _endsStream;

    private Http2Event ReadData(in Http2Frame frame, ReadOnlySpan<byte> input, long now, out int consumed)
    {
        consumed = 0;
        int prefix = FrameRules.GetPrefixSize(frame);
        if (input.Length < Http2Frame.HeaderSize + prefix)
            return Http2Event.NeedData;
        int padding = prefix > 0 ? input[Http2Frame.HeaderSize] : 0;
        int content = frame.Length - prefix - padding;
        bool endStream = frame.Has(Http2FrameFlags.EndStream);
        if (content < 0)
            return Fail(Http2Faults.InvalidPadding);

        StreamVerdict verdict = StreamRules.Judge(_streams.GetPhase(frame.StreamId, out Http2StreamState? stream), StreamInput.Data);
        if (verdict == StreamVerdict.ConnectionIdle)
            return Fail(Http2Faults.IdleStream);
        if (verdict == StreamVerdict.ConnectionClosed)
            return Fail(Http2Faults.StreamClosed);
        // What is ignored may not be endless either, but each stream that we reset may have an end on its way.
        bool isEmpty = content == 0
            && (!endStream || verdict != StreamVerdict.Accept)
            && !(endStream && verdict == StreamVerdict.Ignore && _flow.TakeStrayEnd());
        if ((isEmpty ? _counters.EmptyData(now) : null) is { } abuse)
            return Fail(abuse);
        if (_flow.Received(frame.Length) is { } exceeded)
            return Fail(exceeded);

        consumed = Http2Frame.HeaderSize + prefix;
        if (verdict != StreamVerdict.Accept)
            return SkipData(frame, verdict, stream, content + padding, now);
        Http2Fault? fault = FlowControl.Received(stream!, frame.Length) ?? CountContent(stream!, content, endStream);
        if (fault is not null)
        {
            _flow.GiveBack(frame.Length);
            BeginSkip(content + padding);
            return FailStream(frame.StreamId, stream, fault, now);
        }
        _flow.ConsumePadding(stream!, prefix + padding);
        (_contentStream, _contentLeft, _paddingLeft, _endsStream) = (stream, content, padding, endStream);
        _state = State.Content;
        return ReadContent(input, ref consumed);
    }

    /// <summary>The content of streams that nobody serves counts for the connection, which has it back at once (6.9).</summary>
    private Http2Event SkipData(in Http2Frame frame, StreamVerdict verdict, Http2StreamState? stream, int rest, long now)
    {
        _flow.GiveBack(frame.Length);
        BeginSkip(rest);
        if (verdict == StreamVerdict.StreamError)
            return FailStream(frame.StreamId, stream, Http2Faults.StreamClosed, now);
        return _flow.ReceivedStray(frame.Length) is { } fault ? Fail(fault) : Http2Event.Ignored;
    }

    /// <summary>Content is what a Content-Length says it is, or the request is malformed (8.1.1).</summary>
    private static Http2Fault? CountContent(Http2StreamState stream, int length, bool endStream)
    {
        stream.ContentBytes += length;
        if (stream.Head.ContentLength is not { } declared)
            return null;
        return stream.ContentBytes > declared || (endStream && stream.ContentBytes < declared) ? Http2Faults.ContentLengthMismatch : null;
    }

    private Http2Event ReadContent(ReadOnlySpan<byte> input, ref int consumed)
    {
        int length = Math.Min(_contentLeft, input.Length - consumed);
        if (length == 0 && _contentLeft > 0)
            return consumed > 0 ? Http2Event.Ignored : Http2Event.NeedData;
        Http2StreamState stream = _contentStream!;
        Stream = stream;
        Content = new(consumed, length);
        consumed += length;
        stream.UnconsumedBytes += length;
        _contentLeft -= length;
        if (_contentLeft > 0)
            return Http2Event.Content;

        _contentStream = null;
        EndStream = _endsStream;
        if (_endsStream)
            _streams.Move(stream, StreamRules.EndedByPeer(stream.Phase));
        BeginSkip(_paddingLeft);
        return Http2Event.Content;
    }

    /// <summary>A stream ends within a DATA frame: what is left of that is nobody's.</summary>
    private void AbandonContent(Http2StreamState stream)
    {
        if (_state != State.Content || _contentStream != stream)
            return;
        _flow.GiveBack(_contentLeft);
        _contentStream = null;
        BeginSkip(_contentLeft + _paddingLeft);
    }
}
