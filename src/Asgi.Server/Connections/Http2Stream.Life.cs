// The life of a stream: a request begins, its application runs and returns, what is left of the response goes out, and the record is free
// for the next. Loop thread.
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Stream
{
    private RequestObservation _observation;
    private Life _life;

    private enum Life
    {
        /// <summary>No request: pooled with its record.</summary>
        Free,

        /// <summary>The application has the exchange, from the ready list until its task completes.</summary>
        Running,

        /// <summary>The application is done; the rest of the response is on its way.</summary>
        Finishing,
    }

    /// <summary>Whether a request has it.</summary>
    public bool IsInUse => _life != Life.Free;

    /// <summary>Where it stands among the streams of the driver.</summary>
    public int Index { get; set; }

    /// <summary>The machine has told of a request: its application is called soon.</summary>
    /// <param name="scheme">The scheme of the request.</param>
    public void Begin(string scheme)
    {
        var head = State.Head;
        _life = Life.Running;
        _sendState = SendState.Head;
        _isEndKnown = false;
        _windowRate = default;
        _written = _handed = Handed.None;
        _isEndHeld = false;
        _isBroken = false;
        _trailers = null;
        HeadTraits = ResponseFieldTraits.None;
        RequestRateMin = _connection.Limits.RequestRateMin;
        ResetReceive();
        _content.Begin();
        _scope.Scheme = scheme;
        _scope.ConnectProtocol = head.IsExtendedConnect ? ProtocolOf(head) : null;
        _scope.Bind(head.Bytes, new HttpScope.HeadOffsets(
            head.Method.Start,
            head.Method.Length,
            head.Target.Start,
            head.Target.Length,
            head.Path.Start,
            head.Path.Length,
            head.Query.Start,
            head.Query.Length,
            head.Form is TargetForm.Origin or TargetForm.Absolute,
            IsHttp11: false));
        _exchange.Reset((uint)State.Id);
        _observation.Begin(_connection, _exchange);
        _calls.Add(ReadyCall.Start);
    }

    /// <summary>The application is done, and no call into it is left on another thread.</summary>
    public void OnApplicationReturned()
    {
        _exchange.ForgetWaits();
        ForgetWaits();
        if (IsResetAsked && _sendState < SendState.Ended)
        {
            BreakAsAsked();
        }

        if (_sendState != SendState.Broken)
        {
            // Also what another thread has written, and posted: that post is still to come.
            TakeOutput();
            if (!_exchange.IsComplete && _sendState != SendState.Broken)
            {
                _exchange.Fail();
            }
        }

        _observation.End(_connection, _exchange);
        _life = Life.Finishing;
        if (!_content.IsComplete && !_isBroken)
        {
            _connection.Log.ContentNotRead(_connection.Id);
        }

        FinishIfOver();
        if (_life == Life.Finishing)
        {
            // Nobody reads on, whatever the rest of the response waits for.
            _content.GiveBack();
            _content.Clear();
        }
    }

    /// <summary>
    /// The stream is reset, by whichever side, or has lost its connection: nothing more is sent, and whoever waits goes on.
    /// </summary>
    public void Break()
    {
        if (_sendState == SendState.Broken)
        {
            return;
        }

        _sendState = SendState.Broken;
        _isBroken = true;
        _windowRate.Stop();
        _postedOutput.TakeTo(Pending);
        Pending.Drop();
        _content.GiveBack();
        if (!HasLent && !_content.IsComplete)
        {
            // The client may send as much again, on another stream: what no application will see is not kept as long as this one runs.
            _content.Clear();
        }

        if (_life == Life.Running)
        {
            NoteDisconnect();
            OnContent();
            CheckFlush();
        }

        FinishIfOver();
    }

    /// <summary>The client sends no more, on a connection that still takes the response.</summary>
    public void OnEndOfInput()
    {
        if (_life == Life.Running && !_content.IsComplete)
        {
            _content.Break();
            NoteDisconnect();
            OnContent();
        }
    }

    /// <summary>Tells the application that its client is gone, or is taken to be.</summary>
    public void NoteDisconnect()
    {
        if (_life != Life.Running)
        {
            return;
        }

        if (_isBroken)
        {
            _exchange.NoteLost();
        }

        if (_exchange.NoteDisconnect())
        {
            _calls.Add(ReadyCall.Disconnected);
        }
    }

    // The application has reset its stream and returned before the post of it came: what it left is not sent.
    private void BreakAsAsked()
    {
        _connection.Log.StreamAborted(_connection.Id, State.Id, _resetCode.ToString());
        if (!State.IsClosed)
        {
            _driver.SendReset(this, _resetCode);
        }

        _sendState = SendState.Broken;
        _isBroken = true;
        _postedOutput.TakeTo(Pending);
        Pending.Drop();
    }

    // A response that is sent, or never will be, ends the stream once its application is done.
    private void FinishIfOver()
    {
        if (_life != Life.Finishing || _sendState < SendState.Ended)
        {
            return;
        }

        _life = Life.Free;
        if (!State.IsClosed)
        {
            // A complete response, and a client that still sends: it need not (RFC 9113, section 8.1).
            _driver.SendReset(this, Http2ErrorCode.NoError);
        }

        _postedOutput.TakeTo(Pending);
        _output.Release(Pending);
        Pending.Reset();
        _interims?.Clear();
        _content.Clear();
        _scope.Unbind();
        _head = default;
        _trailers = null;
        _driver.Remove(this);
    }

    // The application is done: what it left waiting concerns nobody.
    private void ForgetWaits()
    {
        Volatile.Write(ref _isAwaitingFlush, 0);
        if (TryForgetReceive())
        {
            _driver.OnAwaitEnded();
        }
    }

    private static string ProtocolOf(Http2RequestHead head)
    {
        var name = head[head.Protocol];
        return name.SequenceEqual("websocket"u8) ? "websocket" : System.Text.Encoding.ASCII.GetString(name);
    }
}
