// A connected socket on a loop. All on the loop's thread, but the addresses, which are fixed when it is made.
using System.Net;
using System.Runtime.InteropServices;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops.Epoll;

internal sealed unsafe class EpollTransport : Transport, IEpollSource
{
    private const uint Watched =
        Constants.EpollIn | Constants.EpollOut | Constants.EpollReadHangUp | Constants.EpollEdgeTriggered;

    private readonly int _descriptor;
    private readonly SockAddress _remote;
    private readonly SockAddress _local;
    private readonly EndPoint _listenerEndPoint;
    private EpollBackend? _backend;
    private ITransportHandler? _handler;
    private int _slot = -1;
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

    public override TransportResult Send(ReadOnlySpan<IoVector> vectors)
    {
        TransportResult result;
        while (!TryComplete(SendOnce(vectors), out result))
        {
        }

        return result;
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

        _ = Libc.Close(_descriptor);
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

    private nint SendOnce(ReadOnlySpan<IoVector> vectors)
    {
        if (vectors.Length == 1)
        {
            return Libc.Send(_descriptor, vectors[0].Start, vectors[0].Length, Constants.MessageNoSignal);
        }

        fixed (IoVector* first = vectors)
        {
            var message = new Libc.MessageHeader { Vectors = first, VectorCount = (nuint)vectors.Length };
            return Libc.SendMessage(_descriptor, &message, Constants.MessageNoSignal);
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
