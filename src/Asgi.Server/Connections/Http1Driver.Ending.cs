// How HTTP/1 on a connection ends: asked to, refused, closed beneath it, or at the end of its last response. On the thread of its loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Driver
{
    private static readonly byte[] s_http11Required = WriteHttp11Required();

    public override void ShutDown()
    {
        _isShuttingDown = true;
        if (_state == State.Resting || (_state == State.Head && !Machine.IsMidHead && _connection.Input.RawLength == 0))
        {
            End(mustLinger: false, ReasonOfShutDown);
        }
        else if (_state == State.Exchange && _stream.IsUpgraded && _connection.IsServerStopping)
        {
            StartGrace(_connection.Limits.UpgradedShutdownTimeoutMilliseconds);
        }
    }

    public override void OnClosed()
    {
        if (_grace is not null)
        {
            _connection.Loop.Timers.Remove(_grace);
        }

        if (_state != State.Exchange)
        {
            Release();
            return;
        }

        // The application has the exchange: it hears of it, and the connection's memory stays until it is done.
        _exchange.NoteLost();
        NoteDisconnect();
        _stream.OnBroken();
    }

    public void AbortByApplication()
    {
        if (_connection.State != ConnectionState.Closed)
        {
            _connection.Log.ApplicationAborted(_connection.Id);
            _connection.Abort(ConnectionEndReason.AbortedByApp);
        }
    }

    // The status of the fault, and the connection ends: what follows cannot be trusted to be a message.
    private void Refuse(HttpFault fault)
    {
        ObserveRefusal(fault);
        TellOfTls();
        if (fault == Http1Faults.UnsupportedVersion && IsHttp2())
        {
            _connection.Send(s_http11Required);
            End(mustLinger: true, ConnectionEndReason.InvalidHttpVersion);
            return;
        }

        _stream.Reset(keepAlive: false);
        var fields = fault.Allow is null ? null : new FieldList().Add("Allow", fault.Allow);
        _stream.WriteHead(new ResponseHeadDecision(fault.Status, null, fields, ContentLength: 0, HasContent: false));
        _stream.Complete(isReturning: false);
        End(mustLinger: true, EndReasons.OfHead(fault, isRequestLine: !Machine.HasRequestLine));
    }

    // A TLS client understands neither 400 nor an alert of a server that has no TLS; who has set it up wrongly is told by the log.
    private void TellOfTls()
    {
        if (_connection.Tls is null
            && _connection.Input.Raw is [TlsDriver.HandshakeRecord, TlsDriver.VersionMajor, ..]
            && _connection.Registry.TlsReminder.TryTell(_connection.Loop.NowMilliseconds))
        {
            _connection.Log.TlsOnPlainPort(_connection.LocalEndPoint);
        }
    }

    // Clients with prior knowledge of HTTP/2 understand a frame, and not a status line.
    private bool IsHttp2() =>
        _connection.Input.Raw is { Length: >= 16 } raw && Http2Preface.Match(raw) != Http2PrefaceMatch.None;

    private static byte[] WriteHttp11Required()
    {
        var frame = new byte[Http2FrameWriter.GoAwaySize];
        Http2FrameWriter.WriteGoAway(frame, lastStreamId: 0, Http2ErrorCode.Http11Required);
        return frame;
    }

    private void End(bool mustLinger, ConnectionEndReason reason)
    {
        _state = State.Done;
        Unbind();
        _connection.ClearDeadline();
        _stream?.ReleaseOutput();
        if (_stream is { IsUpgraded: true })
        {
            DemandSendRate();
        }

        _connection.CloseAfterSend(mustLinger, reason);
    }

    private void Release()
    {
        _state = State.Done;
        _stream?.Clear();
        Unbind();
        _connection.Release();
    }

    // The blocks of the head are another connection's soon, also while this one lingers: whoever keeps the scope does not see into them.
    private void Unbind()
    {
        _scope?.Unbind();
        Machine?.Head.Fields.Clear();
    }
}
