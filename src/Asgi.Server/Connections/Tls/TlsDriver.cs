// The first stage of a connection with TLS: makes the handshake on the connection's bytes, puts the transport that encrypts in the place of
// its own, and hands the connection over to the driver of what ALPN has chosen. What the client has sent behind its Finished is the first
// that the transport decrypts. On the thread of the connection's loop; the handshake itself may be elsewhere where application code runs in
// it (TlsHandshake).
using System.Diagnostics.CodeAnalysis;
using System.Security.Authentication;
using Asgi.Server.Diagnostics;

namespace Asgi.Server.Connections;

[SuppressMessage("Design", "CA1001", Justification = "Its end is OnClosed, which lets go of the handshake; the wire owns only blocks.")]
internal sealed class TlsDriver(Connection connection, TlsRules rules) : ConnectionDriver
{
    /// <summary>The type of the record that every handshake begins with (RFC 8446, section 5.1).</summary>
    public const byte HandshakeRecord = 0x16;

    /// <summary>The byte behind it, which every version since SSL 3.0 begins with.</summary>
    public const byte VersionMajor = 0x03;

    private readonly TlsWire _wire = new(connection.Loop);
    private HandshakeObservation _observation;
    private TlsHandshake? _handshake;
    private TlsOperation? _operation;
    private bool _isEstablished;
    private bool _isOver;

    public override bool WantsInput => !_isOver && !_isEstablished && (_operation is null || IsStarved);

    public override bool UsesInput => false;

    // SslStream waits for a record that is not here.
    private bool IsStarved => _operation is { HasEnded: false, LoopHasWire: true } && !_wire.CanCompleteRead;

    public override void OnStarted()
    {
        _observation = connection.Diagnostics.HandshakeStarted(connection);
        connection.SetDeadline(rules.HandshakeTimeoutMilliseconds);
    }

    public override void OnReceived()
    {
        var input = connection.Input;
        if (_operation is null && _wire.Input.Length == 0 && input.Raw[0] != HandshakeRecord)
        {
            Refuse(PlainHttp.LooksLikeRequest(input.Raw));
            return;
        }

        _wire.Input.Append(input.Raw);
        input.SkipRaw(input.RawLength);
        input.ReleaseIfUnused();
        if (_wire.Input.IsOverlong)
        {
            Refuse(isHttp: false);
        }
        else if (_operation is not null)
        {
            _operation.Pump();
        }
        else if (_wire.Input.HasRecord)
        {
            Begin();
        }
    }

    public override void OnEndOfInput()
    {
        if (_operation is null)
        {
            // A balancer that only looks whether somebody listens; or one that has given up within its first record.
            _observation.Abandoned();
            End(ConnectionEndReason.ClientClosed, mustLinger: false);
            return;
        }

        _wire.End();
        _operation.Pump();
    }

    public override void OnPeerShutdown()
    {
    }

    public override void OnSent()
    {
        if (_isEstablished && !_isOver && connection.Output.IsEmpty)
        {
            HandOver();
        }
    }

    public override void OnDeadline(long nowMilliseconds)
    {
        connection.Log.HandshakeTimedOut(connection.Id);
        Stop(new TimeoutException("The handshake has taken too long."));
        connection.Abort(ConnectionEndReason.TlsHandshakeFailed);
    }

    public override void ShutDown() => End(connection.ShutDownReason, mustLinger: false);

    public override void OnClosed()
    {
        _isOver = true;
        _wire.Break();
        _handshake?.Cancel();
        if (_operation is null or { HasEnded: true })
        {
            LetGo();
        }
        else
        {
            // Fails what it waits for, if it does; application code ends when it does.
            _operation.Pump();
        }
    }

    private void Begin()
    {
        _handshake = new TlsHandshake(connection, rules, _wire);
        connection.Tls = _handshake.Info;
        _operation = new TlsOperation(
            connection, _wire, _handshake.RunsApplicationCode, _handshake.RunAsync, OnProgress, OnHandshakeEnded);
        _operation.Begin();
    }

    private void OnProgress()
    {
        if (!_isOver && _wire.Written.MoveTo(connection.Output))
        {
            connection.FlushLater();
        }

        if (!_isOver || connection.State == ConnectionState.Closed)
        {
            _operation!.Pump();
        }

        if (WantsInput)
        {
            connection.ReceiveLater();
        }
    }

    private void OnHandshakeEnded(Exception? failure)
    {
        if (connection.State == ConnectionState.Closed)
        {
            Stop(failure ?? new IOException("The connection is closed."));
            LetGo();
            return;
        }

        if (_isOver)
        {
            return;
        }

        _wire.Written.MoveTo(connection.Output);
        if (failure is not null)
        {
            Fail(failure);
            return;
        }

        var info = _handshake!.Info;
        info.Established();
        var version = TlsVersions.Name(info.Protocol);
        connection.Record.TlsVersion = version;
        _observation.Established(version, info.Protocol, info.ApplicationProtocol, info.HostName);
        connection.Log.HandshakeEstablished(connection.Id, info.Protocol);
        _isEstablished = true;

        // What is queued must not be encrypted: it goes out before the transport is another.
        if (connection.Output.IsEmpty)
        {
            HandOver();
        }
        else
        {
            connection.FlushNow();
        }
    }

    private void HandOver()
    {
        _isOver = true;
        var info = _handshake!.Info;
        var transport = new TlsTransport(connection, connection.Transport, _wire, info.TlsStream);
        connection.Filter(transport);
        info.Start(transport);
        if (rules.Next(connection, info.ApplicationProtocol) is { } next)
        {
            connection.HandOver(next);
        }
        else
        {
            connection.CloseAfterSend(mustLinger: false, ConnectionEndReason.OtherError);
        }
    }

    private void Fail(Exception failure)
    {
        connection.Log.AuthenticationFailed(connection.Id, failure);
        Stop(failure);

        // The client is to read the alert, if there is one, and not an RST.
        End(ConnectionEndReason.TlsHandshakeFailed, mustLinger: !connection.Output.IsEmpty);
    }

    // What begins no handshake. Plain HTTP, which somebody has typed without its s, is told so.
    private void Refuse(bool isHttp)
    {
        Stop(new AuthenticationException("What the client has sent is not TLS."));
        connection.Log.NotTls(connection.Id, isHttp);
        if (isHttp)
        {
            if (rules.Reminder.TryTell(connection.Loop.NowMilliseconds))
            {
                connection.Log.PlainHttpOnTlsPort(connection.LocalEndPoint);
            }

            connection.Send(PlainHttp.Refusal);
        }

        connection.Input.Clear();
        End(ConnectionEndReason.TlsHandshakeFailed, mustLinger: isHttp);
    }

    private void Stop(Exception failure) => _observation.Failed(failure);

    private void End(ConnectionEndReason reason, bool mustLinger)
    {
        _isOver = true;
        connection.CloseAfterSend(mustLinger, reason);
    }

    private void LetGo()
    {
        _observation.Abandoned();
        _wire.Input.Clear();
        _wire.Written.Clear();
        _handshake?.Dispose();
        connection.Release();
    }
}
