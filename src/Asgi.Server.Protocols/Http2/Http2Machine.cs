// The server's side of HTTP/2 (RFC 9113) as a machine over bytes: what is read, and what may be sent. The rules are in the files around it.
// Called by the driver of one connection, on the thread that owns the connection.

using System.Diagnostics;

namespace Asgi.Server.Protocols.Http2;

internal sealed class Http2Machine
{
    private readonly Http2Limits _limits;
    private readonly StreamTable _streams;
    private readonly FlowControl _flow;
    private readonly Http2FrameReader _frames;
    private Http2Settings _peerSettings = new();

    public Http2Machine(Http2Limits limits)
    {
        _limits = limits;
        _streams = new StreamTable(limits.MaxStreamsPerConnection);
        _flow = new FlowControl(limits);
        _frames = new Http2FrameReader(this, limits);
    }
}
