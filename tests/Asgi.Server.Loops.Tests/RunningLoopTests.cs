// A loop on a thread of its own, on every backend of the system: what other threads post to it.

using System.Runtime.Versioning;
using Asgi.Server.Loops.Epoll;
using Asgi.Server.Loops.Portable;

namespace Asgi.Server.Loops.Tests;

public abstract class RunningLoopTests
{
    private readonly BackendFactory _backends;

    private protected RunningLoopTests(BackendFactory backends) => _backends = backends;

    [Fact]
    public void What_many_threads_post_to_a_running_loop_runs_once_each_in_the_order_of_each()
    {
        const int ThreadCount = 4;
        const int ItemCount = 20_000;
        using var loop = new Loop(_backends.Create(), "loop under test");
        using var done = new CountdownEvent(ThreadCount * ItemCount);
        var next = new int[ThreadCount];
        var isInOrder = true;
        loop.Start();

        var threads = Enumerable.Range(0, ThreadCount).Select(number => new Thread(() =>
        {
            for (var i = 0; i < ItemCount; i++)
            {
                var expected = i;
                loop.Post(new Work(() =>
                {
                    isInOrder &= next[number]++ == expected;
                    done.Signal();
                }));
            }
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        // A lost wake-up would leave it asleep with work posted.
        Assert.True(done.Wait(TimeSpan.FromSeconds(30)));
        loop.Stop();
        Assert.True(isInOrder);
        Assert.All(next, count => Assert.Equal(ItemCount, count));
    }

    [Fact]
    public void A_sleeping_loop_never_misses_a_post()
    {
        using var loop = new Loop(_backends.Create(), "loop under test");
        using var ran = new SemaphoreSlim(0);
        loop.Start();
        for (var i = 0; i < 5000; i++)
        {
            loop.Post(new Work(() => ran.Release()));
            Assert.True(ran.Wait(TimeSpan.FromSeconds(30)));
        }

        loop.Stop();
    }

    [Fact]
    public void A_loop_that_was_never_started_stops()
    {
        using var loop = new Loop(_backends.Create(), "loop under test");

        loop.Stop();
    }
}

[SupportedOSPlatform("linux")]
public sealed class EpollRunningLoopTests() : RunningLoopTests(new EpollFactory());

public sealed class PortableRunningLoopTests() : RunningLoopTests(new PortableFactory());
