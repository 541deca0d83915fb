// Ends a connection whose client has agreed on HTTP/2 over a version of TLS that is too old for it (RFC 9113, section 9.2): with the
// server's preface and GOAWAY. On the thread of the connection's loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed class InadequateTlsDriver(Connection connection) : ConnectionDriver
{
    // SETTINGS, which is the preface of a server (RFC 9113, section 3.4), may be empty.
    private static readonly byte[] s_farewell = [0, 0, 0, 4, 0, 0, 0, 0, 0, .. GoAway()];

    private bool _isOver;

    public override bool WantsInput => !_isOver;

    public override bool UsesInput => false;

    public override void OnStarted()
    {
        _isOver = true;
        connection.Send(s_farewell);
        connection.CloseAfterSend(mustLinger: true, ConnectionEndReason.InsufficientTlsVersion);
    }

    public override void OnReceived()
    {
    }

    public override void OnEndOfInput()
    {
    }

    public override void OnPeerShutdown()
    {
    }

    public override void OnSent()
    {
    }

    public override void OnDeadline(long nowMilliseconds)
    {
    }

    public override void ShutDown()
    {
    }

    public override void OnClosed() => connection.Release();

    private static byte[] GoAway()
    {
        var frame = new byte[Http2FrameWriter.GoAwaySize];
        Http2FrameWriter.WriteGoAway(frame, lastStreamId: 0, Http2ErrorCode.InadequateSecurity);
        return frame;
    }
}
