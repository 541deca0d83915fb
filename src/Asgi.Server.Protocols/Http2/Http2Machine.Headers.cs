// HEADERS and CONTINUATION (RFC 9113, sections 6.2 and 6.10): streams are opened, refused, and ended by trailers (5.1.1, 5.1.2, 8.1).

namespace Asgi.Server.Protocols.Http2;

internal sealed partial class Http2Machine
{
    private bool _dependsOnItself; // what the HEADERS frame of the block under way said

    private Http2Event ReadHeaders(in Http2Frame frame, ReadOnlySpan<byte> payload, long now)
    {
        int start = FrameRules.GetPrefixSize(frame);
        int end = payload.Length - (frame.Has(Http2FrameFlags.Padded) ? payload[0] : 0);
        if (start > end)
            return Fail(Http2Faults.InvalidPadding);
        // Nothing is gathered for a stream that cannot be.
        if (JudgeId(frame.StreamId) is { } fault)
            return Fail(fault);
        _dependsOnItself = frame.Has(Http2FrameFlags.Priority)
            && FrameRules.DependsOnItself(frame.StreamId, payload[(start - FrameRules.PrioritySize)..]);
        if (frame.Has(Http2FrameFlags.EndHeaders))
            return ReadBlock(frame.StreamId, frame.Has(Http2FrameFlags.EndStream), payload[start..end], now);
        _block.Begin(frame, payload[start..end]);
        return Http2Event.Ignored;
    }

    private Http2Event ReadContinuation(in Http2Frame frame, ReadOnlySpan<byte> payload, long now)
    {
        _block.Continue(payload);
        if (!frame.Has(Http2FrameFlags.EndHeaders))
            return Http2Event.Ignored;
        _block.End();
        return ReadBlock(frame.StreamId, _block.EndStream, _block.Bytes, now);
    }

    private Http2Fault? JudgeId(int id)
    {
        Http2StreamPhase phase = _streams.GetPhase(id, out _);
        if (phase == Http2StreamPhase.Idle)
            return (id & 1) == 0 ? Http2Faults.UnexpectedStreamId : null;
        if (StreamRules.Judge(phase, StreamInput.Headers) != StreamVerdict.ConnectionClosed)
            return null;
        return _streams.IsSkipped(id) ? Http2Faults.UnexpectedStreamId : Http2Faults.StreamClosed;
    }

    private Http2Event ReadBlock(int id, bool endStream, ReadOnlySpan<byte> block, long now)
    {
        // Since HEADERS we may have reset the stream.
        Http2StreamPhase phase = _streams.GetPhase(id, out Http2StreamState? stream);
        switch (StreamRules.Judge(phase, StreamInput.Headers))
        {
            case StreamVerdict.Accept:
                return stream is null ? OpenStream(id, endStream, block, now) : EndByTrailers(stream, endStream, block, now);
            case StreamVerdict.Ignore:
                if (SkipBlock(block) is { } failed)
                    return failed;
                if (endStream && _flow.TakeStrayEnd())
                    return Http2Event.Ignored;
                return _counters.UnknownFrame(now) is { } abuse ? Fail(abuse) : Http2Event.Ignored;
            case StreamVerdict.StreamError:
                return SkipBlock(block) ?? FailStream(id, stream, Http2Faults.StreamClosed, now);
            default:
                return Fail(Http2Faults.StreamClosed);
        }
    }

    private Http2Event OpenStream(int id, bool endStream, ReadOnlySpan<byte> block, long now)
    {
        _streams.Use(id);
        // After GOAWAY nothing is said about the streams above the last one (6.8).
        if (id > _streams.ServedIdMax || !_streams.HasRoom)
            return RefuseStream(id, endStream, block, now);

        Http2StreamState stream = _streams.Add(id, _peerSettings.InitialWindowSize, _flow.InitialReceiveWindow);
        if (_sections.ReadHead(block, stream.Head, endStream) == FieldSectionResult.ConnectionFault)
            return Fail(_sections.Fault!);
        if ((_sections.Fault ?? (_dependsOnItself ? Http2Faults.SelfDependency : null)) is { } fault)
        {
            AllowStray(stream, endStream);
            _streams.Move(stream, Http2StreamPhase.ResetByUs);
            _streams.Remove(stream);
            return FailStream(id, null, fault, now);
        }
        _streams.Move(stream, endStream ? Http2StreamPhase.HalfClosedRemote : Http2StreamPhase.Open);
        LastStreamId = id;
        Stream = stream;
        EndStream = endStream;
        return Http2Event.Request;
    }

    private void AllowStray(Http2StreamState stream, bool endStream)
    {
        if (!endStream)
            _flow.AllowStray(stream.ReceiveWindow);
    }

    private Http2Event RefuseStream(int id, bool endStream, ReadOnlySpan<byte> block, long now)
    {
        if (SkipBlock(block) is { } failed)
            return failed;
        if (_counters.Reset(now) is { } fault)
            return Fail(fault);
        if (!endStream)
            _flow.AllowStray(_flow.InitialReceiveWindow);
        if (id > _streams.ServedIdMax)
            return Http2Event.Ignored;
        _streams.RememberReset(id, Http2StreamPhase.ResetByUs);
        FaultStreamId = id;
        Fault = Http2Faults.StreamRefused;
        return Http2Event.StreamFault;
    }

    private Http2Event EndByTrailers(Http2StreamState stream, bool endStream, ReadOnlySpan<byte> block, long now)
    {
        Http2Fault? fault;
        switch (_sections.ReadTrailers(block, stream))
        {
            case FieldSectionResult.ConnectionFault:
                return Fail(_sections.Fault!);
            case FieldSectionResult.StreamFault:
                fault = _sections.Fault;
                break;
            default:
                fault = _dependsOnItself ? Http2Faults.SelfDependency
                    : endStream ? CountContent(stream, 0, endStream: true)
                    : Http2Faults.TrailersNotLast;
                break;
        }
        if (fault is not null)
            return FailStream(stream.Id, stream, fault, now);
        _streams.Move(stream, StreamRules.EndedByPeer(stream.Phase));
        Stream = stream;
        EndStream = true;
        return Http2Event.Trailers;
    }

    private Http2Event? SkipBlock(ReadOnlySpan<byte> block) =>
        _sections.Skip(block) == FieldSectionResult.Done ? null : Fail(_sections.Fault!);
}
