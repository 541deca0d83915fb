// What loops run, made of delegates.

namespace Asgi.Server.Loops.Tests;

internal sealed class Work(Action run) : WorkItem
{
    public override void Run() => run();
}

internal sealed class ReadyCall(Action call, Action? returned = null) : ReadyItem
{
    public override void Call(int number) => call();

    public override void Returned(int number, bool wasAway) => returned?.Invoke();
}

internal sealed class WaitingCall(Action call) : ReadyItem
{
    public int WaitCount { get; private set; }

    public override void Call(int number) => call();

    public override void Waited(int number) => WaitCount++;
}

internal sealed class TestTimer(Action<long> fire) : LoopTimer
{
    public override void Fire(long nowMilliseconds) => fire(nowMilliseconds);
}

internal sealed class Flushing(Action flush) : IFlushable
{
    void IFlushable.Flush() => flush();
}
