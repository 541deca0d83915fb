// Threads beside the loops, for application code that blocks: they take over a loop whose thread is blocked, and make calls that are known
// to block. Elastic: a thread is there when it is needed, because the runtime's own pool adds threads too slowly for this. A lock guards
// the lists; nothing here is on the way of a request that does not block. Any thread.
using System.Diagnostics.CodeAnalysis;

namespace Asgi.Server.Loops;

/// <summary>A thread kept in reserve for one loop.</summary>
internal interface ILoopSuccessor
{
    /// <summary>Runs the loop from now on. Once; whoever has taken the hold of the loop calls it.</summary>
    void TakeOver(Loop loop);

    /// <summary>Is not needed any more.</summary>
    void Release();
}

/// <summary>Where a loop finds threads.</summary>
internal interface ISpares
{
    /// <summary>A thread that waits until it has to take over a loop; null if there can be no more.</summary>
    ILoopSuccessor? TryReserve();

    /// <summary>Has a call made on a spare thread.</summary>
    /// <param name="call">The call.</param>
    /// <param name="mayWait">Whether it may wait until a thread is free.</param>
    /// <returns>False when it is not made: no thread is free, and none may be waited for or too many wait.</returns>
    bool TryRun(IThreadPoolWorkItem call, bool mayWait);
}

internal sealed class SpareThreads : ISpares, IDisposable
{
    /// <summary>Threads for each loop beyond those for calls: the one that has it, one in reserve, and some that are blocked.</summary>
    public const int ThreadsPerLoop = 5;

    /// <summary>How long a thread without work stays, in milliseconds, if nothing else is said.</summary>
    public const int IdleMillisecondsMax = 20_000;

    // A lock, since the threads belong to all loops and a free one must be given to one of them. Only calls that block come this way, and a
    // thread that wakes another costs more than the lock.
    private readonly Lock _gate = new();
    private readonly List<SpareThread> _idle = [];
    private readonly Queue<IThreadPoolWorkItem> _waiting = new();
    private readonly int _callCountMax;
    private readonly int _waitingCountMax;
    private readonly int _threadCountMax;
    private readonly int _idleMillisecondsMax;
    private int _threadCount;
    private int _callCount;
    private int _lastNumber;
    private bool _isStopping;

    /// <param name="loopCount">Loops served.</param>
    /// <param name="callCountMax">Calls made at the same time. At least 1.</param>
    /// <param name="waitingCountMax">Calls that may wait for a thread.</param>
    /// <param name="idleMillisecondsMax">How long a thread without work stays, in milliseconds.</param>
    public SpareThreads(
        int loopCount, int callCountMax, int waitingCountMax, int idleMillisecondsMax = IdleMillisecondsMax)
    {
        _idleMillisecondsMax = idleMillisecondsMax;
        _callCountMax = callCountMax;
        _waitingCountMax = waitingCountMax;
        _threadCountMax = callCountMax + loopCount * ThreadsPerLoop;
    }

    /// <summary>Threads there are, those that have a loop included.</summary>
    public int ThreadCount => Volatile.Read(ref _threadCount);

    /// <summary>Calls that wait for a thread.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    public ILoopSuccessor? TryReserve()
    {
        lock (_gate)
        {
            return TryGetThread();
        }
    }

    public bool TryRun(IThreadPoolWorkItem call, bool mayWait)
    {
        lock (_gate)
        {
            if (_callCount < _callCountMax && TryGetThread() is { } thread)
            {
                _callCount++;
                thread.Give(call);
                return true;
            }

            // Some thread will come for it: with so many threads most make calls, or are blocked and will return.
            if (!mayWait || _waiting.Count >= _waitingCountMax || _isStopping)
            {
                return false;
            }

            _waiting.Enqueue(call);
            return true;
        }
    }

    /// <summary>Lets the threads end that wait for work; the others end with theirs. Calls that wait for a thread are not made.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            _waiting.Clear();
            _idle.ForEach(thread => thread.Give(null));
            _idle.Clear();
        }
    }

    private SpareThread? TryGetThread()
    {
        if (_idle.Count > 0)
        {
            // The one that was busy last: its stack is warm, and the others can end.
            var idle = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            return idle;
        }

        if (_threadCount == _threadCountMax || _isStopping)
        {
            return null;
        }

        _threadCount++;
        return new SpareThread(this, ++_lastNumber);
    }

    // What a thread does next, which has done its last: a call that waits, or nothing for now.
    private IThreadPoolWorkItem? NextCall(SpareThread thread, bool wasCall)
    {
        lock (_gate)
        {
            if (wasCall)
            {
                _callCount--;
            }

            if (_callCount < _callCountMax && _waiting.TryDequeue(out var call))
            {
                _callCount++;
                return call;
            }

            if (_isStopping)
            {
                thread.Give(null);
            }
            else
            {
                _idle.Add(thread);
            }

            return null;
        }
    }

    // A thread has had nothing to do for long. It may have been given something at the last moment.
    private bool TryEnd(SpareThread thread)
    {
        lock (_gate)
        {
            return _idle.Remove(thread);
        }
    }

    // Counted where those that start are: a count that missed one would wear the reserve down.
    private void Ended()
    {
        lock (_gate)
        {
            _threadCount--;
        }
    }

    [SuppressMessage("Design", "CA1001", Justification = "The semaphore has no handle: nobody asks for one.")]
    private sealed class SpareThread : ILoopSuccessor
    {
        private readonly SpareThreads _pool;
        private readonly string _name;
        private readonly SemaphoreSlim _given = new(0);
        private object? _work;

        public SpareThread(SpareThreads pool, int number)
        {
            _pool = pool;
            _name = $"asgi spare {number}";
            new Thread(Run) { Name = _name, IsBackground = true }.UnsafeStart();
        }

        public void TakeOver(Loop loop) => Give(loop);

        public void Release() => Give(this);

        /// <summary>Gives the thread its next work: a loop, a call, itself for going idle, or null for its end.</summary>
        public void Give(object? work)
        {
            _work = work;
            _given.Release();
        }

        private void Run()
        {
            var context = ExecutionContext.Capture()!;
            while (TakeWork(out var work))
            {
                do
                {
                    var call = work as IThreadPoolWorkItem;
                    if (work is Loop loop)
                    {
                        Thread.CurrentThread.Name = loop.Name;
                        loop.Run();
                        Thread.CurrentThread.Name = _name;
                    }

                    call?.Execute();
                    ExecutionContext.Restore(context);
                    work = _pool.NextCall(this, wasCall: call is not null);
                }
                while (work is not null);
            }

            _pool.Ended();
        }

        private bool TakeWork(out object? work)
        {
            while (!_given.Wait(_pool._idleMillisecondsMax))
            {
                if (_pool.TryEnd(this))
                {
                    work = null;
                    return false;
                }
            }

            work = _work;
            return work is not null;
        }
    }
}
