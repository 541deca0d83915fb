// A connected socket on a loop. All on the loop's thread, but the addresses, which are fixed when it is made, and the socket it lends.
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Interop;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Loops.Epoll;

[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollTransport : Transport, IEpollSource
{
    private const uint Watched =
        Constants.EpollIn | Constants.EpollOut | Constants.EpollReadHangUp | Constants.EpollEdgeTriggered;

    // Of the stack, for files that only read(2) gets bytes of.
    private const int CopySize = 16 * 1024;

    private readonly int _descriptor;
    private readonly SockAddress _remote;
    private readonly SockAddress _local;
    private readonly EndPoint _listenerEndPoint;
    private EpollBackend? _backend;
    private ITransportHandler? _handler;
    private int _slot = -1;
    private LentSocket _lent;
    private bool _isClosed;

    public EpollTransport(int descriptor, SockAddress remote, SockAddress local, EndPoint listenerEndPoint)
    {
        _descriptor = descriptor;
        _remote = remote;
        _local = local;
        _listenerEndPoint = listenerEndPoint;
    }

    public override EndPoint? RemoteEndPoint => _remote.ToEndPoint();

    public override EndPoint? LocalEndPoint => _local.ToEndPoint() ?? _listenerEndPoint;

    public override long UnacknowledgedLength
    {
        get
        {
            int length;
            return Libc.Control(_descriptor, Constants.SocketOutputQueue, &length) == 0 ? length : 0;
        }
    }

    public override Socket? Socket => _lent.Get(_descriptor);

    public void Attach(EpollBackend backend, ITransportHandler handler)
    {
        _backend = backend;
        _handler = handler;
        _slot = backend.Add(_descriptor, Watched, this);
    }

    public void OnEvents(uint events)
    {
        var handler = _handler!;
        if ((events & (Constants.EpollError | Constants.EpollHangUp)) != 0)
        {
            handler.OnBroken();
            return;
        }

        if ((events & Constants.EpollOut) != 0)
        {
            handler.OnWritable();
        }

        if ((events & Constants.EpollReadHangUp) != 0 && !_isClosed)
        {
            handler.OnPeerShutdown();
        }

        if ((events & Constants.EpollIn) != 0 && !_isClosed)
        {
            handler.OnReadable();
        }
    }

    public override TransportResult Receive(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            TransportResult result;
            while (!TryComplete(Libc.Receive(_descriptor, start, buffer.Length, 0), out result))
            {
            }

            return result;
        }
    }

    public override bool CanSendFiles => true;

    public override TransportResult Send(ReadOnlySpan<IoVector> vectors, bool isMoreFollowing = false)
    {
        var flags = isMoreFollowing ? Constants.MessageNoSignal | Constants.MessageMore : Constants.MessageNoSignal;
        TransportResult result;
        while (!TryComplete(SendOnce(vectors, flags), out result))
        {
        }

        return result;
    }

    public override TransportResult SendFile(SafeFileHandle file, long offset, int count)
    {
        var descriptor = (int)file.DangerousGetHandle();
        while (true)
        {
            var sent = Libc.SendFile(_descriptor, descriptor, &offset, count);
            if (sent < 0 && Marshal.GetLastPInvokeError() is Errno.InvalidArgument or Errno.NotImplemented)
            {
                return CopyFile(descriptor, offset, count);
            }

            if (TryComplete(sent, out var result))
            {
                return result;
            }
        }
    }

    public override void ShutdownSend() => _ = Libc.Shutdown(_descriptor, Constants.ShutdownWrite);

    public override void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        if (_slot >= 0)
        {
            _backend!.Remove(_slot);
        }

        if (_lent.End())
        {
            _ = Libc.Close(_descriptor);
        }
    }

    public override void Abort()
    {
        if (!_isClosed)
        {
            var linger = new Libc.Linger { OnOff = 1, Seconds = 0 };
            _ = Libc.SetSocketOption(_descriptor, Constants.LevelSocket, Constants.Linger, &linger, sizeof(Libc.Linger));
            Close();
        }
    }

    // Some file systems cannot splice (proc, some of FUSE): what the socket does not take of a piece is read again with the next.
    private TransportResult CopyFile(int file, long offset, int count)
    {
        var piece = stackalloc byte[CopySize];
        TransportResult result;
        while (!TryComplete(Libc.ReadAt(file, piece, Math.Min(count, CopySize), offset), out result))
        {
        }

        return result is { Status: TransportStatus.Done, Length: > 0 } ? Send([new IoVector(piece, result.Length)]) : result;
    }

    private nint SendOnce(ReadOnlySpan<IoVector> vectors, int flags)
    {
        if (vectors.Length == 1)
        {
            return Libc.Send(_descriptor, vectors[0].Start, vectors[0].Length, flags);
        }

        fixed (IoVector* first = vectors)
        {
            var message = new Libc.MessageHeader { Vectors = first, VectorCount = (nuint)vectors.Length };
            return Libc.SendMessage(_descriptor, &message, flags);
        }
    }

    // False: a signal interrupted the call before it moved anything, and it is to be made again.
    private static bool TryComplete(nint moved, out TransportResult result)
    {
        if (moved >= 0)
        {
            result = TransportResult.Done((int)moved);
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        result = errno == Errno.TryAgain ? TransportResult.WouldBlock : TransportResult.Broken;
        return errno != Errno.Interrupted;
    }
}
