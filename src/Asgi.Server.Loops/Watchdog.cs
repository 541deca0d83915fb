// Sees that application code holds up a loop, and has the loop go on with another thread: what the Go scheduler does about system calls
// that block. A thread of its own for all loops of a server; it sleeps while no loop is in application code.
using System.Runtime;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops;

internal sealed class Watchdog : IDisposable
{
    /// <summary>
    /// A call is looked at so often before it counts as blocked. Looks are counted and not time, because a pause of the whole process
    /// (garbage collection, a suspended machine) is one look, however long it lasts.
    /// </summary>
    public const int LooksMax = 5;

    /// <summary>Looks at loops that do nothing before the watchdog sleeps.</summary>
    private const int QuietLooksMax = 4;

    private readonly Watched[] _loops;
    private readonly int _periodMilliseconds;
    private readonly int _looks;

    // Does not spin before it waits, as SemaphoreSlim does: that was 1.2 % of a core at full load.
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private int _isParked;
    private volatile bool _isStopping;

    /// <param name="loops">The loops to watch.</param>
    /// <param name="thresholdMilliseconds">How long a call may hold its loop; found out up to a fifth later. At least 1.</param>
    public Watchdog(ReadOnlySpan<Loop> loops, int thresholdMilliseconds)
    {
        (_periodMilliseconds, _looks) = PlanFor(thresholdMilliseconds);
        _loops = new Watched[loops.Length];
        for (var i = 0; i < loops.Length; i++)
        {
            _loops[i] = new Watched(loops[i]);
            loops[i].Watchdog = this;
        }

        _thread = new Thread(Run) { Name = "asgi watchdog", IsBackground = true };
    }

    /// <summary>Whether it sleeps until a loop wakes it. Any thread.</summary>
    public bool IsParked => Volatile.Read(ref _isParked) != 0;

    /// <summary>How often to look, in milliseconds, and how many looks make the threshold.</summary>
    internal static (int Period, int Looks) PlanFor(int thresholdMilliseconds)
    {
        // Rounded up, both: never sooner.
        var period = (thresholdMilliseconds + LooksMax - 1) / LooksMax;
        return (period, (thresholdMilliseconds + period - 1) / period);
    }

    public void Start() => _thread.UnsafeStart();

    /// <summary>
    /// A call of application code is noted as under way and begins next. Not before it is noted: the watchdog might go to sleep in between.
    /// Loop threads.
    /// </summary>
    public void WakeIfParked()
    {
        if (Volatile.Read(ref _isParked) != 0 && Interlocked.Exchange(ref _isParked, 0) != 0)
        {
            _wake.Set();
        }
    }

    public void Dispose()
    {
        _isStopping = true;
        _wake.Set();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        var quietLooks = 0;
        while (!_isStopping)
        {
            _wake.WaitOne(_periodMilliseconds);
            quietLooks = LookAtAll() ? 0 : quietLooks + 1;
            if (quietLooks >= QuietLooksMax)
            {
                Park();
                quietLooks = 0;
            }
        }
    }

    private bool LookAtAll()
    {
        var isBusy = false;
        foreach (var watched in _loops)
        {
            isBusy |= watched.Look(_looks);
        }

        return isBusy;
    }

    private void Park()
    {
        // The loops only read the announcement, without a fence of their own: this one is for all processors. A call that a loop began
        // before it is seen now; one that it begins later sees the announcement.
        Volatile.Write(ref _isParked, 1);
        Interlocked.MemoryBarrierProcessWide();
        if (!LookAtAll() && !_isStopping)
        {
            _wake.WaitOne();
        }

        Volatile.Write(ref _isParked, 0);
    }

    /// <summary>What the watchdog knows of a loop.</summary>
    internal sealed class Watched(Loop loop)
    {
        private LoopHold? _hold;
        private int _callNumber;
        private int _looks;
        private long _compiledCount;

        /// <summary>Hands the loop off if the call under way is the one of so many looks before.</summary>
        /// <returns>Whether there were calls since the last look.</returns>
        public bool Look(int looksMax)
        {
            var hold = loop.Hold;
            var number = hold?.CallNumber ?? 0;
            if (hold != _hold || number != _callNumber)
            {
                (_hold, _callNumber, _looks) = (hold, number, 0);
                _compiledCount = JitInfo.GetCompiledMethodCount();
                return true;
            }

            var isUnderWay = (number & 1) != 0;
            if (isUnderWay)
            {
                var reason = ReasonOf(hold!);
                if (++_looks >= looksMax)
                {
                    loop.TryHandOff(hold!, reason);
                }
                else if (reason == HandOffReason.Waits && hold!.ThreadId != 0)
                {
                    hold.NoteWait(number);
                }
            }

            return isUnderWay;
        }

        // A thread waits as well for what another compiles.
        private HandOffReason ReasonOf(LoopHold hold) =>
            KernelThread.IsRunning(hold.ThreadId) || JitInfo.GetCompiledMethodCount() != _compiledCount
                ? HandOffReason.Runs
                : HandOffReason.Waits;
    }
}
