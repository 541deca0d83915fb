// Both ends of a connection in memory. The server's end keeps to what the kernel does with TCP and epoll, edge-triggered: bytes
// arrive in segments and each arrival is an edge, every edge reports all that is ready, a close with unread bytes is an RST, and so
// are bytes that reach a closed socket; an RST loses what was on its way. Stepped and dispatched by SimulatedBackend, on the loop's
// thread.

using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops;
using Asgi.Server.Loops.Interop;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Testing.Simulation;

internal sealed class SimulatedTransport : Transport
{
    private readonly NetworkConditions _conditions;
    private readonly Random _random;
    private readonly ByteQueue _arriving = new();
    private readonly ByteQueue _received = new();
    private readonly ByteQueue _sending = new();
    private ITransportHandler? _handler;
    private bool _hasEdge;
    private bool _isSendBlocked;
    private bool _mustUnblock;
    private bool _clientHasFinished;
    private bool _clientHasReset;
    private bool _isFinReceived;
    private bool _isBroken;
    private bool _isSendShut;
    private bool _isClosed;

    public SimulatedTransport(NetworkConditions conditions, Random random, EndPoint remoteEndPoint, EndPoint localEndPoint)
    {
        _conditions = conditions;
        _random = random;
        RemoteEndPoint = remoteEndPoint;
        LocalEndPoint = localEndPoint;
        Client = new SimulatedClient(this);
    }

    public SimulatedClient Client { get; }

    public override EndPoint? RemoteEndPoint { get; }

    public override EndPoint? LocalEndPoint { get; }

    /// <summary>Times somebody has asked for its socket; there is none.</summary>
    public int SocketAskedCount { get; private set; }

    /// <summary>Sends that took something.</summary>
    public int SendCount { get; private set; }

    /// <summary>Ranges they were handed.</summary>
    public int RangeCount { get; private set; }

    public override Socket? Socket
    {
        get
        {
            SocketAskedCount++;
            return null;
        }
    }

    /// <summary>Whether the server's end is let go and nothing is on its way to the client.</summary>
    public bool IsOver => _isClosed && (_isBroken || Client.End != ConnectionEnd.None) && _arriving.Length == 0;

    public int UnreceivedLength => _arriving.Length + _received.Length;

    private int SendRoom => _conditions.SendCapacity - _sending.Length;

    // EPOLLHUP: both directions are shut.
    private bool IsHungUp => _isBroken || (_isSendShut && _isFinReceived);

    public override long UnacknowledgedLength => _sending.Length;

    public void Attach(ITransportHandler handler)
    {
        _handler = handler;
        _hasEdge = true;
    }

    public override TransportResult Receive(Span<byte> buffer)
    {
        DemandOpen();
        if (_isBroken)
        {
            return TransportResult.Broken;
        }

        if (_received.Length > 0 && buffer.Length > 0)
        {
            return TransportResult.Done(_received.Dequeue(buffer));
        }

        return _isFinReceived ? TransportResult.Done(0) : TransportResult.WouldBlock;
    }

    public override bool CanSendFiles => true;

    public override TransportResult Send(ReadOnlySpan<IoVector> vectors, bool isMoreFollowing = false)
    {
        if (!TryGetSendRoom(out var room, out var refusal))
        {
            return refusal;
        }

        SendCount++;
        RangeCount += vectors.Length;
        var sent = 0;
        foreach (var vector in vectors)
        {
            var part = vector.Span[..Math.Min(vector.Span.Length, room - sent)];
            _sending.Enqueue(part);
            sent += part.Length;
        }

        return TransportResult.Done(sent);
    }

    public override TransportResult SendFile(SafeFileHandle file, long offset, int count)
    {
        if (!TryGetSendRoom(out var room, out var refusal))
        {
            return refusal;
        }

        var bytes = new byte[Math.Min(count, room)];
        var read = RandomAccess.Read(file, bytes, offset);
        _sending.Enqueue(bytes.AsSpan(0, read));
        return TransportResult.Done(read);
    }

    public override void ShutdownSend()
    {
        DemandOpen();
        _isSendShut = true;
        _hasEdge |= _isFinReceived;
    }

    public override void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _isSendShut = true;
        if (_received.Length > 0)
        {
            ResetClient();
        }
    }

    public override void Abort()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            ResetClient();
        }
    }

    internal void SendFromClient(ReadOnlySpan<byte> bytes)
    {
        if (!_clientHasFinished && !_clientHasReset && Client.End != ConnectionEnd.Reset)
        {
            _arriving.Enqueue(bytes);
        }
    }

    internal void ShutdownFromClient() => _clientHasFinished = true;

    internal void ResetFromClient() => _clientHasReset = true;

    /// <summary>Moves what is on its way.</summary>
    /// <returns>Whether something moved, or will without anybody's doing.</returns>
    internal bool Step() => !_isBroken && (StepToServer() | StepToClient());

    internal bool TakeEdge()
    {
        var hasEdge = _hasEdge && _handler is not null && !_isClosed;
        _hasEdge &= _handler is null;
        return hasEdge;
    }

    internal void Dispatch()
    {
        // Closed by a handler of the same batch: its event is stale.
        if (_isClosed)
        {
            return;
        }

        if (IsHungUp)
        {
            _handler!.OnBroken();
            return;
        }

        if (SendRoom > 0)
        {
            _handler!.OnWritable();
        }

        if (_isFinReceived && !_isClosed)
        {
            _handler!.OnPeerShutdown();
        }

        if ((_received.Length > 0 || _isFinReceived) && !_isClosed)
        {
            _handler!.OnReadable();
        }
    }

    // What a send may take now; or why it takes nothing.
    private bool TryGetSendRoom(out int room, out TransportResult refusal)
    {
        DemandOpen();
        room = 0;
        refusal = TransportResult.Broken;
        if (_isBroken || _isSendShut)
        {
            return false;
        }

        if (SendRoom == 0 || Happens(_conditions.BlockedSendChance))
        {
            _mustUnblock = SendRoom > 0;
            _isSendBlocked = true;
            refusal = TransportResult.WouldBlock;
            return false;
        }

        room = Happens(_conditions.ShortSendChance) ? _random.Next(1, SendRoom + 1) : SendRoom;
        return true;
    }

    private bool StepToServer()
    {
        if (_clientHasReset)
        {
            _isBroken = _hasEdge = true;
            _arriving.Clear();
            _received.Clear();
            _sending.Clear();
            return true;
        }

        if (_arriving.Length > 0)
        {
            return StepBytesToServer();
        }

        if (_clientHasFinished && !_isFinReceived)
        {
            _isFinReceived = _hasEdge = true;
            return true;
        }

        return false;
    }

    private bool StepBytesToServer()
    {
        if (_isClosed)
        {
            _arriving.Clear();
            ResetClient();
            return true;
        }

        var room = _conditions.ReceiveCapacity - _received.Length;
        if (room == 0)
        {
            return false;
        }

        if (!Happens(_conditions.DelayChance))
        {
            _arriving.MoveTo(_received, Segment(Math.Min(room, _arriving.Length)));
            _hasEdge = true;
        }

        return true;
    }

    private bool StepToClient()
    {
        if (_mustUnblock)
        {
            _mustUnblock = _isSendBlocked = false;
            _hasEdge = true;
            return true;
        }

        if (_sending.Length == 0)
        {
            return StepFinToClient();
        }

        if (Client.Window == 0)
        {
            return false;
        }

        if (!Happens(_conditions.DelayChance))
        {
            Client.Receive(_sending, Segment((int)Math.Min(Client.Window, _sending.Length)));
            var isUnblocked = _isSendBlocked && SendRoom >= _conditions.WritableRoomMin;
            _hasEdge |= isUnblocked || Happens(_conditions.SpuriousEdgeChance);
            _isSendBlocked &= !isUnblocked;
        }

        return true;
    }

    private bool StepFinToClient()
    {
        if (!_isSendShut || Client.End != ConnectionEnd.None)
        {
            return false;
        }

        Client.End = ConnectionEnd.Fin;
        return true;
    }

    // An RST that follows the exchange of both FINs is sent to nobody.
    private void ResetClient()
    {
        _sending.Clear();
        if (Client.End == ConnectionEnd.None || !_isFinReceived)
        {
            Client.End = ConnectionEnd.Reset;
        }
    }

    private int Segment(int max) =>
        _conditions.SegmentLengthMax == int.MaxValue ? max : _random.Next(1, Math.Min(max, _conditions.SegmentLengthMax) + 1);

    private bool Happens(double chance) => chance > 0 && _random.NextDouble() < chance;

    private void DemandOpen() => ObjectDisposedException.ThrowIf(_isClosed, this);
}
