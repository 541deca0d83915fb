// Makes backends of the framework's sockets, and binds endpoints for them. Called by LoopGroup on the host's thread.
using System.Net;

namespace Asgi.Server.Loops.Portable;

internal sealed class PortableFactory : BackendFactory
{
    public override Backend Create() => new PortableBackend();

    // One socket whatever the number of loops: only Linux spreads connections over several that are bound to one address.
    public override Listener[] Bind(EndPoint endPoint, int backlog, int loopCount, UnixFileMode? unixSocketMode) =>
        [PortableListener.Bind(endPoint, backlog, unixSocketMode)];

    public override Listener Adopt(ulong handle) => PortableListener.Adopt(handle);
}
