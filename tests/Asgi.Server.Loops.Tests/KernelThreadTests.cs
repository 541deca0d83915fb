// What the kernel says of a thread.

using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops.Tests;

public sealed class KernelThreadTests
{
    [Fact]
    public void A_thread_that_asks_runs() => Assert.True(KernelThread.IsRunning(KernelThread.CurrentId()));

    [Fact]
    public void A_thread_that_waits_does_not_run()
    {
        var gate = new SemaphoreSlim(0);
        var id = 0;
        var thread = new Thread(() =>
        {
            Volatile.Write(ref id, KernelThread.CurrentId());
            gate.Wait();
        });
        thread.Start();

        SpinWait.SpinUntil(() => Volatile.Read(ref id) != 0);
        Assert.True(SpinWait.SpinUntil(() => !KernelThread.IsRunning(id), TimeSpan.FromSeconds(30)));

        gate.Release();
        thread.Join();
    }

    [Fact]
    public void An_unknown_thread_does_not_run() => Assert.False(KernelThread.IsRunning(0));
}
