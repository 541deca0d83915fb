// A listening socket. Bound on the host's thread, then accepts on its loop's.
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops.Epoll;

[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollListener : Listener, IEpollSource
{
    /// <summary>Connections accepted in one go before the loop turns to those it has; the rest are reported again.</summary>
    public const int AcceptsPerTickMax = 64;

    /// <summary>How long accepting rests when the process is out of descriptors or memory, in milliseconds.</summary>
    public const int ExhaustedPauseMilliseconds = 100;

    private const int AddressSizeMax = 128; // sizeof(struct sockaddr_storage)

    private readonly int _descriptor;
    private EpollBackend? _backend;
    private IAcceptHandler? _handler;
    private int _slot = -1;
    private bool _isClosed;

    private EpollListener(int descriptor, EndPoint localEndPoint)
    {
        _descriptor = descriptor;
        LocalEndPoint = localEndPoint;
    }

    public override EndPoint LocalEndPoint { get; }

    /// <summary>Whether accepted connections must ask for their local address: the listener's is a wildcard.</summary>
    private bool IsWildcard =>
        LocalEndPoint is IPEndPoint { Address: var address } && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    /// <summary>Binds and listens. A first socket takes the address for itself and then lets siblings join it.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static EpollListener Bind(
        EndPoint endPoint, int backlog, bool isSibling, bool hasSiblings, UnixFileMode? unixSocketMode = null)
    {
        var address = endPoint.Serialize();
        var descriptor = Errno.Demand(Libc.Socket(
            NativeFamily(address),
            Constants.SocketStream | Constants.SocketNonBlocking | Constants.SocketCloseOnExec,
            0));
        string? path = null;
        try
        {
            if (endPoint is IPEndPoint ip)
            {
                // A restarted server must not wait for the old one's connections in TIME_WAIT.
                SetOption(descriptor, Constants.LevelSocket, Constants.ReuseAddress, 1);

                // Inherited by what is accepted: responses leave in whole writes, so Nagle's algorithm would only delay them.
                SetOption(descriptor, Constants.LevelTcp, Constants.TcpNoDelay, 1);
                if (ip.AddressFamily == AddressFamily.InterNetworkV6)
                {
                    SetOption(descriptor, Constants.LevelIpv6, Constants.Ipv6Only, ip.Address.Equals(IPAddress.IPv6Any) ? 0 : 1);
                }
            }

            if (isSibling)
            {
                SetOption(descriptor, Constants.LevelSocket, Constants.ReusePort, 1);
            }

            fixed (byte* bytes = address.Buffer.Span)
            {
                Errno.Demand(Libc.Bind(descriptor, bytes, address.Size));
            }

            path = UnixSocketFile.PathOf(endPoint);
            if (path is not null && unixSocketMode is { } mode)
            {
                // Bound and not listening yet, it refuses everybody: nobody connects under the mode the umask left.
                UnixSocketFile.SetMode(path, mode);
            }

            if (hasSiblings && !isSibling)
            {
                SetOption(descriptor, Constants.LevelSocket, Constants.ReusePort, 1);
            }

            Errno.Demand(Libc.Listen(descriptor, backlog));
            return new EpollListener(descriptor, endPoint is IPEndPoint ? ReadLocalEndPoint(descriptor, endPoint) : endPoint);
        }
        catch (SocketException)
        {
            if (path is not null)
            {
                File.Delete(path);
            }

            _ = Libc.Close(descriptor);
            throw;
        }
    }

    /// <summary>Takes over a socket that listens already.</summary>
    /// <exception cref="InvalidOperationException">It is no stream socket that listens.</exception>
    public static EpollListener Adopt(ulong handle)
    {
        var descriptor = handle <= int.MaxValue ? (int)handle : -1;
        if (ReadOption(descriptor, Constants.SocketKind) != Constants.SocketStream
            || ReadOption(descriptor, Constants.AcceptsConnections) != 1)
        {
            throw new InvalidOperationException($"The file handle {handle} is not a stream socket that listens.");
        }

        var local = ReadLocalAddress(descriptor).ToEndPoint() ?? ReadLocalEndPoint(descriptor, new UnixDomainSocketEndPoint("/"));
        InheritedDescriptor.Prepare(descriptor);
        if (local is IPEndPoint)
        {
            SetOption(descriptor, Constants.LevelTcp, Constants.TcpNoDelay, 1);
        }

        return new EpollListener(descriptor, local);
    }

    public void Start(EpollBackend backend, IAcceptHandler handler)
    {
        if (!_isClosed)
        {
            _backend = backend;
            _handler = handler;
            Watch();
        }
    }

    public void OnEvents(uint events)
    {
        var buffer = stackalloc byte[AddressSizeMax];
        for (var i = 0; i < AcceptsPerTickMax && !_isClosed; i++)
        {
            var length = AddressSizeMax;
            var accepted = Libc.Accept(_descriptor, buffer, &length, Constants.SocketNonBlocking | Constants.SocketCloseOnExec);
            if (accepted < 0)
            {
                if (!MayGoOn(Marshal.GetLastPInvokeError()))
                {
                    return;
                }

                continue;
            }

            var isIp = LocalEndPoint is IPEndPoint;
            var remote = isIp ? SockAddress.Read(new ReadOnlySpan<byte>(buffer, length)) : default;
            var local = isIp && IsWildcard ? ReadLocalAddress(accepted) : default;
            _handler!.OnAccepted(new EpollTransport(accepted, remote, local, LocalEndPoint));
        }
    }

    public override void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        if (_slot >= 0)
        {
            _backend!.Unwatch(_slot, _descriptor);
        }

        _ = Libc.Close(_descriptor);
    }

    // accept(2): errors already pending on the new socket are passed on by accept; they concern that connection, not the listener.
    private bool MayGoOn(int errno)
    {
        switch (errno)
        {
            case Errno.TryAgain:
                return false;
            case Errno.TooManyFiles or Errno.TooManyFilesInSystem or Errno.OutOfMemory or Errno.NoBufferSpace:
                Pause();
                return false;
            default:
                return true;
        }
    }

    // Level-triggered, a listener that cannot accept would spin its loop.
    private void Pause()
    {
        _backend!.Unwatch(_slot, _descriptor);
        _slot = -1;
        var loop = Loop.Current!;
        loop.Timers.Set(new ResumeTimer(this), loop.NowMilliseconds + ExhaustedPauseMilliseconds);
    }

    private void Watch() => _slot = _backend!.Add(_descriptor, Constants.EpollIn, this);

    private static int NativeFamily(SocketAddress address) => address.Buffer.Span[0] | (address.Buffer.Span[1] << 8);

    private static EndPoint ReadLocalEndPoint(int descriptor, EndPoint like)
    {
        var address = new SocketAddress(like.AddressFamily, AddressSizeMax);
        var length = AddressSizeMax;
        fixed (byte* bytes = address.Buffer.Span)
        {
            Errno.Demand(Libc.GetSocketName(descriptor, bytes, &length));
        }

        address.Size = length;
        return like.Create(address);
    }

    private static SockAddress ReadLocalAddress(int descriptor)
    {
        var buffer = stackalloc byte[AddressSizeMax];
        var length = AddressSizeMax;
        return Libc.GetSocketName(descriptor, buffer, &length) == 0 ? SockAddress.Read(new ReadOnlySpan<byte>(buffer, length)) : default;
    }

    private static void SetOption(int descriptor, int level, int name, int value) =>
        _ = Libc.SetSocketOption(descriptor, level, name, &value, sizeof(int));

    private static int? ReadOption(int descriptor, int name)
    {
        int value, length = sizeof(int);
        return Libc.GetSocketOption(descriptor, Constants.LevelSocket, name, &value, &length) == 0 ? value : null;
    }

    private sealed class ResumeTimer(EpollListener listener) : LoopTimer
    {
        public override void Fire(long nowMilliseconds)
        {
            if (!listener._isClosed)
            {
                listener.Watch();
            }
        }
    }
}
