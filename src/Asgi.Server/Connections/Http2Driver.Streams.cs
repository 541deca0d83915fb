// The streams of a connection: requests begin, are refused, reset, and let go of. On the thread of its loop.
using System.Text;
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Driver
{
    private readonly List<Http2Stream> _streams = [];
    private int _requestCount;

    /// <summary>Resets a stream for what the server has found: nothing more of it is sent, and its application hears of it.</summary>
    public void Reset(Http2Stream stream, Http2ErrorCode code)
    {
        if (!stream.State.IsClosed)
        {
            SendReset(stream, code);
        }

        stream.Break();
    }

    /// <summary>Tells the client that a stream is over.</summary>
    public void SendReset(Http2Stream stream, Http2ErrorCode code)
    {
        if (CanWrite)
        {
            Write(Http2FrameWriter.WriteRstStream(_frames.GetSpan(Http2FrameWriter.RstStreamSize), stream.State.Id, code));
        }

        _machine.SentReset(stream.State);
    }

    /// <summary>A stream is over, and its application done: its record serves another.</summary>
    public void Remove(Http2Stream stream)
    {
        var last = _streams[^1];
        _streams[stream.Index] = last;
        last.Index = stream.Index;
        _streams.RemoveAt(_streams.Count - 1);
        _machine.Release(stream.State);
        if (CanWrite)
        {
            UpdateWindow(0, _machine.TakeConnectionIncrement());
        }

        if (_streams.Count == 0)
        {
            OnAllOver();
        }
    }

    /// <summary>
    /// So much of a stream's content is used, or thrown away: the client may send as much again, once it is worth a frame.
    /// </summary>
    public void GiveBack(Http2StreamState state, int length)
    {
        if (length > 0)
        {
            GiveBackPadding(state, length);
        }
    }

    /// <summary>The same when nothing but padding was used, which the machine counts itself.</summary>
    public void GiveBackPadding(Http2StreamState state, int length = 0)
    {
        var (ofStream, ofConnection) = _machine.Consumed(state, length);
        if (CanWrite)
        {
            UpdateWindow(state.Id, ofStream);
            UpdateWindow(0, ofConnection);
        }
    }

    private static Http2Stream StreamOf(Http2StreamState state) => (Http2Stream)state.Attachment!;

    private void UpdateWindow(int streamId, int increment)
    {
        if (increment > 0)
        {
            Write(Http2FrameWriter.WriteWindowUpdate(_frames.GetSpan(Http2FrameWriter.WindowUpdateSize), streamId, increment));
        }
    }

    private void OnRequest(Http2StreamState state)
    {
        _blockDue = Never;
        var head = state.Head;
        var stream = state.Attachment as Http2Stream;
        if (stream is null)
        {
            state.Attachment = stream = new Http2Stream(this, state);
        }

        if (head.Fault is { } refusal)
        {
            RefuseRequest(state, refusal);
            return;
        }

        if (SchemeOf(head) is not { } scheme)
        {
            RefuseStream(state, Http2RequestFaults.SchemeMismatch);
            return;
        }

        if (_connection.Limits.RequestEncodings is { } encodings && !FieldEncodings.AreDecodable(head.Fields, encodings))
        {
            RefuseStream(state, Http2RequestFaults.UndecodableValue);
            return;
        }

        stream.Index = _streams.Count;
        _streams.Add(stream);
        _requestCount++;
        stream.Begin(scheme);
        if (_requestCount >= _connection.Limits.RequestsMax)
        {
            Announce(ConnectionEndReason.ResponseNoKeepAlive);
        }
    }

    private void OnReset(Http2StreamState state)
    {
        if (_connection.Record.IsLogged)
        {
            _connection.Log.StreamReset(_connection.Id, state.Id, _machine.ErrorCode.ToString());
        }

        StreamOf(state).Break();
    }

    // The machine has closed the stream, if there was one, and the application of that must hear of it.
    private void OnStreamFault(Http2Fault fault)
    {
        _blockDue = Never;
        if (fault.Code == Http2ErrorCode.RefusedStream)
        {
            _connection.Log.TooManyStreams(_connection.Id);
        }
        else
        {
            _connection.Log.StreamFailed(_connection.Id, _machine.FaultStreamId, fault.Name, fault.Message, fault.Section);
        }

        Write(Http2FrameWriter.WriteRstStream(_frames.GetSpan(Http2FrameWriter.RstStreamSize), _machine.FaultStreamId, fault.Code));
        if (_machine.Stream?.Attachment is Http2Stream { IsInUse: true } stream)
        {
            stream.Break();
        }
    }

    // What is sound as HTTP/2 and cannot be served here: a stream error, and no application hears of it.
    private void RefuseStream(Http2StreamState state, Http2Fault fault)
    {
        _connection.Log.StreamFailed(_connection.Id, state.Id, fault.Name, fault.Message, fault.Section);
        Write(Http2FrameWriter.WriteRstStream(_frames.GetSpan(Http2FrameWriter.RstStreamSize), state.Id, fault.Code));
        _machine.SentReset(state);
        _machine.Release(state);
    }

    // Larger than the limits, and answered in the application's place.
    private void RefuseRequest(Http2StreamState state, HttpFault fault)
    {
        var diagnostics = _connection.Diagnostics;
        diagnostics.Log.BadRequest(_connection.Id, fault);
        if (diagnostics.BadRequests is { } badRequests)
        {
            diagnostics.Log.Guard(
                _connection.Id,
                told => badRequests.HeadRefused(_connection.Id, _connection, fault.Status, fault.Message),
                fault);
        }

        if ((diagnostics.RequestObservers & RequestObservers.AccessLog) != 0)
        {
            var head = state.Head;
            var target = Encoding.Latin1.GetString(head[head.Target]);
            diagnostics.Log.Answered(
                RequestObservation.RemoteAddressOf(_connection),
                RequestLines.Of(head[head.Method], target, "2"),
                fault.Status,
                contentLength: 0,
                milliseconds: 0);
        }

        SendBareHead(state, fault.Status);
        if (!state.IsClosed)
        {
            Write(Http2FrameWriter.WriteRstStream(
                _frames.GetSpan(Http2FrameWriter.RstStreamSize), state.Id, Http2ErrorCode.NoError));
            _machine.SentReset(state);
        }

        _machine.Release(state);
    }

    // Null: it is not the transport's, and another is not allowed (a proxy before us may have served it by other rules).
    private string? SchemeOf(Http2RequestHead head)
    {
        var scheme = head[head.Scheme];
        var own = _connection.Scheme;
        return scheme.IsEmpty || Ascii.EqualsIgnoreCase(scheme, own) ? own
            : _connection.Limits.AllowsAlternateSchemes ? Encoding.ASCII.GetString(scheme)
            : null;
    }

    private void OnAllOver()
    {
        if (_connection.State == ConnectionState.Closed)
        {
            Release();
        }
        else if (_state == State.Done)
        {
            // It is on its way to its end, and has the deadline of that.
            return;
        }
        else if (_state == State.Draining || _isInputEnded)
        {
            EndDrained();
        }
        else
        {
            BeginIdle();
        }
    }
}
