// A backend without an operating system: a clock that moves only when a test says so, and a network that does what its seed says.
// Poll never sleeps: it moves bytes, dispatches the edges in seeded order and, when there are none, moves the clock. Driven by a Loop
// on the test's thread.

using System.Net;
using System.Runtime.InteropServices;
using Asgi.Server.Loops;

namespace Asgi.Server.Testing.Simulation;

internal sealed class SimulatedBackend(int seed, NetworkConditions? conditions = null) : Backend
{
    private readonly Random _random = new(seed);
    private readonly List<SimulatedTransport> _links = [];
    private readonly List<SimulatedListener> _listeners = [];
    private readonly List<SimulatedTransport> _batch = [];
    private readonly NetworkConditions _conditions = conditions ?? NetworkConditions.Of(seed);
    private long _now = 1_000_000L + seed;
    private int _wakes;
    private int _wakesSeen;
    private int _portLast = 40_000;

    public override long NowMilliseconds => _now;

    /// <summary>How far polls may move the clock.</summary>
    public long HorizonMilliseconds { get; set; } = 1_000_000L + seed;

    /// <summary>Whether the last poll found nothing to do and nothing to wait for.</summary>
    public bool IsIdle { get; private set; }

    public int WakeCount => Volatile.Read(ref _wakes);

    public SimulatedListener Listen(EndPoint? endPoint = null)
    {
        var listener = new SimulatedListener(this, endPoint ?? new IPEndPoint(IPAddress.Loopback, ++_portLast));
        _listeners.Add(listener);
        return listener;
    }

    /// <summary>Moves the clock, which is a test's to do between ticks.</summary>
    public void MoveClock(long milliseconds)
    {
        _now += milliseconds;
        HorizonMilliseconds = Math.Max(HorizonMilliseconds, _now);
    }

    public override void Poll(int timeoutMilliseconds)
    {
        var isWoken = TakeWakes();
        var isMoving = false;
        foreach (var link in _links)
        {
            isMoving |= link.Step();
        }

        var hasDispatched = AcceptAll() | DispatchEdges();
        _links.RemoveAll(link => link.IsOver);
        IsIdle = !isWoken && !isMoving && !hasDispatched && timeoutMilliseconds != 0 && !Sleep(timeoutMilliseconds);
    }

    public override void Wake() => Interlocked.Increment(ref _wakes);

    public override void StartAccepting(Listener listener, IAcceptHandler handler) => ((SimulatedListener)listener).Start(handler);

    public override void Attach(Transport transport, ITransportHandler handler) => ((SimulatedTransport)transport).Attach(handler);

    public override void Dispose()
    {
    }

    internal SimulatedTransport Link(SimulatedListener listener)
    {
        var link = new SimulatedTransport(_conditions, _random, new IPEndPoint(IPAddress.Loopback, ++_portLast), listener.LocalEndPoint);
        _links.Add(link);
        return link;
    }

    private bool TakeWakes()
    {
        var wakes = Volatile.Read(ref _wakes);
        var isWoken = wakes != _wakesSeen;
        _wakesSeen = wakes;
        return isWoken;
    }

    private bool AcceptAll()
    {
        var accepted = false;
        foreach (var listener in _listeners)
        {
            accepted |= listener.Accept();
        }

        return accepted;
    }

    // The batch is taken first, as epoll_wait takes it; a link may be closed by the handler of one before it.
    private bool DispatchEdges()
    {
        _batch.Clear();
        foreach (var link in _links)
        {
            if (link.TakeEdge())
            {
                _batch.Add(link);
            }
        }

        _random.Shuffle(CollectionsMarshal.AsSpan(_batch));
        foreach (var link in _batch)
        {
            link.Dispatch();
        }

        return _batch.Count > 0;
    }

    private bool Sleep(int timeoutMilliseconds)
    {
        var end = timeoutMilliseconds < 0 ? HorizonMilliseconds : Math.Min(HorizonMilliseconds, _now + timeoutMilliseconds);
        if (end <= _now)
        {
            return false;
        }

        _now = end;
        return true;
    }
}
