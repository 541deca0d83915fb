// How HTTP/2 on a connection ends: asked to, in two steps, so that no request is lost that was on its way (RFC 9113, section 6.8); for a
// fault of the client's, at once; or closed beneath it. On the thread of its loop.
using System.Text;
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Driver
{
    /// <summary>
    /// How long the client has for the round trip after which new streams are no longer served, in milliseconds.
    /// </summary>
    public const int GoAwayTimeoutMilliseconds = 1000;

    // What our PINGs bear; clients send them back.
    private const ulong GoAwayPing = 0x474F_4157_4159_0001;
    private const ulong KeepAlivePing = 0x414C_4956_453F_0002;

    private bool _isInputEnded;
    private ConnectionEndReason _reasonOfEnd;

    private ConnectionEndReason ReasonOfShutDown =>
        _connection.ShutDownReason is var reason and not ConnectionEndReason.None ? reason : ConnectionEndReason.GracefulShutdown;

    public override void ShutDown()
    {
        if (_state == State.Silent)
        {
            if (_connection.Input.RawLength == 0)
            {
                End(mustLinger: false, ReasonOfShutDown);
            }
        }
        else
        {
            Announce(ConnectionEndReason.None);
        }
    }

    public override void OnEndOfInput()
    {
        _isInputEnded = true;
        if (_state == State.Done)
        {
            return;
        }

        if (_streams.Count == 0)
        {
            var isMidFrame = _state == State.Silent ? _connection.Input.RawLength > 0 : _machine.IsMidBlock;
            End(mustLinger: false, isMidFrame ? ConnectionEndReason.InvalidRequestHeaders : ConnectionEndReason.ClientClosed);
            return;
        }

        if (_connection.Limits.AbortsOnHalfClose)
        {
            _connection.CloseAtOnce(ConnectionEndReason.ClientClosed);
            return;
        }

        // Content that FIN cuts off is missed at once; who has sent all may still read, as with HTTP/1.
        _graceDue = Now + _connection.Limits.HalfCloseTimeoutMilliseconds;
        Arm(_graceDue);
        ForAll(static stream => stream.OnEndOfInput());
    }

    public override void OnPeerShutdown()
    {
        // Its end is missed when that is received.
    }

    public override void OnClosed()
    {
        _state = State.Done;
        if (_streams.Count == 0)
        {
            Release();
            return;
        }

        // The last of them releases the connection, at once or when its application is done.
        ForAll(static stream => stream.Break());
    }

    // The first step: the client opens no more streams; those it has opened meanwhile are served.
    private void Announce(ConnectionEndReason reason)
    {
        if (_state != State.Open)
        {
            return;
        }

        _state = State.Announced;
        _reasonOfEnd = reason;
        if (_connection.Record.IsLogged)
        {
            _connection.Log.Http2Closing(_connection.Id);
        }

        WriteGoAway(int.MaxValue, Http2ErrorCode.NoError);
        Write(Http2FrameWriter.WritePing(_frames.GetSpan(Http2FrameWriter.PingSize), GoAwayPing, isAck: false));
        _goAwayDue = Now + GoAwayTimeoutMilliseconds;
        Arm(_goAwayDue);
    }

    // The second: it has heard of the first, or should have. What it opens from here on is not served.
    private void FinishGoAway()
    {
        if (_state != State.Announced)
        {
            return;
        }

        _state = State.Draining;
        _goAwayDue = Never;
        WriteGoAway(_machine.FinishGoAway(), Http2ErrorCode.NoError);
        if (_streams.Count == 0)
        {
            EndDrained();
        }
    }

    // The client opens no more streams, by its own word.
    private void OnGoAway()
    {
        if (_state is State.Open or State.Announced)
        {
            _state = State.Announced;
            _reasonOfEnd = ConnectionEndReason.ClientClosed;
            FinishGoAway();
        }
    }

    private void EndDrained()
    {
        var reason = _isInputEnded ? ConnectionEndReason.ClientClosed
            : _reasonOfEnd != ConnectionEndReason.None ? _reasonOfEnd
            : ReasonOfShutDown;
        End(mustLinger: !_isInputEnded, reason);
    }

    // A fault of the client's: what follows cannot be trusted.
    private void Refuse(Http2Fault fault)
    {
        if (fault.Code == Http2ErrorCode.CompressionError)
        {
            _connection.Log.HeadersNotDecoded(_connection.Id, fault.Name, fault.Message, fault.Section);
        }
        else
        {
            _connection.Log.Http2Failed(_connection.Id, fault.Name, fault.Message, fault.Section);
        }

        Break(fault.Code, fault.Message, EndReasons.OfHttp2(fault));
    }

    // GOAWAY with an error: all streams end here.
    private void Break(Http2ErrorCode code, string message, ConnectionEndReason reason)
    {
        WriteGoAway(_machine.LastStreamId, code, message);
        _connection.Record.End(reason);
        _state = State.Done;
        ForAll(static stream => stream.Break());
        End(mustLinger: true, reason);
    }

    // HTTP/1 where only HTTP/2 is spoken: people meet this with a browser, or curl without its option.
    private void RefuseHttp1()
    {
        _connection.Log.Http2Failed(
            _connection.Id,
            nameof(Http2Faults.InvalidPreface),
            "An HTTP/1.x request came to an endpoint that speaks HTTP/2 only.",
            "RFC 9113 3.4");
        _connection.Send(Http1Request.Refusal);
        End(mustLinger: true, ConnectionEndReason.InvalidHttpVersion);
    }

    private void WriteGoAway(int lastStreamId, Http2ErrorCode code, string message = "")
    {
        if (!CanWrite)
        {
            return;
        }

        var span = _frames.GetSpan(Http2FrameWriter.GoAwaySize + message.Length);
        Span<byte> debug = stackalloc byte[message.Length];
        Encoding.ASCII.GetBytes(message, debug);
        Write(Http2FrameWriter.WriteGoAway(span, lastStreamId, code, debug));
    }

    private void End(bool mustLinger, ConnectionEndReason reason)
    {
        _state = State.Done;
        _due = Never;
        _connection.ClearDeadline();
        _frames.Release();
        if (_connection.Record.IsLogged)
        {
            _connection.Log.Http2Closed(_connection.Id, _machine.LastStreamId);
        }

        _connection.CloseAfterSend(mustLinger, reason);
    }

    private void Release()
    {
        _state = State.Done;
        _frames.Clear();
        _connection.Release();
    }

    // What is called may remove the stream from the list.
    private void ForAll(Action<Http2Stream> action)
    {
        foreach (var stream in _streams.ToArray())
        {
            action(stream);
        }
    }
}
