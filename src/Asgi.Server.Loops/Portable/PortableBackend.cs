// Readiness made of completions: the framework's sockets tell on the runtime's threads that an operation is complete, and the loop's thread
// dispatches that here. For systems without a backend of their own. All on the loop's thread but Wake and Enqueue.
namespace Asgi.Server.Loops.Portable;

internal sealed class PortableBackend : Backend
{
    /// <summary>Completions dispatched by one poll; what is beyond waits for the next tick.</summary>
    public const int EventCountMax = 512;

    /// <summary>
    /// How often connections are looked at of which the system tells nothing by itself, in milliseconds: no receive is pending on them.
    /// </summary>
    public const int LookMilliseconds = 250;

    /// <summary>Connections looked at by one poll; with more a round takes several.</summary>
    public const int LooksPerPollMax = 512;

    /// <summary>
    /// Bytes of one copy that waits for room in a full socket, and of the piece that small parts of a send are gathered in.
    /// </summary>
    public const int CopySize = 64 * 1024;

    /// <summary>Copies kept for the next full socket (4 MiB); the rest is left to the garbage collector.</summary>
    public const int RetainedCopyCountMax = 64;

    // Not disposed: a post may come at the very end, and the handle goes with its finalizer.
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Stack<byte[]> _copies = new();
    private readonly List<PortableTransport> _silent = [];
    private byte[]? _scratch;
    private int _lookNext;
    private long _nextLookAt;
    private int _isWaiting;
    private volatile bool _isDisposed;

    // Newest first, pushed by any thread and taken whole.
    private PendingOperation? _completed;

    // Oldest first. It lives here and not on the stack of Poll: a loop that changes hands goes on with the next event.
    private PendingOperation? _batch;

    public override long NowMilliseconds => Environment.TickCount64;

    /// <summary>Room for who is sending at the moment, never held longer.</summary>
    public byte[] Scratch => _scratch ??= new byte[CopySize];

    public override void Poll(int timeoutMilliseconds)
    {
        if (_batch is null)
        {
            WaitForCompletions(UntilNextLook(timeoutMilliseconds));
            _batch = TakeCompleted();
        }

        for (var i = 0; i < EventCountMax && _batch is { } operation; i++)
        {
            _batch = operation.Next;
            operation.Next = null;
            operation.Dispatch();
        }

        if (_silent.Count > 0 && NowMilliseconds >= _nextLookAt)
        {
            LookAtSilent();
        }
    }

    public override void Wake() => _wake.Set();

    public override void StartAccepting(Listener listener, IAcceptHandler handler) => ((PortableListener)listener).Start(this, handler);

    public override void Attach(Transport transport, ITransportHandler handler) => ((PortableTransport)transport).Attach(this, handler);

    /// <summary>Has a completed operation dispatched. A full fence, as the loop reads what the operation has written. Any thread.</summary>
    public void Enqueue(PendingOperation operation)
    {
        PendingOperation? top;
        do
        {
            top = Volatile.Read(ref _completed);
            operation.Next = top;
        }
        while (Interlocked.CompareExchange(ref _completed, operation, top) != top);

        if (_isDisposed)
        {
            AbandonCompleted();
        }
        else if (Volatile.Read(ref _isWaiting) != 0 && Interlocked.Exchange(ref _isWaiting, 0) != 0)
        {
            _wake.Set();
        }
    }

    /// <summary>Looks at a connection now and then, until it says that it need not be. Once; it remembers that it is listed.</summary>
    public void Watch(PortableTransport transport)
    {
        if (_silent.Count == 0)
        {
            _nextLookAt = NowMilliseconds + LookMilliseconds;
        }

        _silent.Add(transport);
    }

    public byte[] RentCopy() => _copies.TryPop(out var copy) ? copy : new byte[CopySize];

    public void ReturnCopy(byte[] copy)
    {
        if (_copies.Count < RetainedCopyCountMax)
        {
            _copies.Push(copy);
        }
    }

    public override void Dispose()
    {
        _isDisposed = true;
        Interlocked.MemoryBarrier();
        AbandonCompleted();
        for (; _batch is { } operation; _batch = operation.Next)
        {
            operation.Abandon();
        }
    }

    private void WaitForCompletions(int timeoutMilliseconds)
    {
        if (timeoutMilliseconds == 0)
        {
            return;
        }

        // Announce the sleep, then look again: who completes either is seen here or sees the announcement.
        Interlocked.Exchange(ref _isWaiting, 1);
        if (Volatile.Read(ref _completed) is null)
        {
            _wake.WaitOne(timeoutMilliseconds);
        }

        Volatile.Write(ref _isWaiting, 0);
    }

    // -1 is without end.
    private int UntilNextLook(int timeoutMilliseconds)
    {
        if (_silent.Count == 0)
        {
            return timeoutMilliseconds;
        }

        var left = (int)Math.Clamp(_nextLookAt - NowMilliseconds, 0, LookMilliseconds);
        return timeoutMilliseconds < 0 ? left : Math.Min(timeoutMilliseconds, left);
    }

    private PendingOperation? TakeCompleted()
    {
        if (Volatile.Read(ref _completed) is null)
        {
            return null;
        }

        PendingOperation? oldest = null;
        var operation = Interlocked.Exchange(ref _completed, null);
        while (operation is not null)
        {
            (operation.Next, oldest, operation) = (oldest, operation, operation.Next);
        }

        return oldest;
    }

    private void AbandonCompleted()
    {
        var operation = Interlocked.Exchange(ref _completed, null);
        while (operation is not null)
        {
            var next = operation.Next;
            operation.Abandon();
            operation = next;
        }
    }

    private void LookAtSilent()
    {
        for (var i = 0; i < LooksPerPollMax; i++)
        {
            if (_lookNext >= _silent.Count)
            {
                _lookNext = 0;
                _nextLookAt = NowMilliseconds + LookMilliseconds;
                return;
            }

            var transport = _silent[_lookNext];
            if (transport.IsSilent)
            {
                _lookNext++;
                transport.LookAgain(NowMilliseconds);
            }
            else
            {
                transport.IsListed = false;
                _silent[_lookNext] = _silent[^1];
                _silent.RemoveAt(_silent.Count - 1);
            }
        }
    }
}
