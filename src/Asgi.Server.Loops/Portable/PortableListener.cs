// A listening socket. Bound on the host's thread, then accepts on its loop's: the runtime completes an accept, the backend dispatches it.
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops.Portable;

[SuppressMessage("Design", "CA1001", Justification = "Closed by its owner on the loop's thread.")]
internal sealed class PortableListener : Listener
{
    /// <summary>Connections accepted in one go before the loop turns to those it has; the rest are accepted in the next tick.</summary>
    public const int AcceptsPerTickMax = 64;

    /// <summary>How long accepting rests when the process is out of descriptors or memory, in milliseconds.</summary>
    public const int ExhaustedPauseMilliseconds = 100;

    private readonly Socket _socket;
    private readonly bool _isWildcard;
    private readonly AcceptOperation _accept;
    private PortableBackend? _backend;
    private IAcceptHandler? _handler;
    private bool _isTurnQueued;
    private bool _isClosed;

    private PortableListener(Socket socket, EndPoint localEndPoint)
    {
        _socket = socket;
        LocalEndPoint = localEndPoint;
        _isWildcard = localEndPoint is IPEndPoint { Address: var address }
            && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
        _accept = new AcceptOperation(this);
    }

    public override EndPoint LocalEndPoint { get; }

    /// <summary>Binds and listens.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static PortableListener Bind(EndPoint endPoint, int backlog, UnixFileMode? unixSocketMode = null)
    {
        var isIp = endPoint is IPEndPoint;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, isIp ? ProtocolType.Tcp : ProtocolType.Unspecified);
        string? path = null;
        try
        {
            if (endPoint is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6, Address: var address })
            {
                socket.DualMode = address.Equals(IPAddress.IPv6Any);
            }

            if (isIp && OperatingSystem.IsWindows())
            {
                // Without it another program may bind the port as well and take connections.
                socket.ExclusiveAddressUse = true;
            }

            socket.Bind(endPoint);
            path = UnixSocketFile.PathOf(endPoint);
            if (path is not null && unixSocketMode is { } mode)
            {
                // Bound and not listening yet, it refuses everybody: nobody connects under the mode the umask left.
                UnixSocketFile.SetMode(path, mode);
            }

            socket.Listen(backlog);
            return new PortableListener(socket, isIp ? socket.LocalEndPoint! : endPoint);
        }
        catch (SocketException)
        {
            if (path is not null)
            {
                File.Delete(path);
            }

            socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes over a socket that listens already.</summary>
    /// <exception cref="InvalidOperationException">It is no stream socket that listens.</exception>
    public static PortableListener Adopt(ulong handle)
    {
        var owned = new SafeSocketHandle((nint)handle, ownsHandle: true);
        try
        {
            var socket = new Socket(owned);
            if (socket.SocketType == SocketType.Stream && IsListening(socket))
            {
                if (OperatingSystem.IsLinux())
                {
                    InheritedDescriptor.Prepare((int)handle);
                }

                return new PortableListener(socket, socket.LocalEndPoint!);
            }
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            // No socket at all.
        }

        // Whatever it is, it is somebody else's.
        owned.SetHandleAsInvalid();
        throw new InvalidOperationException($"The file handle {handle} is not a stream socket that listens.");
    }

    private static bool IsListening(Socket socket)
    {
        try
        {
            return socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is 1;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ProtocolOption)
        {
            // macOS knows the option and does not answer. Whoever listens may say so again; a connected socket may not.
            socket.Listen(int.MaxValue);
            return true;
        }
    }

    public void Start(PortableBackend backend, IAcceptHandler handler)
    {
        if (!_isClosed)
        {
            (_backend, _handler, _accept.Backend) = (backend, handler, backend);
            Accept();
        }
    }

    public override void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _socket.Dispose();
            _accept.Dispose();
        }
    }

    // What was accepted at once is taken here; the runtime completes the last accept later.
    private void Accept()
    {
        for (var i = 0; i < AcceptsPerTickMax; i++)
        {
            if (_socket.AcceptAsync(_accept))
            {
                return;
            }

            if (!TakeAccepted())
            {
                return;
            }
        }

        _isTurnQueued = true;
        _backend!.Enqueue(_accept);
    }

    private void OnCompleted()
    {
        if (_isTurnQueued ? !_isClosed : TakeAccepted())
        {
            _isTurnQueued = false;
            Accept();
        }
    }

    // False: no more now. Errors other than exhaustion concern the connection that was being accepted, not the listener.
    private bool TakeAccepted()
    {
        var (socket, error) = (_accept.AcceptSocket, _accept.SocketError);
        _accept.AcceptSocket = null;
        if (error != SocketError.Success || _isClosed)
        {
            socket?.Dispose();
            return !_isClosed && !IsExhausted(error);
        }

        if (TryPrepare(socket!) is { } transport)
        {
            _handler!.OnAccepted(transport);
        }

        return !_isClosed;
    }

    private bool IsExhausted(SocketError error)
    {
        // Memory that the kernel lacks has no name of its own.
        if (error is not (SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.SocketError))
        {
            return false;
        }

        var loop = Loop.Current!;
        loop.Timers.Set(new ResumeTimer(this), loop.NowMilliseconds + ExhaustedPauseMilliseconds);
        return true;
    }

    private PortableTransport? TryPrepare(Socket socket)
    {
        try
        {
            socket.Blocking = false;
            if (LocalEndPoint is not IPEndPoint)
            {
                return new PortableTransport(socket, remote: null, LocalEndPoint);
            }

            // Responses leave in whole writes, so Nagle's algorithm would only delay them.
            socket.NoDelay = true;
            return new PortableTransport(socket, socket.RemoteEndPoint, _isWildcard ? socket.LocalEndPoint! : LocalEndPoint);
        }
        catch (SocketException)
        {
            // Reset by its peer already.
            socket.Dispose();
            return null;
        }
    }

    private sealed class AcceptOperation(PortableListener listener) : PendingOperation
    {
        public override void Dispatch() => listener.OnCompleted();

        public override void Abandon() => AcceptSocket?.Dispose();
    }

    private sealed class ResumeTimer(PortableListener listener) : LoopTimer
    {
        public override void Fire(long nowMilliseconds)
        {
            if (!listener._isClosed)
            {
                listener.Accept();
            }
        }
    }
}
