// Threads for calls that block: as many as are needed, up to a limit, and a bounded queue behind it.

namespace Asgi.Server.Loops.Tests;

public sealed class SpareThreadsTests
{
    [Fact]
    public void Calls_run_at_the_same_time_up_to_the_limit_then_wait_then_are_refused()
    {
        using var spares = new SpareThreads(loopCount: 1, callCountMax: 2, waitingCountMax: 3);
        var gate = new ManualResetEventSlim();
        var running = new CountdownEvent(2);
        var done = new CountdownEvent(5);

        for (var i = 0; i < 2; i++)
        {
            Assert.True(spares.TryRun(new SpareCall(() => { running.Signal(); gate.Wait(); done.Signal(); }), mayWait: true));
        }

        running.Wait();
        for (var i = 0; i < 3; i++)
        {
            Assert.True(spares.TryRun(new SpareCall(() => done.Signal()), mayWait: true));
        }

        Assert.Equal(3, spares.WaitingCount);
        Assert.False(spares.TryRun(new SpareCall(() => { }), mayWait: true));
        Assert.False(spares.TryRun(new SpareCall(() => { }), mayWait: false));

        gate.Set();
        done.Wait();
        Assert.Equal(0, spares.WaitingCount);
    }

    [Fact]
    public void A_call_that_may_not_wait_is_refused_when_all_threads_are_busy()
    {
        using var spares = new SpareThreads(loopCount: 1, callCountMax: 1, waitingCountMax: 100);
        var gate = new ManualResetEventSlim();
        Assert.True(spares.TryRun(new SpareCall(() => gate.Wait()), mayWait: false));

        Assert.False(spares.TryRun(new SpareCall(() => { }), mayWait: false));
        Assert.Equal(0, spares.WaitingCount);
        gate.Set();
    }

    [Fact]
    public void Calls_that_wait_run_in_the_order_they_came()
    {
        using var spares = new SpareThreads(loopCount: 1, callCountMax: 1, waitingCountMax: 100);
        var gate = new ManualResetEventSlim();
        var done = new CountdownEvent(50);
        var order = new List<int>();
        spares.TryRun(new SpareCall(() => gate.Wait()), mayWait: true);
        for (var i = 0; i < 50; i++)
        {
            var number = i;
            spares.TryRun(new SpareCall(() => { order.Add(number); done.Signal(); }), mayWait: true);
        }

        gate.Set();
        done.Wait();
        Assert.Equal(Enumerable.Range(0, 50), order);
    }

    [Fact]
    public void Loops_find_threads_in_reserve_when_all_calls_are_taken_but_not_without_end()
    {
        using var spares = new SpareThreads(loopCount: 2, callCountMax: 1, waitingCountMax: 0);
        var gate = new ManualResetEventSlim();
        spares.TryRun(new SpareCall(() => gate.Wait()), mayWait: false);

        var reserved = new List<ILoopSuccessor>();
        while (spares.TryReserve() is { } successor)
        {
            reserved.Add(successor);
        }

        Assert.Equal(2 * SpareThreads.ThreadsPerLoop, reserved.Count);
        Assert.Equal(1 + reserved.Count, spares.ThreadCount);
        gate.Set();
        reserved.ForEach(successor => successor.Release());
    }

    [Fact]
    public void A_thread_without_work_is_used_again_and_ends_after_a_while()
    {
        using var spares = new SpareThreads(loopCount: 1, callCountMax: 4, waitingCountMax: 0, idleMillisecondsMax: 1);
        var threads = new HashSet<int>();
        for (var i = 0; i < 20; i++)
        {
            var done = new ManualResetEventSlim();
            spares.TryRun(new SpareCall(() => { threads.Add(Environment.CurrentManagedThreadId); done.Set(); }), mayWait: false);
            done.Wait();
        }

        SpinWait.SpinUntil(() => spares.ThreadCount == 0);
        Assert.NotEmpty(threads);
    }

    [Fact]
    public void Threads_that_come_and_go_are_counted_right()
    {
        // Ends of threads race with starts of others.
        using var spares = new SpareThreads(loopCount: 1, callCountMax: 8, waitingCountMax: 1000, idleMillisecondsMax: 0);
        for (var wave = 0; wave < 200; wave++)
        {
            var done = new CountdownEvent(8);
            for (var i = 0; i < 8; i++)
            {
                Assert.True(spares.TryRun(new SpareCall(() => done.Signal()), mayWait: true));
            }

            done.Wait();
        }

        SpinWait.SpinUntil(() => spares.ThreadCount == 0, TimeSpan.FromSeconds(30));
        Assert.Equal(0, spares.ThreadCount);
    }

    [Fact]
    public void An_async_local_of_one_call_is_not_seen_by_the_next()
    {
        using var spares = new SpareThreads(loopCount: 1, callCountMax: 1, waitingCountMax: 1);
        var done = new ManualResetEventSlim();
        var local = new AsyncLocal<string>();
        var seen = "nothing yet";
        spares.TryRun(new SpareCall(() => local.Value = "of the first"), mayWait: true);
        spares.TryRun(new SpareCall(() => { seen = local.Value; done.Set(); }), mayWait: true);

        done.Wait();
        Assert.Null(seen);
    }

    [Fact]
    public void Threads_end_when_the_pool_is_disposed_of_those_that_are_busy_when_they_are_done()
    {
        var spares = new SpareThreads(loopCount: 1, callCountMax: 4, waitingCountMax: 4);
        var gate = new ManualResetEventSlim();
        for (var i = 0; i < 3; i++)
        {
            spares.TryRun(new SpareCall(() => gate.Wait()), mayWait: true);
        }

        spares.Dispose();
        Assert.Equal(3, spares.ThreadCount);
        Assert.Null(spares.TryReserve());
        gate.Set();
        SpinWait.SpinUntil(() => spares.ThreadCount == 0);
    }

    [Fact]
    public void Calls_that_still_wait_when_the_pool_is_disposed_of_are_never_made()
    {
        var spares = new SpareThreads(loopCount: 1, callCountMax: 1, waitingCountMax: 4);
        var gate = new ManualResetEventSlim();
        var lateCount = 0;
        spares.TryRun(new SpareCall(() => gate.Wait()), mayWait: true);
        for (var i = 0; i < 4; i++)
        {
            spares.TryRun(new SpareCall(() => lateCount++), mayWait: true);
        }

        spares.Dispose();
        gate.Set();
        SpinWait.SpinUntil(() => spares.ThreadCount == 0);

        Assert.Equal(0, lateCount);
        Assert.Equal(0, spares.WaitingCount);
    }

    private sealed class SpareCall(Action call) : IThreadPoolWorkItem
    {
        public void Execute() => call();
    }
}
