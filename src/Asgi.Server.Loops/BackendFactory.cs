// Which backend the loops of a server run on, and what is made of that kind. Chosen by LoopGroup on the host's thread.
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops.Epoll;
using Asgi.Server.Loops.Portable;

namespace Asgi.Server.Loops;

internal abstract class BackendFactory
{
    /// <summary>
    /// The AppContext switch that has Linux run on the portable backend too, which is all there is elsewhere. Read when loops are made.
    /// </summary>
    public const string UsePortableSwitch = "Asgi.Server.UsePortableBackend";

    /// <summary>The fastest kind that this system has, unless the switch says otherwise.</summary>
    public static BackendFactory ForThisSystem()
    {
        var isPortableWanted = AppContext.TryGetSwitch(UsePortableSwitch, out var isOn) && isOn;
        return OperatingSystem.IsLinux() && !isPortableWanted ? new EpollFactory() : new PortableFactory();
    }

    /// <summary>A backend for one loop.</summary>
    public abstract Backend Create();

    /// <summary>Binds an endpoint and listens on it, with a socket for each loop or one that they share.</summary>
    /// <param name="endPoint">An IP endpoint, port 0 for a free one, or a unix socket's path.</param>
    /// <param name="backlog">Connections the kernel completes ahead of an accept, for each socket.</param>
    /// <param name="loopCount">Loops that will accept.</param>
    /// <param name="unixSocketMode">The mode of a unix socket's file, set before anybody can connect; null for the umask's.</param>
    /// <returns>As many listeners as loops, or one.</returns>
    /// <exception cref="SocketException">The endpoint cannot be bound; nothing stays bound.</exception>
    public abstract Listener[] Bind(EndPoint endPoint, int backlog, int loopCount, UnixFileMode? unixSocketMode);

    /// <summary>Takes over a stream socket that listens already, as a process inherits it.</summary>
    /// <param name="handle">The descriptor, or handle; closed with the listener.</param>
    /// <exception cref="InvalidOperationException">It is no stream socket that listens.</exception>
    public abstract Listener Adopt(ulong handle);
}
