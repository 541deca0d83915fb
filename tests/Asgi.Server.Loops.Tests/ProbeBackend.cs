// A backend whose poll is the test's: it sees what timeout the loop asks for and acts while the loop sleeps.

namespace Asgi.Server.Loops.Tests;

internal sealed class ProbeBackend : Backend
{
    private int _wakeCount;

    public long Now { get; set; } = 1_000_000;

    public Action WhilePolling { get; set; } = () => { };

    public int LastTimeout { get; private set; }

    public int PollCount { get; private set; }

    public bool IsDisposed { get; private set; }

    public int WakeCount => Volatile.Read(ref _wakeCount);

    public override long NowMilliseconds => Now;

    public override void Poll(int timeoutMilliseconds)
    {
        LastTimeout = timeoutMilliseconds;
        PollCount++;
        WhilePolling();
    }

    public override void Wake() => Interlocked.Increment(ref _wakeCount);

    public override void StartAccepting(Listener listener, IAcceptHandler handler) => throw new NotSupportedException();

    public override void Attach(Transport transport, ITransportHandler handler) => throw new NotSupportedException();

    public override void Dispose() => IsDisposed = true;
}
