// The frames without content that a connection is steered by (RFC 9113, sections 6.3 to 6.9).

using System.Buffers.Binary;

namespace Asgi.Server.Protocols.Http2;

internal sealed partial class Http2Machine
{
    /// <summary>6.3: parsed as far as it can be wrong, and ignored.</summary>
    private Http2Event ReadPriority(in Http2Frame frame, ReadOnlySpan<byte> payload, long now)
    {
        if (_counters.Priority(now) is { } fault)
            return Fail(fault);
        bool isWhole = frame.Length == FrameRules.PrioritySize;
        if (isWhole && !FrameRules.DependsOnItself(frame.StreamId, payload))
            return Http2Event.Ignored;
        // RST_STREAM may not name a stream that is idle (6.4).
        Http2StreamPhase phase = _streams.GetPhase(frame.StreamId, out Http2StreamState? stream);
        if (isWhole)
        {
            return phase == Http2StreamPhase.Idle
                ? Fail(Http2Faults.SelfDependency)
                : FailStream(frame.StreamId, stream, Http2Faults.SelfDependency, now);
        }
        return stream is { IsClosed: false }
            ? FailStream(frame.StreamId, stream, Http2Faults.InvalidFrameSize, now)
            : Fail(Http2Faults.InvalidFrameSize);
    }

    /// <summary>6.4.</summary>
    private Http2Event ReadRstStream(in Http2Frame frame, ReadOnlySpan<byte> payload, long now)
    {
        StreamVerdict verdict = StreamRules.Judge(_streams.GetPhase(frame.StreamId, out Http2StreamState? stream), StreamInput.RstStream);
        if (verdict == StreamVerdict.ConnectionIdle)
            return Fail(Http2Faults.IdleStream);
        if (_counters.Reset(now) is { } fault)
            return Fail(fault);
        if (verdict == StreamVerdict.Ignore)
            return Http2Event.Ignored;
        ErrorCode = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload);
        _streams.Move(stream!, Http2StreamPhase.ResetByPeer);
        Stream = stream;
        return Http2Event.StreamReset;
    }

    /// <summary>6.5.</summary>
    private Http2Event ReadSettings(in Http2Frame frame, ReadOnlySpan<byte> payload, long now)
    {
        if (_counters.Settings(now) is { } fault)
            return Fail(fault);
        if (frame.Has(Http2FrameFlags.Ack))
        {
            _flow.SettingsAcknowledged();
            _sections.SettingsAcknowledged();
            return Http2Event.SettingsAck;
        }
        _state = State.Frames;
        int initialWindowSize = _peerSettings.InitialWindowSize;
        _peerSettings.BeginFrame();
        for (; !payload.IsEmpty; payload = payload[Http2Settings.EntrySize..])
        {
            if (_peerSettings.Apply(payload) is { } invalid)
                return Fail(invalid);
        }
        _peerSettings.EndFrame();
        return MoveSendWindows(_peerSettings.InitialWindowSize - initialWindowSize) is { } tooLarge ? Fail(tooLarge) : Http2Event.Settings;
    }

    /// <summary>The windows of streams follow the one they began with, below zero too (6.9.2); that of the connection does not.</summary>
    private Http2Fault? MoveSendWindows(int change)
    {
        if (change == 0)
            return null;
        foreach (Http2StreamState stream in _streams)
        {
            if (!stream.IsClosed && FlowControl.Opened(stream, change) is { } fault)
                return fault;
        }
        return null;
    }

    /// <summary>6.7. Answers that nobody asked for are counted as questions are.</summary>
    private Http2Event ReadPing(in Http2Frame frame, ReadOnlySpan<byte> payload, long now)
    {
        if (_counters.Ping(now) is { } fault)
            return Fail(fault);
        PingOpaque = BinaryPrimitives.ReadUInt64BigEndian(payload);
        return frame.Has(Http2FrameFlags.Ack) ? Http2Event.PingAck : Http2Event.Ping;
    }

    /// <summary>6.8. The last stream it names is one of ours, and there are none; its debug data is not kept.</summary>
    private Http2Event ReadGoAway(in Http2Frame frame, ReadOnlySpan<byte> input, long now, out int consumed)
    {
        consumed = 0;
        if (input.Length < Http2FrameWriter.GoAwaySize)
            return Http2Event.NeedData;
        if (_counters.UnknownFrame(now) is { } fault)
            return Fail(fault);
        consumed = Http2FrameWriter.GoAwaySize;
        ErrorCode = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(input[(Http2Frame.HeaderSize + 4)..]);
        BeginSkip(frame.Length - 8);
        return Http2Event.GoAway;
    }

    /// <summary>6.9.</summary>
    private Http2Event ReadWindowUpdate(in Http2Frame frame, ReadOnlySpan<byte> payload, long now)
    {
        int increment = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & Http2Frame.Bits31);
        if (_counters.WindowUpdate(increment, now) is { } abuse)
            return Fail(abuse);
        Http2Fault? fault = increment == 0 ? Http2Faults.EmptyWindowUpdate : null;
        if (frame.StreamId == 0)
        {
            fault ??= _flow.Opened(increment);
            return fault is null ? Http2Event.WindowUpdate : Fail(fault);
        }

        StreamVerdict verdict =
            StreamRules.Judge(_streams.GetPhase(frame.StreamId, out Http2StreamState? stream), StreamInput.WindowUpdate);
        if (verdict == StreamVerdict.ConnectionIdle)
            return Fail(Http2Faults.IdleStream);
        if (verdict == StreamVerdict.Ignore)
            return Http2Event.Ignored;
        fault ??= FlowControl.Opened(stream!, increment);
        if (fault is not null)
            return FailStream(frame.StreamId, stream, fault, now);
        if (!stream!.CanSend)
            return Http2Event.Ignored;
        Stream = stream;
        return Http2Event.WindowUpdate;
    }
}
