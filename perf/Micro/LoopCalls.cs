// What a loop charges for a call: work that was posted, and a call into an application from the ready list. Post and tick on one thread, so
// nothing sleeps and nothing is woken.

using Asgi.Server.Loops;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class LoopCalls
{
    private readonly Counted[] _work = [.. Enumerable.Range(0, 64).Select(_ => new Counted())];
    private readonly CountedCall _call = new();
    private Loop _loop = null!;

    [GlobalSetup]
    public void SetUp() => _loop = new Loop(new NullBackend(), "micro");

    [Benchmark(Baseline = true), Yields(1)]
    public int EmptyTick() => _loop.Tick() ? 1 : 0;

    [Benchmark, Yields(1)]
    public int PostAndRun()
    {
        int before = _work[0].Count;
        _loop.Post(_work[0]);
        _loop.Tick();
        return _work[0].Count - before;
    }

    /// <summary>Posted before one tick, as by 64 applications on other threads.</summary>
    [Benchmark, Yields(64)]
    public int PostAndRun64()
    {
        int before = Ran();
        foreach (var item in _work)
            _loop.Post(item);
        _loop.Tick();
        return Ran() - before;
    }

    [Benchmark, Yields(1)]
    public int ReadyAndCall()
    {
        int before = _call.Count;
        _loop.Ready(_call);
        _loop.Tick();
        return _call.Count - before;
    }

    [GlobalCleanup]
    public void CleanUp() => _loop.Dispose();

    private int Ran()
    {
        int count = 0;
        foreach (var item in _work)
            count += item.Count;
        return count;
    }

    private sealed class Counted : WorkItem
    {
        public int Count { get; private set; }

        public override void Run() => Count++;
    }

    private sealed class CountedCall : ReadyItem
    {
        public int Count { get; private set; }

        public override void Call(int call) => Count++;
    }

    /// <summary>No system: its clock stands and nothing ever happens.</summary>
    private sealed class NullBackend : Backend
    {
        public override long NowMilliseconds => 1_000_000;

        public override void Poll(int timeoutMilliseconds)
        {
        }

        public override void Wake()
        {
        }

        public override void StartAccepting(Listener listener, IAcceptHandler handler)
        {
        }

        public override void Attach(Transport transport, ITransportHandler handler)
        {
        }

        public override void Dispose()
        {
        }
    }
}
