// One connection: its transport, what it has received and has to send, and the protocol driver that makes sense of it. Everything on the
// thread of its loop, but the two values marked. Receiving is in Connection.Receive.cs, sending of files in Connection.Files.cs, from
// the application's memory in Connection.Direct.cs, its end in Connection.Closing.cs, what bounds a connection in Connection.Limits.cs,
// what applications may know in Connection.Info.cs, stages before its protocol in Connection.Stages.cs.
using System.Runtime.CompilerServices;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Connections;

/// <summary>How far a connection is on its way to its end; it only ever moves forward.</summary>
internal enum ConnectionState
{
    Open,

    /// <summary>The driver has said its last; what is queued is still sent.</summary>
    Closing,

    /// <summary>
    /// FIN is sent; what the client still sends is thrown away, so that no RST overtakes the last response (RFC 9112, section 9.6).
    /// </summary>
    Lingering,

    Closed,
}

internal sealed partial class Connection : ITransportHandler, IFlushable
{
    private readonly ConnectionRegistry _registry;
    private readonly Deadline _deadline;
    private readonly long _number;
    private SendRate? _sendRate;
    private ConnectionDriver _driver = null!;
    private bool _isFlushListed;
    private volatile ConnectionState _state;
    private volatile bool _isCloseRequested;

    /// <summary>
    /// Has its place among the limited number of connections already, if that is limited. <paramref name="below"/> is what it runs on
    /// instead of a socket, and <paramref name="number"/> what its id is made of.
    /// </summary>
    public Connection(
        Loop loop, Transport transport, ConnectionRegistry registry, ConnectionLimits limits, long number, ConnectionBelow? below = null)
    {
        _below = below;
        Loop = loop;
        Transport = transport;
        _registry = registry;
        Limits = limits;
        _isCounted = limits.Connections is null ? 0 : 1;
        Input = new ReceiveBuffer(loop.Blocks);
        Output = new SendBuffer(loop.Blocks);
        _deadline = new Deadline(this);
        _number = number;
        Record = below?.Connection.Record ?? new ConnectionRecord(registry.Diagnostics, this);
    }

    /// <summary>Any thread.</summary>
    public Loop Loop { get; }

    public Transport Transport { get; private set; }

    /// <summary>Made when somebody asks, which may be nobody. Any thread.</summary>
    public string Id
    {
        get => field ??= ConnectionIds.Format(_number);
        init;
    }

    public ConnectionLimits Limits { get; }

    /// <summary>Who has accepted it: the connections of an endpoint have one acceptor.</summary>
    public IConnectionAcceptor? Acceptor { get; init; }

    /// <summary>The least rate at which the client must take what is sent, or null.</summary>
    public DataRate? SendRateMin { get; set; }

    public ServerLog Log => _registry.Log;

    public ServerDiagnostics Diagnostics => _registry.Diagnostics;

    /// <summary>What is noted of the connection for who watches.</summary>
    public ConnectionRecord Record { get; }

    // Of two that share a record, the one that has the socket.
    private bool IsLogged => Record.IsLogged && _below is null;

    public ApplicationDispatch Dispatch => _registry.Dispatch;

    public ConnectionRegistry Registry => _registry;

    public bool IsServerStopping => _registry.IsStopping;

    public ReceiveBuffer Input { get; }

    public SendBuffer Output { get; }

    /// <summary>Whether something waits to be sent, here or in the transport.</summary>
    public bool IsUnsent => !Output.IsEmpty || Transport.UnsentLength > 0;

    /// <summary>Bytes in memory that wait to be sent, here or in the transport.</summary>
    public long UnsentLength => Output.Length + Transport.UnsentLength;

    /// <summary>Whether the client has sent FIN; bytes it sent before may still wait.</summary>
    public bool HasPeerShutdown { get; private set; }

    /// <summary>Whether FIN is sent: what is still written goes nowhere.</summary>
    public bool HasEndedSending => State >= ConnectionState.Lingering;

    public ConnectionState State
    {
        get => _state;
        private set => _state = value;
    }

    /// <summary>The registry's list of the connections of a loop.</summary>
    internal Connection? NextOfLoop { get; set; }

    internal Connection? PreviousOfLoop { get; set; }

    public void Start(ConnectionDriver driver)
    {
        _driver = driver;
        Guard(static connection =>
        {
            connection.AttachTransport();
            connection.StartAging();
            connection._driver.OnStarted();
        });
    }

    public void OnWritable()
    {
        if (!Output.IsEmpty || Transport.UnsentLength > 0)
        {
            FlushLater();
        }
    }

    public void OnPeerShutdown()
    {
        HasPeerShutdown = true;
        _isReadable = true;
        if (IsLogged)
        {
            Log.FinReceived(Id);
        }

        if (State == ConnectionState.Open)
        {
            Guard(static connection => connection._driver.OnPeerShutdown());
        }
    }

    public void OnBroken()
    {
        if (State == ConnectionState.Lingering)
        {
            // Both sides have sent FIN, which epoll reports as a hang-up too: the last bytes out may still be on their way.
            OnReadable();
            return;
        }

        CloseReset();
    }

    /// <summary>Has what is queued sent at the end of the tick.</summary>
    public void FlushLater()
    {
        if (!_isFlushListed && State != ConnectionState.Closed)
        {
            _isFlushListed = true;
            Loop.FlushLater(this);
        }
    }

    public void Flush()
    {
        _isFlushListed = false;
        _directLength = 0;
        if (State is ConnectionState.Open or ConnectionState.Closing)
        {
            Guard(static connection =>
            {
                connection._driver.OnFlushing();
                connection.SendQueued();
            });
        }
    }

    /// <summary>Sends what the system takes of what is queued; the driver hears of it.</summary>
    public void FlushNow() => Guard(static connection => connection.SendQueued());

    /// <summary>Queues a few bytes of the server's own.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        var block = Loop.Blocks.Rent();
        bytes.CopyTo(block.Array);
        Output.Append(new OutputRange(block, 0, bytes.Length, Give: true));
        FlushLater();
    }

    /// <summary>Has the driver called when so much time has passed, unless the connection is closed before.</summary>
    public void SetDeadline(long milliseconds)
    {
        if (State != ConnectionState.Closed)
        {
            Loop.Timers.Set(_deadline, Loop.NowMilliseconds + milliseconds);
        }
    }

    public void ClearDeadline() => TimerWheel.Cancel(_deadline);

    // The vectors are written before they are read: a kibibyte need not be cleared for each send.
    [SkipLocalsInit]
    private unsafe void SendQueued()
    {
        var vectors = stackalloc IoVector[SendBuffer.GatherCountMax];
        var fileBytesLeft = FileBytesPerTurnMax;
        if (Output.IsEmpty && Transport.UnsentLength > 0 && Transport.Send([]).Status == TransportStatus.Broken)
        {
            CloseReset();
            return;
        }

        while (!Output.IsEmpty)
        {
            if (Output.FirstFile is not null)
            {
                if (!SendFile(ref fileBytesLeft))
                {
                    break;
                }

                continue;
            }

            var count = Output.Gather(new Span<IoVector>(vectors, SendBuffer.GatherCountMax), out var isBeforeFile);
            var result = Transport.Send(new ReadOnlySpan<IoVector>(vectors, count), isBeforeFile);
            if (result.Status == TransportStatus.Broken)
            {
                CloseReset();
                return;
            }

            if (result.Status == TransportStatus.WouldBlock)
            {
                break;
            }

            Output.Consume(result.Length);
            _sendRate?.Count(result.Length);
        }

        if (State == ConnectionState.Closed)
        {
            return;
        }

        MeasureSending();
        if (State == ConnectionState.Open)
        {
            _driver.OnSent();
        }
        else if (Output.IsEmpty)
        {
            FinishSending();
        }
    }

    // Only what the socket does not take at once has a rate.
    private void MeasureSending()
    {
        if (SendRateMin is not null && IsUnsent)
        {
            _sendRate ??= new SendRate(this);
        }

        _sendRate?.Measure();
    }

    /// <summary>Nothing is received, queued or under way, and nothing may come for long: lets go of what sending has left.</summary>
    public void Rest()
    {
        _sendRate?.Stop();
        _sendRate = null;
        Output.Trim();
    }

    private void OnDeadline(long nowMilliseconds)
    {
        if (State == ConnectionState.Lingering)
        {
            Close(isBroken: false);
        }
        else if (State == ConnectionState.Open)
        {
            _driver.OnDeadline(nowMilliseconds);
        }
    }

    /// <summary>A call into the application has failed where it cannot: a bug, or a continuation that throws. Any thread.</summary>
    public void FailLater(Exception exception)
    {
        Log.ConnectionFailed(Id, exception);
        Record.Fail(exception);
        AbortLater();
    }

    private void Guard(Action<Connection> step) => Guard(this, step);

    /// <summary>Takes a step of a driver: a bug in it ends its connection and says so; the loop and its other connections go on.</summary>
    public void Guard<T>(T target, Action<T> step)
    {
        try
        {
            step(target);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Fail(exception);
        }
    }

    /// <summary>A step of a driver has failed: a bug. Loop thread.</summary>
    public void Fail(Exception exception)
    {
        Log.ConnectionFailed(Id, exception);
        Record.Fail(exception);
        Close(isBroken: true);
    }

    private sealed class Deadline(Connection connection) : LoopTimer
    {
        private long _now;

        public override void Fire(long nowMilliseconds)
        {
            _now = nowMilliseconds;
            connection.Guard(static connection => connection.OnDeadline(connection._deadline._now));
        }
    }
}
