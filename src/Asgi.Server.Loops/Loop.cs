// One loop that owns connections: asyncio's event loop. Created by LoopGroup; what runs on it is said by each member. One thread has it at
// a time, and only application code can make it change hands.
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

/// <summary>Is told when a loop is busy. Thread of the loop, once a tick.</summary>
internal interface ILoopObserver
{
    /// <summary>The loop has looked for events, and has work.</summary>
    /// <returns>The time, which is given back at the end; 0: nobody wants to know.</returns>
    long BusyBegan();

    /// <summary>Its work is done: it looks for events again.</summary>
    void BusyEnded(Loop loop, long began);
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
    private static LoopHold? s_hold;

    private readonly Backend _backend;
    private readonly ISpares? _spares;
    private readonly WorkQueue _posted = new();
    private readonly ReadyList _ready = new();
    private readonly ManualResetEventSlim _ended = new(initialState: true);
    private IFlushable[] _toFlush = new IFlushable[64];
    private int _toFlushCount;
    private int _awayCount;
    private int _isSleeping;
    private long _busySince;
    private ILoopSuccessor? _successor;
    private volatile LoopHold? _hold;
    private volatile bool _isStopping;

    /// <param name="backend">The system underneath.</param>
    /// <param name="name">The name of the thread that has the loop.</param>
    /// <param name="spares">Threads that go on with the loop when application code blocks its own; null: then it waits.</param>
    public Loop(Backend backend, string name, ISpares? spares = null)
    {
        _backend = backend;
        _spares = spares;
        Name = name;
        Timers = new TimerWheel(backend.NowMilliseconds);
        NowMilliseconds = backend.NowMilliseconds;
    }

    /// <summary>The loop whose thread this is, or null. Any thread.</summary>
    public static Loop? Current => s_hold is { IsLost: false } hold ? hold.Loop : null;

    /// <summary>Whether the caller is on this loop's thread. Any thread; application code must <see cref="Enter"/>.</summary>
    public bool IsCurrent => Current == this;

    public string Name { get; }

    public Backend Backend => _backend;

    public BlockPool Blocks { get; } = new();

    public TimerWheel Timers { get; }

    /// <summary>The backend's clock as read once a tick.</summary>
    public long NowMilliseconds { get; private set; }

    /// <summary>The hold of the thread that has the loop. Any thread; it may be lost at any time.</summary>
    public LoopHold? Hold => _hold;

    /// <summary>Is told how long ticks take; null: nobody is. Set before the loop starts.</summary>
    public ILoopObserver? Observer { get; set; }

    /// <summary>Wakes the watchdog before application code is called; null: nobody watches.</summary>
    public Watchdog? Watchdog { get; set; }

    /// <summary>
    /// For code that an application has called: takes the loop back, if this thread still has it. Whoever is not inside must post.
    /// Any thread; dispose on the same one.
    /// </summary>
    public LoopEntry Enter()
    {
        var hold = s_hold;
        return hold is not null && hold.Loop == this ? hold.Enter() : default;
    }

    /// <summary>Gives the loop to another thread, because the caller, application code on the loop's thread, is about to block.</summary>
    /// <returns>False when the thread does not have this loop, or there is nobody to give it to.</returns>
    public bool Surrender()
    {
        var hold = s_hold;
        if (hold is null || hold.Loop != this || _successor is null || !hold.TryTake(HandOffReason.Surrendered))
        {
            return false;
        }

        PassOn();
        return true;
    }

    /// <summary>Takes the loop from a thread that application code blocks, and gives it to another. The watchdog.</summary>
    public bool TryHandOff(LoopHold hold, HandOffReason reason)
    {
        // While the hold is in application code nobody changes the successor.
        if (_successor is null || !hold.TryTake(reason))
        {
            return false;
        }

        PassOn();
        return true;
    }

    /// <summary>Application code under way on another thread, which may be about to post. Any thread.</summary>
    public void AwayBegan() => Interlocked.Increment(ref _awayCount);

    /// <summary>It has ended. Any thread.</summary>
    public void AwayEnded() => Interlocked.Decrement(ref _awayCount);

    /// <summary>Starts to run on a thread of its own. Once, any thread.</summary>
    public void Start()
    {
        _ended.Reset();
        if (_spares?.TryReserve() is { } first)
        {
            first.TakeOver(this);
        }
        else
        {
            new Thread(Run) { Name = Name, IsBackground = true }.UnsafeStart();
        }
    }

    /// <summary>Ends the loop after the tick under way and waits for it, within a limit. Any thread but the loop's own.</summary>
    public void Stop()
    {
        _isStopping = true;
        _backend.Wake();
        _ended.Wait(StopWaitMillisecondsMax);
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

    /// <summary>Runs the loop until it is stopped, or until this thread loses it. A thread that has no loop.</summary>
    public void Run()
    {
        var hold = TakeHold();
        while (!_isStopping)
        {
            if (!Tick(hold))
            {
                s_hold = null;
                return;
            }
        }

        s_hold = null;
        _successor?.Release();
        _successor = null;
        _ended.Set();
    }

    /// <summary>One turn of the loop on the caller's thread, which becomes the loop's: for simulations.</summary>
    /// <returns>False when the thread has lost the loop.</returns>
    public bool Tick() => Tick(s_hold is { IsLost: false } hold && hold.Loop == this ? hold : TakeHold());

    public void Dispose()
    {
        // A thread that the application still blocks ends its tick with the backend whenever it returns.
        if (_ended.IsSet)
        {
            _backend.Dispose();
            _ended.Dispose();
        }
    }

    private bool Tick(LoopHold hold)
    {
        NowMilliseconds = _backend.NowMilliseconds;
        if (Observer is { } observer && _busySince == 0)
        {
            // A tick that changes hands has begun on the thread that lost it.
            _busySince = observer.BusyBegan();
        }

        Timers.Advance(NowMilliseconds);
        for (var round = 0; round < RoundsPerTickMax; round++)
        {
            var ran = _posted.RunAll();
            if (!_ready.IsEmpty)
            {
                ran = true;
                if (!CallReady(hold))
                {
                    return false;
                }
            }

            if (!ran)
            {
                break;
            }
        }

        FlushAll();
        if (_busySince != 0)
        {
            Observer!.BusyEnded(this, _busySince);
            _busySince = 0;
        }

        _backend.Poll(TimeToSleep());
        Volatile.Write(ref _isSleeping, 0);
        return true;
    }

    // The only place from which application code is called, and so the only one at which the loop can change hands.
    private bool CallReady(LoopHold hold)
    {
        var last = _ready.Last;
        ReadyItem item;
        do
        {
            item = _ready.Take()!;
            var call = item.TakeCall();
            if (call == 0)
            {
                continue;
            }

            var place = item.PlaceOf(call);
            if (place != CallPlace.Loop || !HasSuccessor())
            {
                CallAway(item, call, place);
            }
            else if (!CallHere(hold, item, call))
            {
                return false;
            }
        }
        while (item != last);
        return true;
    }

    private bool CallHere(LoopHold hold, ReadyItem item, int call)
    {
        hold.BeginCall(item, call);
        Watchdog?.WakeIfParked();
        item.Call(call);
        if (ExecutionContext.Capture() != hold.Context)
        {
            // An AsyncLocal that one call has set must not be seen by the next.
            ExecutionContext.Restore(hold.Context);
        }

        if (!hold.EndCall())
        {
            new AwayCall(this, item, call).End();
            return false;
        }

        if (hold.WaitedCallNumber == hold.CallNumber - 1)
        {
            item.Waited(call);
        }

        item.Returned(call, wasAway: false);
        return true;
    }

    // Without a successor in reserve nothing that may block is called here: the loop could not go on.
    private bool HasSuccessor() => _successor is not null || _spares is null || (_successor = _spares.TryReserve()) is not null;

    private void CallAway(ReadyItem item, int call, CallPlace place)
    {
        var away = new AwayCall(this, item, call);
        AwayBegan();
        item.WentAway(call);
        if (place == CallPlace.SpareThread && !_spares!.TryRun(away, mayWait: true))
        {
            AwayEnded();
            item.Refused(call);
        }
        else if (place is CallPlace.Loop or CallPlace.ThreadPool
            || (place == CallPlace.SpareThreadNow && !_spares!.TryRun(away, mayWait: false)))
        {
            ThreadPool.UnsafeQueueUserWorkItem(away, preferLocal: false);
        }
    }

    private void PassOn()
    {
        // Whoever took the hold alone has the loop, until the successor runs.
        var successor = _successor!;
        _successor = null;
        successor.TakeOver(this);
    }

    private LoopHold TakeHold()
    {
        var lost = _hold;
        var hold = s_hold = _hold = new LoopHold(this);
        if (lost is { IsLost: true, Item: { } blocked })
        {
            AwayBegan();
            blocked.WentAway(lost.Call);
            blocked.Blocked(lost.Reason);
        }

        return hold;
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
        if (Volatile.Read(ref _awayCount) > 0 && Thread.Yield() && !_posted.IsEmpty)
        {
            return 0;
        }

        // Announce the sleep, then look again: a post either is seen here or sees the announcement.
        Interlocked.Exchange(ref _isSleeping, 1);
        return _posted.IsEmpty ? Timers.MillisecondsToNext(_backend.NowMilliseconds) : 0;
    }
}
