// One thread that owns connections: asyncio's event loop. Created by LoopGroup; what runs on it is said by each member.
//
// A tick: deadlines, what other threads posted, application calls that are ready, one gathered send per connection, then wait for events
// and dispatch them. Nothing of it takes a lock.
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Loops;

/// <summary>Something with bytes to send at the end of the tick.</summary>
internal interface IFlushable
{
    /// <summary>Sends what is queued, in one system call. Driver code, loop thread.</summary>
    void Flush();
}

internal sealed class Loop : IDisposable
{
    /// <summary>
    /// Rounds of posted work and ready calls before a tick goes on to its sends and its poll, so that a pipelining client, or work that
    /// posts work, cannot keep the other connections waiting.
    /// </summary>
    public const int RoundsPerTickMax = 32;

    /// <summary>How long a stop waits for the tick under way, in milliseconds; so long only if an application blocks it.</summary>
    public const int StopWaitMillisecondsMax = 1000;

    [ThreadStatic]
    private static Loop? s_current;

    private readonly Backend _backend;
    private readonly WorkQueue _posted = new();
    private readonly ReadyList _ready = new();
    private readonly Thread _thread;
    private ExecutionContext _emptyContext = ExecutionContext.Capture()!;
    private IFlushable[] _toFlush = new IFlushable[64];
    private int _toFlushCount;
    private int _isSleeping;
    private volatile bool _isStopping;

    public Loop(Backend backend, string name)
    {
        _backend = backend;
        Timers = new TimerWheel(backend.NowMilliseconds);
        NowMilliseconds = backend.NowMilliseconds;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>The loop whose thread this is, or null. Any thread.</summary>
    public static Loop? Current => s_current;

    /// <summary>Whether the caller is on this loop's thread. Any thread.</summary>
    public bool IsCurrent => s_current == this;

    public Backend Backend => _backend;

    public BlockPool Blocks { get; } = new();

    public TimerWheel Timers { get; }

    /// <summary>The backend's clock as read once a tick.</summary>
    public long NowMilliseconds { get; private set; }

    /// <summary>Applications under way that have left the loop's thread. Loop thread.</summary>
    public int AwayCount { get; set; }

    /// <summary>Starts the thread. Once, any thread.</summary>
    public void Start() => _thread.UnsafeStart();

    /// <summary>Ends the thread after the tick under way and waits for it, within a limit. Any thread but the loop's own.</summary>
    public void Stop()
    {
        _isStopping = true;
        _backend.Wake();
        if (_thread.IsAlive)
        {
            _thread.Join(StopWaitMillisecondsMax);
        }
    }

    /// <summary>
    /// Has an item run on the loop's thread in a later round. Any thread; a sleeping loop is woken once, whatever the number of posts.
    /// </summary>
    public void Post(WorkItem item)
    {
        _posted.Push(item);
        if (Volatile.Read(ref _isSleeping) != 0 && Interlocked.Exchange(ref _isSleeping, 0) != 0)
        {
            _backend.Wake();
        }
    }

    /// <summary>Lists a call into application code. Loop thread.</summary>
    public void Ready(ReadyItem item) => _ready.Add(item);

    /// <summary>Has a connection flushed at the end of the tick; the caller sees to it that it is listed once. Loop thread.</summary>
    public void FlushLater(IFlushable connection)
    {
        if (_toFlushCount == _toFlush.Length)
        {
            Array.Resize(ref _toFlush, _toFlushCount * 2);
        }

        _toFlush[_toFlushCount++] = connection;
    }

    /// <summary>One turn of the loop. The loop's thread; a simulation calls it itself.</summary>
    public void Tick()
    {
        s_current = this;
        NowMilliseconds = _backend.NowMilliseconds;
        Timers.Advance(NowMilliseconds);
        for (var round = 0; round < RoundsPerTickMax; round++)
        {
            // No shortcut: both must run.
            var ran = _posted.RunAll() | CallReady();
            if (!ran)
            {
                break;
            }
        }

        FlushAll();
        _backend.Poll(TimeToSleep());
        Volatile.Write(ref _isSleeping, 0);
    }

    public void Dispose()
    {
        // A thread that the application still blocks ends its tick with the backend whenever it returns.
        if (!_thread.IsAlive)
        {
            _backend.Dispose();
        }
    }

    private void Run()
    {
        // The thread was started without the starter's context, so this is the empty one.
        _emptyContext = ExecutionContext.Capture()!;
        while (!_isStopping)
        {
            Tick();
        }
    }

    // The only place from which application code is called, and the frame that a hand-off of a blocked loop will have to notice.
    private bool CallReady()
    {
        var last = _ready.Last;
        if (last is null)
        {
            return false;
        }

        ReadyItem item;
        do
        {
            item = _ready.Take()!;
            item.Call();
            if (ExecutionContext.Capture() != _emptyContext)
            {
                // An AsyncLocal that one call has set must not be seen by the next.
                ExecutionContext.Restore(_emptyContext);
            }

            item.Returned();
        }
        while (item != last);
        return true;
    }

    private void FlushAll()
    {
        for (var i = 0; i < _toFlushCount; i++)
        {
            var connection = _toFlush[i];
            _toFlush[i] = null!;
            connection.Flush();
        }

        _toFlushCount = 0;
    }

    private int TimeToSleep()
    {
        if (!_ready.IsEmpty || _toFlushCount > 0 || _isStopping)
        {
            return 0;
        }

        // Applications that went on elsewhere may be about to post: on a busy processor they then do so without a system call to wake us.
        if (AwayCount > 0 && Thread.Yield() && !_posted.IsEmpty)
        {
            return 0;
        }

        // Announce the sleep, then look again: a post either is seen here or sees the announcement.
        Interlocked.Exchange(ref _isSleeping, 1);
        return _posted.IsEmpty ? Timers.MillisecondsToNext(_backend.NowMilliseconds) : 0;
    }
}
