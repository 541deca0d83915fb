// The stage that finds out which version of HTTP a connection speaks, where an endpoint without TLS serves both: who begins with the
// preface of HTTP/2 (RFC 9113, section 3.4) has prior knowledge of it, everybody else speaks HTTP/1. Not a byte is taken. Made per
// connection; on the thread of its loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed class PrefaceDriver(
    Connection connection, Func<Connection, ConnectionDriver> createHttp1, Func<Connection, ConnectionDriver> createHttp2)
    : ConnectionDriver
{
    private bool _isOver;
    private bool _isTimed;

    public override bool WantsInput => !_isOver;

    public override bool UsesInput => false;

    private bool HasBegun => connection.Input.RawLength > 0;

    public override void OnStarted() => connection.SetDeadline(connection.Limits.KeepAliveTimeoutMilliseconds);

    public override void OnReceived()
    {
        switch (Http2Preface.Match(connection.Input.Raw))
        {
            case Http2PrefaceMatch.Full:
                HandOver(createHttp2);
                break;
            case Http2PrefaceMatch.None:
                HandOver(createHttp1);
                break;
            default:
                TimePreface();
                break;
        }
    }

    public override void OnEndOfInput() =>
        End(mustLinger: false, HasBegun ? ConnectionEndReason.InvalidRequestLine : ConnectionEndReason.ClientClosed);

    public override void OnPeerShutdown()
    {
    }

    public override void OnSent()
    {
    }

    public override void OnDeadline(long nowMilliseconds)
    {
        if (!HasBegun)
        {
            End(mustLinger: false, ConnectionEndReason.KeepAliveTimeout);
            return;
        }

        // What has come is the beginning of HTTP/1's grammar as well, and that has an answer.
        connection.Send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8);
        End(mustLinger: true, ConnectionEndReason.RequestHeadersTimeout);
    }

    public override void ShutDown()
    {
        if (!HasBegun)
        {
            End(mustLinger: false, connection.ShutDownReason);
        }
    }

    public override void OnClosed()
    {
        _isOver = true;
        connection.Release();
    }

    private void HandOver(Func<Connection, ConnectionDriver> create)
    {
        _isOver = true;
        connection.HandOver(create(connection));
        if (connection.IsCloseRequested)
        {
            // Asked to end while the first bytes were coming.
            connection.ShutDown(connection.ShutDownReason);
        }
    }

    // From the first byte, as the head of HTTP/1 has.
    private void TimePreface()
    {
        if (!_isTimed)
        {
            _isTimed = true;
            connection.SetDeadline(connection.Limits.HeadTimeoutMilliseconds);
        }
    }

    private void End(bool mustLinger, ConnectionEndReason reason)
    {
        _isOver = true;
        connection.CloseAfterSend(mustLinger, reason);
    }
}
