// What a loop tells of being busy: from the end of one poll to the next, over hand-offs, and nothing while nobody wants to know.

namespace Asgi.Server.Loops.Tests;

public sealed class LoopObserverTests : IDisposable
{
    private readonly ProbeBackend _backend = new();
    private readonly Loop _loop;
    private readonly Clock _clock = new();

    public LoopObserverTests() => _loop = new Loop(_backend, "loop under test", new Successor()) { Observer = _clock };

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void Posted_work_calls_and_sends_are_told_and_the_poll_is_not()
    {
        _clock.Now = 100;
        _backend.WhilePolling = () => _clock.Now += 1000;
        _loop.Post(new Work(() => _clock.Now += 1));
        _loop.Ready(new ReadyCall(() => _clock.Now += 10));
        _loop.FlushLater(new Flushing(() => _clock.Now += 100));

        _loop.Tick();
        _loop.Tick();

        Assert.Equal([111, 0], _clock.Told);
    }

    [Fact]
    public void A_tick_that_changes_hands_counts_from_its_begin()
    {
        _clock.Now = 100;
        _loop.Ready(new ReadyCall(() =>
        {
            _clock.Now += 10;
            Assert.True(_loop.TryHandOff(_loop.Hold!, HandOffReason.Waits));
        }));
        Assert.False(_loop.Tick());
        Assert.Empty(_clock.Told);
        _clock.Now += 5;

        var other = new Thread(() => _loop.Tick());
        other.Start();
        other.Join();

        Assert.Equal([15], _clock.Told);
    }

    [Fact]
    public void Nothing_is_told_while_nobody_wants_to_know()
    {
        _clock.Now = 0;

        _loop.Tick();
        _loop.Tick();

        Assert.Equal((2, 0), (_clock.AskedCount, _clock.Told.Count));
    }

    private sealed class Clock : ILoopObserver
    {
        /// <summary>The time; 0 for who does not want to know.</summary>
        public long Now { get; set; }

        public int AskedCount { get; private set; }

        public List<long> Told { get; } = [];

        public long BusyBegan()
        {
            AskedCount++;
            return Now;
        }

        public void BusyEnded(Loop loop, long began) => Told.Add(Now - began);
    }

    private sealed class Successor : ISpares, ILoopSuccessor
    {
        public ILoopSuccessor? TryReserve() => this;

        public bool TryRun(IThreadPoolWorkItem call, bool mayWait) => false;

        public void TakeOver(Loop loop)
        {
        }

        public void Release()
        {
        }
    }
}
