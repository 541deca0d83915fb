// The deadlines of 10,000 connections; a figure is that of one timer.

using Asgi.Server.Loops;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class Timers
{
    private const int Count = 10_000;
    private const int TimeoutMilliseconds = 30_000;

    // From one time that a timer fires to the next: it is set when a step is taken, and fires with a step.
    private const int PeriodMilliseconds =
        (TimeoutMilliseconds + TimerWheel.StepMilliseconds - 1) / TimerWheel.StepMilliseconds * TimerWheel.StepMilliseconds;

    private readonly Deadline[] _deadlines = new Deadline[Count];
    private TimerWheel _wheel = null!;
    private long _now;

    [GlobalSetup]
    public void SetUp()
    {
        _now = 1_000_000 / TimerWheel.StepMilliseconds * TimerWheel.StepMilliseconds;
        _wheel = new TimerWheel(_now);
        for (int i = 0; i < Count; i++)
        {
            _deadlines[i] = new Deadline(_wheel);
            _wheel.Set(_deadlines[i], _now + 1 + i);
        }
    }

    /// <summary>What each request of a keep-alive connection does: later than before.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Count), Yields(Count)]
    public int Move()
    {
        _now++;
        foreach (var deadline in _deadlines)
            _wheel.Set(deadline, _now + TimeoutMilliseconds + Count);
        return Armed();
    }

    [Benchmark(OperationsPerInvoke = Count), Yields(Count)]
    public int CancelAndSet()
    {
        foreach (var deadline in _deadlines)
        {
            TimerWheel.Cancel(deadline);
            _wheel.Set(deadline, _now + TimeoutMilliseconds + Count);
        }
        return Armed();
    }

    /// <summary>What a connection's begin and end do.</summary>
    [Benchmark(OperationsPerInvoke = Count), Yields(Count)]
    public int RemoveAndSet()
    {
        foreach (var deadline in _deadlines)
        {
            _wheel.Remove(deadline);
            _wheel.Set(deadline, _now + TimeoutMilliseconds);
        }
        return Armed();
    }

    /// <summary>All fire, each once, step by step, and are set again.</summary>
    [Benchmark(OperationsPerInvoke = Count), Yields(Count)]
    public int Fire()
    {
        foreach (var deadline in _deadlines)
            deadline.FiredCount = 0;
        long end = _now + PeriodMilliseconds;
        while (_now < end)
        {
            _now += TimerWheel.StepMilliseconds;
            _wheel.Advance(_now);
        }
        int fired = 0;
        foreach (var deadline in _deadlines)
            fired += deadline.FiredCount;
        return fired;
    }

    private int Armed()
    {
        int armed = 0;
        foreach (var deadline in _deadlines)
            armed += deadline.IsArmed ? 1 : 0;
        return armed;
    }

    private sealed class Deadline(TimerWheel wheel) : LoopTimer
    {
        public int FiredCount { get; set; }

        public override void Fire(long nowMilliseconds)
        {
            FiredCount++;
            wheel.Set(this, nowMilliseconds + TimeoutMilliseconds);
        }
    }
}
