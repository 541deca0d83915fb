// A loop that changes hands: who has it, what the other thread may still do, and when the watchdog takes it away.

namespace Asgi.Server.Loops.Tests;

public sealed class HandOffTests : IDisposable
{
    // Long enough for any machine; only a test that fails waits for it.
    private const int FailureMilliseconds = 20_000;

    private readonly ProbeBackend _backend = new();
    private readonly Successors _successors = new();
    private readonly Loop _loop;
    private readonly List<string> _log = [];

    public HandOffTests() => _loop = new Loop(_backend, "loop under test", _successors);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void A_thread_that_has_lost_its_loop_ends_its_tick_and_the_other_goes_on_with_what_was_ready()
    {
        _loop.Ready(new ReadyCall(() => HandOff(), () => _log.Add("returned")));
        _loop.Ready(new ReadyCall(() => _log.Add("second")));

        Assert.False(_loop.Tick());
        Assert.Empty(_log);

        // The second was ready before the first came back.
        Elsewhere(() => Assert.True(_loop.Tick()));
        Assert.Equal(["returned", "second"], _log.Order());
    }

    [Fact]
    public void The_loop_hears_that_a_call_went_away_before_it_hears_that_it_came_back()
    {
        var item = new ToldCall(_log, () => HandOff());
        _loop.Ready(item);

        _loop.Tick();
        Elsewhere(() => _loop.Tick());

        Assert.Equal(["called", "went away", "blocked, Waits", "returned, away True"], _log);
    }

    [Fact]
    public void A_call_that_returns_in_time_has_not_been_away()
    {
        _loop.Ready(new ToldCall(_log, () => { }));

        _loop.Tick();

        Assert.Equal(["called", "returned, away False"], _log);
    }

    [Fact]
    public void Application_code_enters_its_loop_until_it_has_lost_it()
    {
        var inside = new List<bool>();
        _loop.Ready(new ReadyCall(() =>
        {
            inside.Add(IsInside());
            inside.Add(IsInside());
            HandOff();
            inside.Add(IsInside());
        }));

        _loop.Tick();

        Assert.Equal([true, true, false], inside);
        Assert.False(IsInside());
    }

    [Fact]
    public void A_loop_that_its_application_has_entered_cannot_be_taken_away()
    {
        var taken = new List<bool>();
        _loop.Ready(new ReadyCall(() =>
        {
            using (_loop.Enter())
            {
                using var again = _loop.Enter();
                Assert.True(again.IsInside);
                taken.Add(_loop.TryHandOff(_loop.Hold!, HandOffReason.Waits));
            }

            taken.Add(_loop.TryHandOff(_loop.Hold!, HandOffReason.Waits));
            taken.Add(_loop.TryHandOff(_loop.Hold!, HandOffReason.Waits));
        }));

        _loop.Tick();

        Assert.Equal([false, true, false], taken);
        Assert.Equal(1, _successors.TakenOverCount);
    }

    [Fact]
    public void A_loop_that_does_its_own_work_cannot_be_taken_away()
    {
        var taken = true;
        _loop.Post(new Work(() => taken = _loop.TryHandOff(_loop.Hold!, HandOffReason.Waits)));

        Assert.True(_loop.Tick());

        Assert.False(taken);
    }

    [Fact]
    public void A_thread_that_is_about_to_block_gives_its_loop_away_once()
    {
        var given = new List<bool>();
        _loop.Ready(new ToldCall(_log, () =>
        {
            given.Add(_loop.Surrender());
            given.Add(_loop.Surrender());
        }));

        _loop.Tick();
        Elsewhere(() => _loop.Tick());

        Assert.Equal([true, false], given);
        Assert.Equal(["called", "went away", "blocked, Surrendered", "returned, away True"], _log);
        Assert.False(_loop.Surrender());
    }

    [Fact]
    public void Without_a_successor_in_reserve_calls_are_made_on_the_thread_pool()
    {
        _successors.HasNone = true;
        using var called = new ManualResetEventSlim();
        var onLoop = true;
        var item = new ToldCall(_log, () =>
        {
            onLoop = IsInside();
            called.Set();
        });
        _loop.Ready(item);

        Assert.True(_loop.Tick());
        called.Wait();
        TickUntil(() => _log.Count == 3);

        Assert.False(onLoop);
        Assert.Contains("returned, away True", _log);
    }

    [Fact]
    public void A_call_is_made_where_it_belongs_and_refused_when_no_spare_thread_can_be_waited_for()
    {
        var item = new ToldCall(_log, () => { }) { Place = CallPlace.SpareThread };
        _loop.Ready(item);
        _loop.Tick();
        Assert.Equal(["went away"], _log);

        _successors.Calls.Dequeue().Execute();
        _loop.Tick();
        Assert.Equal(["went away", "called", "returned, away True"], _log);

        _log.Clear();
        _successors.IsFull = true;
        _loop.Ready(item);
        _loop.Tick();
        Assert.Equal(["went away", "refused"], _log);
    }

    [Fact]
    public void A_call_that_others_may_wait_for_is_never_refused()
    {
        _successors.IsFull = true;
        _loop.Ready(new ToldCall(_log, () => { }) { Place = CallPlace.SpareThreadNow });

        _loop.Tick();
        TickUntil(() => _log.Count == 3);

        Assert.Contains("returned, away True", _log);
    }

    [Fact]
    public void The_watchdog_takes_a_loop_after_so_many_looks_at_one_call_and_not_one_look_sooner()
    {
        var watched = new Watchdog.Watched(_loop);
        var takenAfter = 0;
        _loop.Ready(new ReadyCall(() =>
        {
            for (var look = 0; _successors.TakenOverCount == 0; look++)
            {
                takenAfter = look;
                Assert.True(watched.Look(Watchdog.LooksMax));
            }
        }));

        Assert.False(_loop.Tick());

        // The first look sees the call for the first time.
        Assert.Equal(Watchdog.LooksMax, takenAfter);
    }

    [Fact]
    public void A_call_seen_waiting_that_returns_in_time_is_told_of()
    {
        using var hasLooked = new ManualResetEventSlim();
        var item = new WaitingCall(() => Assert.True(hasLooked.Wait(FailureMilliseconds)));
        var looker = new Thread(() =>
        {
            // Two looks see the call; two more, by who has not seen it, when the other thread was not waiting yet, or something was
            // compiled. Never the threshold's.
            SpinWait.SpinUntil(
                () =>
                {
                    var watched = new Watchdog.Watched(_loop);
                    watched.Look(int.MaxValue);
                    watched.Look(int.MaxValue);
                    return _loop.Hold is { WaitedCallNumber: > 0 };
                },
                FailureMilliseconds);
            hasLooked.Set();
        });
        _loop.Ready(item);
        looker.Start();

        Assert.True(_loop.Tick());
        looker.Join();
        Assert.Equal(1, item.WaitCount);
        Assert.Equal(0, _successors.TakenOverCount);

        // The next call is another.
        _loop.Ready(item);
        Assert.True(_loop.Tick());
        Assert.Equal(1, item.WaitCount);
    }

    [Fact]
    public void A_call_that_computes_has_not_waited()
    {
        var watched = new Watchdog.Watched(_loop);
        var item = new WaitingCall(() =>
        {
            for (var look = 0; look < Watchdog.LooksMax; look++)
            {
                watched.Look(Watchdog.LooksMax);
            }
        });
        _loop.Ready(item);

        Assert.True(_loop.Tick());
        Assert.Equal(0, item.WaitCount);
    }

    [Fact]
    public void Many_short_calls_are_not_one_long_call()
    {
        var watched = new Watchdog.Watched(_loop);
        for (var call = 0; call < 3 * Watchdog.LooksMax; call++)
        {
            _loop.Ready(new ReadyCall(() => watched.Look(Watchdog.LooksMax)));
            Assert.True(_loop.Tick());
        }

        Assert.Equal(0, _successors.TakenOverCount);
    }

    [Fact]
    public void Entering_the_loop_again_and_again_does_not_make_a_call_shorter()
    {
        var watched = new Watchdog.Watched(_loop);
        _loop.Ready(new ReadyCall(() =>
        {
            for (var look = 0; look <= Watchdog.LooksMax; look++)
            {
                _loop.Enter().Dispose();
                watched.Look(Watchdog.LooksMax);
            }
        }));

        Assert.False(_loop.Tick());
        Assert.Equal(1, _successors.TakenOverCount);
    }

    [Fact]
    public void A_loop_without_calls_is_quiet_and_the_watchdog_may_sleep()
    {
        var watched = new Watchdog.Watched(_loop);
        _loop.Ready(new ReadyCall(() => { }));
        _loop.Tick();

        Assert.True(watched.Look(Watchdog.LooksMax));
        Assert.False(watched.Look(Watchdog.LooksMax));
    }

    [Fact]
    public void A_call_that_begins_just_after_the_watchdog_has_gone_to_sleep_is_watched()
    {
        using var watchdog = new Watchdog([_loop], thresholdMilliseconds: 5);
        watchdog.Start();
        var isTaken = false;
        _loop.Ready(new PlacedCall(
            place: () => SpinWait.SpinUntil(() => watchdog.IsParked, FailureMilliseconds),
            call: () => isTaken = SpinWait.SpinUntil(() => _successors.TakenOverCount > 0, FailureMilliseconds)));

        Assert.False(_loop.Tick());
        Assert.True(isTaken);
    }

    [Fact]
    public void No_call_is_taken_for_blocked_before_the_threshold_nor_more_than_a_fifth_after_it()
    {
        for (var threshold = 1; threshold <= 60_000; threshold++)
        {
            var (period, looks) = Watchdog.PlanFor(threshold);

            Assert.InRange(looks, 1, Watchdog.LooksMax);
            Assert.InRange(looks * period, threshold, threshold + period - 1);
            Assert.InRange(period, 1, (threshold + Watchdog.LooksMax - 1) / Watchdog.LooksMax);
        }
    }

    private static void Elsewhere(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    private void HandOff() => Assert.True(_loop.TryHandOff(_loop.Hold!, HandOffReason.Waits));

    private bool IsInside()
    {
        using var entry = _loop.Enter();
        return entry.IsInside;
    }

    private void TickUntil(Func<bool> condition)
    {
        var wait = new SpinWait();
        while (!condition())
        {
            _loop.Tick();
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    private sealed class PlacedCall(Action place, Action call) : ReadyItem
    {
        public override CallPlace PlaceOf(int number)
        {
            place();
            return CallPlace.Loop;
        }

        public override void Call(int number) => call();
    }

    private sealed class ToldCall(List<string> log, Action call) : ReadyItem
    {
        public CallPlace Place { get; init; }

        public override CallPlace PlaceOf(int number) => Place;

        public override void Call(int number)
        {
            Add("called");
            call();
        }

        public override void Returned(int number, bool wasAway) => Add($"returned, away {wasAway}");

        public override void WentAway(int number) => Add("went away");

        public override void Blocked(HandOffReason reason) => Add($"blocked, {reason}");

        public override void Refused(int number) => Add("refused");

        private void Add(string entry)
        {
            lock (log)
            {
                log.Add(entry);
            }
        }
    }

    private sealed class Successors : ISpares, ILoopSuccessor
    {
        public bool HasNone { get; set; }

        public bool IsFull { get; set; }

        public int TakenOverCount { get; private set; }

        public Queue<IThreadPoolWorkItem> Calls { get; } = new();

        public ILoopSuccessor? TryReserve() => HasNone ? null : this;

        public bool TryRun(IThreadPoolWorkItem call, bool mayWait)
        {
            if (!IsFull)
            {
                Calls.Enqueue(call);
            }

            return !IsFull;
        }

        public void TakeOver(Loop loop) => TakenOverCount++;

        public void Release()
        {
        }
    }
}
