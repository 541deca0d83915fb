// A connected socket on a loop. All on the loop's thread, but the addresses, which are fixed when it is made. What is sent is in
// PortableTransport.Send.cs.
//
// The socket does not block, so receives and sends answer at once. That there is something to receive is told by a receive of zero bytes,
// which is pending whenever the last real one found nothing more: an idle connection holds no buffer.
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Asgi.Server.Loops.Portable;

[SuppressMessage("Design", "CA1001", Justification = "Closed or aborted by its owner on the loop's thread.")]
internal sealed partial class PortableTransport : Transport
{
    /// <summary>
    /// How long the last bytes of a closed connection may wait for its peer, in milliseconds. The kernel would bound them by itself.
    /// </summary>
    public const int DeliveryMillisecondsMax = 60_000;

    private enum State
    {
        Open,

        /// <summary>An error was seen; the socket says it once, so it is remembered here.</summary>
        Broken,

        /// <summary>Its owner has let it go, and what it has accepted is still being sent.</summary>
        Delivering,

        Closed,
    }

    private static readonly LingerOption ResetAtClose = new(enable: true, seconds: 0);

    private readonly Socket _socket;
    private readonly ReadinessOperation _readiness;
    private PortableBackend? _backend;
    private ITransportHandler? _handler;
    private State _state;
    private long _deliverUntil;

    // The zero-byte receive is with the system, or queued.
    private bool _isArmed;
    private bool _hasEnded;
    private bool _hasPeerShutdown;
    private bool _isBrokenTold;

    /// <param name="socket">A connected socket that does not block.</param>
    /// <param name="remote">The peer's address, or null.</param>
    /// <param name="local">The socket's own.</param>
    public PortableTransport(Socket socket, EndPoint? remote, EndPoint local)
    {
        _socket = socket;
        RemoteEndPoint = remote;
        LocalEndPoint = local;
        _readiness = new ReadinessOperation(this);
    }

    public override EndPoint? RemoteEndPoint { get; }

    public override EndPoint? LocalEndPoint { get; }

    public override Socket? Socket => _socket;

    /// <summary>Whether the backend has it in its list.</summary>
    public bool IsListed { get; set; }

    /// <summary>Whether the system tells nothing of it by itself.</summary>
    public bool IsSilent => _state == State.Delivering || (_state == State.Open && !_isArmed && !_isBrokenTold);

    private bool HasUnread
    {
        get
        {
            try
            {
                return _socket.Available > 0;
            }
            catch (Exception exception) when (IsOver(exception))
            {
                return false;
            }
        }
    }

    public void Attach(PortableBackend backend, ITransportHandler handler)
    {
        (_backend, _handler, _readiness.Backend) = (backend, handler, backend);
        Arm();
    }

    public override TransportResult Receive(Span<byte> buffer)
    {
        if (_state != State.Open)
        {
            return TransportResult.Broken;
        }

        var (length, error) = ReceiveOnce(buffer, SocketFlags.None);
        switch (error)
        {
            case SocketError.Success:
                _hasEnded = length == 0;
                if (length < buffer.Length)
                {
                    // As with epoll a short receive has emptied the socket, and its owner waits to hear of the next bytes.
                    Arm();
                }

                return TransportResult.Done(length);
            case SocketError.WouldBlock:
                Arm();
                return TransportResult.WouldBlock;
            default:
                _state = State.Broken;
                return TransportResult.Broken;
        }
    }

    /// <summary>Nothing is pending that would tell what became of the connection: asks. Called by the backend now and then.</summary>
    public void LookAgain(long nowMilliseconds)
    {
        if (_state == State.Open)
        {
            Look(mayBeReadable: false);
        }
        else if (nowMilliseconds >= _deliverUntil)
        {
            Abort();
        }
    }

    public override void Close()
    {
        if (_state == State.Open && IsSending)
        {
            _state = State.Delivering;
            _deliverUntil = _backend!.NowMilliseconds + DeliveryMillisecondsMax;
            BeWatched();
        }
        else if (_state is State.Open or State.Broken)
        {
            Release();
        }
    }

    public override void Abort()
    {
        if (_state != State.Closed)
        {
            TryReset();
            _state = State.Broken;
            Release();
        }
    }

    private void TryReset()
    {
        try
        {
            _socket.LingerState = ResetAtClose;
        }
        catch (Exception exception) when (IsOver(exception))
        {
            // Some systems refuse options of a socket that is not connected any more.
        }
    }

    private void Release()
    {
        // The runtime takes an operation that it has to cancel for a reason to send RST, unless FIN was asked for. Without one the kernel
        // sends what is right: FIN, or RST if bytes are unread.
        if (_state != State.Broken && _isArmed && !HasUnread)
        {
            SendFinOnce();
        }

        _state = State.Closed;
        _socket.Dispose();
        _readiness.Dispose();
        _sending?.Dispose();
    }

    private void Arm()
    {
        // After a FIN there is nothing more to be told of by a receive.
        if (_isArmed || _hasPeerShutdown || _backend is null || _state != State.Open)
        {
            return;
        }

        _isArmed = true;
        try
        {
            if (_socket.ReceiveAsync(_readiness))
            {
                return;
            }
        }
        catch (ObjectDisposedException)
        {
            _state = State.Broken;
        }

        _backend.Enqueue(_readiness);
    }

    // A send has failed: told by the next poll, if the connection is still there.
    private void BreakLater()
    {
        _state = State.Broken;
        if (!_isArmed && _backend is not null)
        {
            _isArmed = true;
            _backend.Enqueue(_readiness);
        }
    }

    // The socket is the connection's own, and an application that has asked for it may have closed it.
    private static bool IsOver(Exception exception) => exception is SocketException or ObjectDisposedException;

    private (int Length, SocketError Error) ReceiveOnce(Span<byte> buffer, SocketFlags flags)
    {
        try
        {
            var length = _socket.Receive(buffer, flags, out var error);
            return (length, error);
        }
        catch (ObjectDisposedException)
        {
            return (0, SocketError.OperationAborted);
        }
    }

    private void OnReceivePossible(SocketError error)
    {
        _isArmed = false;
        if (_state is not (State.Open or State.Broken))
        {
            return;
        }

        if (error != SocketError.Success || _state == State.Broken)
        {
            Break();
            return;
        }

        Look(mayBeReadable: true);
        BeWatched();
    }

    // A connection on which nothing is pending once its owner was told: it pauses, or its peer has ended.
    private void BeWatched()
    {
        if (!IsListed && IsSilent)
        {
            IsListed = true;
            _backend!.Watch(this);
        }
    }

    private void Look(bool mayBeReadable)
    {
        var phase = TcpKnowledge.PhaseOf(_socket);
        switch (phase == ConnectionPhase.Unknown ? Probe() : phase)
        {
            case ConnectionPhase.Over when !_hasSentFin:
                Break();
                return;
            case ConnectionPhase.Over:
                // As epoll does: that both have sent FIN is told as broken, and the last bytes are still there.
                TellBroken();
                return;
            case ConnectionPhase.PeerShutdown when !_hasPeerShutdown:
                _hasPeerShutdown = true;
                mayBeReadable = true;
                _handler!.OnPeerShutdown();
                break;
        }

        if (mayBeReadable && _state == State.Open && !_hasEnded)
        {
            _handler!.OnReadable();
        }
    }

    // What every socket answers. It cannot see FIN behind unread bytes.
    private ConnectionPhase Probe()
    {
        Span<byte> one = stackalloc byte[1];
        var (length, error) = ReceiveOnce(one, SocketFlags.Peek);
        if (error == SocketError.WouldBlock || (error == SocketError.Success && length > 0))
        {
            return ConnectionPhase.Open;
        }

        if (error != SocketError.Success)
        {
            _state = State.Broken;
            return ConnectionPhase.Over;
        }

        if (IsSending)
        {
            // A send under way fails by itself if the peer has gone; and FIN, where it was asked for, is still to come.
            return ConnectionPhase.PeerShutdown;
        }

        if (_hasSentFin)
        {
            return ConnectionPhase.Over;
        }

        // To send nothing fails if the peer does not receive any more either.
        _socket.Send(ReadOnlySpan<byte>.Empty, SocketFlags.None, out error);
        return error is SocketError.Success or SocketError.WouldBlock ? ConnectionPhase.PeerShutdown : ConnectionPhase.Over;
    }

    private void Break()
    {
        _state = State.Broken;
        TellBroken();
    }

    private void TellBroken()
    {
        if (!_isBrokenTold)
        {
            _isBrokenTold = true;
            _handler!.OnBroken();
        }
    }

    private sealed class ReadinessOperation : PendingOperation
    {
        private readonly PortableTransport _transport;

        public ReadinessOperation(PortableTransport transport)
        {
            _transport = transport;
            SetBuffer([], 0, 0);
        }

        public override void Dispatch() => _transport.OnReceivePossible(SocketError);

        public override void Abandon()
        {
        }
    }
}
