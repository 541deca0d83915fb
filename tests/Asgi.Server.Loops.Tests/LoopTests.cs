// A tick: its order, its bounds, and what other threads may do to it.


namespace Asgi.Server.Loops.Tests;

public sealed class LoopTests : IDisposable
{
    private readonly ProbeBackend _backend = new();
    private readonly Loop _loop;
    private readonly List<string> _log = [];

    public LoopTests() => _loop = new Loop(_backend, "loop under test");

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void A_tick_runs_posted_work_then_calls_then_flushes_then_polls()
    {
        _backend.WhilePolling = () => _log.Add("poll");
        _loop.FlushLater(new Flushing(() => _log.Add("flush")));
        _loop.Ready(new ReadyCall(() => _log.Add("call"), () => _log.Add("returned")));
        _loop.Post(new Work(() => _log.Add("posted")));

        _loop.Tick();

        Assert.Equal(["posted", "call", "returned", "flush", "poll"], _log);
    }

    [Fact]
    public void What_a_deadline_makes_ready_is_called_in_the_same_tick()
    {
        _loop.Timers.Set(new TestTimer(_ => _loop.Ready(new ReadyCall(() => _log.Add("call")))), _backend.Now + 10);
        _backend.Now += 10 + TimerWheel.StepMilliseconds;
        _backend.WhilePolling = () => _log.Add("poll");

        _loop.Tick();

        Assert.Equal(["call", "poll"], _log);
    }

    [Fact]
    public void The_clock_is_read_once_a_tick()
    {
        var before = _backend.Now;
        _loop.Post(new Work(() =>
        {
            _backend.Now += 1000;
            Assert.Equal(before, _loop.NowMilliseconds);
        }));

        _loop.Tick();
        _loop.Tick();

        Assert.Equal(before + 1000, _loop.NowMilliseconds);
    }

    [Fact]
    public void Each_call_returns_before_the_next_is_made()
    {
        for (var i = 0; i < 3; i++)
        {
            var number = i;
            _loop.Ready(new ReadyCall(() => _log.Add($"call {number}"), () => _log.Add($"returned {number}")));
        }

        _loop.Tick();

        Assert.Equal(["call 0", "returned 0", "call 1", "returned 1", "call 2", "returned 2"], _log);
    }

    [Fact]
    public void A_call_that_lists_itself_again_goes_behind_the_others_and_the_tick_is_bounded()
    {
        var calls = 0;
        ReadyCall? greedy = null;
        greedy = new ReadyCall(() => calls++, () => _loop.Ready(greedy!));
        _loop.Ready(greedy);
        _loop.Ready(new ReadyCall(() => _log.Add($"modest after {calls}")));

        _loop.Tick();

        Assert.Equal(["modest after 1"], _log);
        Assert.Equal(Loop.RoundsPerTickMax, calls);
        Assert.Equal(0, _backend.LastTimeout);
    }

    [Fact]
    public void Work_that_posts_work_does_not_keep_a_tick_from_its_poll()
    {
        var runs = 0;
        void Run()
        {
            runs++;
            _loop.Post(new Work(Run));
        }

        _loop.Post(new Work(Run));

        _loop.Tick();

        Assert.Equal(Loop.RoundsPerTickMax, runs);
        Assert.Equal(0, _backend.LastTimeout);
    }

    [Fact]
    public void What_is_listed_while_flushing_is_flushed_and_what_it_makes_ready_is_not_slept_on()
    {
        _loop.FlushLater(new Flushing(() =>
        {
            _loop.FlushLater(new Flushing(() => _log.Add("second")));
            _loop.Ready(new ReadyCall(() => _log.Add("call")));
        }));

        _loop.Tick();
        Assert.Equal(["second"], _log);
        Assert.Equal(0, _backend.LastTimeout);

        _loop.Tick();
        Assert.Equal(["second", "call"], _log);
    }

    [Fact]
    public void Any_number_of_flushes_are_made()
    {
        var flushed = 0;
        for (var i = 0; i < 1000; i++)
        {
            _loop.FlushLater(new Flushing(() => flushed++));
        }

        _loop.Tick();

        Assert.Equal(1000, flushed);
    }

    [Fact]
    public void Without_anything_to_do_it_sleeps_without_end_and_otherwise_until_the_next_deadline()
    {
        _loop.Tick();
        Assert.Equal(-1, _backend.LastTimeout);

        _loop.Timers.Set(new TestTimer(_ => { }), _backend.Now + 1000);
        _loop.Tick();
        Assert.InRange(_backend.LastTimeout, 1000, 1000 + TimerWheel.StepMilliseconds);
    }

    [Fact]
    public void A_sleeping_loop_is_woken_once_whatever_the_number_of_posts()
    {
        var runs = 0;
        _backend.WhilePolling = () =>
        {
            for (var i = 0; i < 100; i++)
            {
                _loop.Post(new Work(() => runs++));
            }
        };

        _loop.Tick();
        Assert.Equal(1, _backend.WakeCount);

        _backend.WhilePolling = () => { };
        _loop.Tick();
        Assert.Equal((100, 1), (runs, _backend.WakeCount));
    }

    [Fact]
    public void A_loop_that_is_awake_is_not_woken()
    {
        _loop.Post(new Work(() => _loop.Post(new Work(() => _log.Add("ran")))));
        _loop.Ready(new ReadyCall(() => _loop.Post(new Work(() => _log.Add("ran")))));

        _loop.Tick();

        Assert.Equal((2, 0), (_log.Count, _backend.WakeCount));
    }

    [Fact]
    public void An_AsyncLocal_set_in_one_call_is_not_seen_by_the_next()
    {
        var local = new AsyncLocal<string?>();
        string? seen = "not called";
        string? seenReturned = "not called";
        _loop.Ready(new ReadyCall(() => local.Value = "set", () => seenReturned = local.Value));
        _loop.Ready(new ReadyCall(() => seen = local.Value));

        _loop.Tick();

        Assert.Null(seen);
        Assert.Null(seenReturned);
    }

    [Fact]
    public void A_loop_is_current_on_its_thread_only()
    {
        bool? onLoop = null;
        bool? elsewhere = null;
        _loop.Post(new Work(() => onLoop = _loop.IsCurrent && Loop.Current == _loop));
        _loop.Tick();
        var thread = new Thread(() => elsewhere = _loop.IsCurrent);
        thread.Start();
        thread.Join();

        Assert.Equal((true, false), (onLoop, elsewhere));
    }
}
