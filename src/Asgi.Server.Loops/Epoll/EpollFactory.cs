// Makes backends of epoll, and binds endpoints for them. Called by LoopGroup on the host's thread.
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Asgi.Server.Loops.Epoll;

[SupportedOSPlatform("linux")]
internal sealed class EpollFactory : BackendFactory
{
    public override Backend Create() => new EpollBackend();

    // An IP endpoint gets a socket per loop, and the kernel spreads the connections over them; of a unix socket there can be one only.
    public override Listener[] Bind(EndPoint endPoint, int backlog, int loopCount, UnixFileMode? unixSocketMode)
    {
        var listeners = new List<Listener>();
        try
        {
            var count = endPoint is IPEndPoint ? loopCount : 1;
            for (var i = 0; i < count; i++)
            {
                // The first binds alone, so that a second server on the port is refused; its siblings may then share (README).
                var shared = i == 0 ? endPoint : listeners[0].LocalEndPoint;
                listeners.Add(EpollListener.Bind(shared, backlog, isSibling: i > 0, hasSiblings: count > 1, unixSocketMode));
            }

            return [.. listeners];
        }
        catch (SocketException)
        {
            listeners.ForEach(listener => listener.Close());
            throw;
        }
    }

    public override Listener Adopt(ulong handle) => EpollListener.Adopt(handle);
}
