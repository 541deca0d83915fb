// The routes whose handlers block, as hand-offs have taught. Any thread: loops ask, spare threads report.
using System.Collections.Concurrent;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

/// <summary>A route that is known to block.</summary>
/// <param name="key">Its key.</param>
/// <param name="blockingMilliseconds">A run of it so long has blocked.</param>
internal sealed class BlockingRoute(ulong key, int blockingMilliseconds)
{
    private int _shortRunCount;
    private long _lastBlocked;

    public ulong Key => key;

    public int BlockingMilliseconds => blockingMilliseconds;

    /// <summary>When a handler of it blocked last.</summary>
    public long LastBlockedMilliseconds => Volatile.Read(ref _lastBlocked);

    /// <summary>Runs since then that were short.</summary>
    public int ShortRunCount => Volatile.Read(ref _shortRunCount);

    public void NoteBlocked(long nowMilliseconds)
    {
        Volatile.Write(ref _lastBlocked, nowMilliseconds);
        Volatile.Write(ref _shortRunCount, 0);
    }

    public int NoteShortRun() => Interlocked.Increment(ref _shortRunCount);
}

/// <param name="blockingMilliseconds">A run so long has blocked: what a hand-off takes.</param>
internal sealed class BlockingRoutes(int blockingMilliseconds)
{
    /// <summary>Routes kept; when there are more, all are forgotten and learned again, at the cost of a hand-off each.</summary>
    public const int CountMax = 1024;

    /// <summary>Runs in a row that are short make a route one that does not block.</summary>
    public const int ShortRunsMax = 256;

    /// <summary>What makes a route one that blocks: two hand-offs of a thread that waits, or eight of one that runs.</summary>
    public const int EvidenceMin = 8;

    /// <summary>How long a route is kept that has not blocked, in milliseconds, and how long evidence counts.</summary>
    public const int ForgetMilliseconds = 60_000;

    /// <summary>
    /// Waits too short for a hand-off that make a route one that blocks, when they come within <see cref="WaitsWindowMilliseconds"/>: a
    /// handler that calls a database for a few milliseconds holds up its loop as much as one that sleeps, and more often.
    /// </summary>
    public const int WaitsMin = 8;

    /// <inheritdoc cref="WaitsMin"/>
    public const int WaitsWindowMilliseconds = 1000;

    // A lock, since what is learned belongs to all loops. Only hand-offs, waits of some milliseconds and a route's end come this way; who
    // asks reads without it.
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<ulong, BlockingRoute> _blocking = new();
    private readonly Dictionary<ulong, (int Evidence, long Since)> _suspects = [];
    private readonly Dictionary<ulong, (int Evidence, long Since)> _waits = [];
    private readonly int _briefMilliseconds = Watchdog.PlanFor(blockingMilliseconds).Period;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public BlockingRoute? Find(ulong key, long nowMilliseconds)
    {
        if (!_blocking.TryGetValue(key, out var route))
        {
            return null;
        }

        if (nowMilliseconds - route.LastBlockedMilliseconds < ForgetMilliseconds)
        {
            return route;
        }

        Forget(route);
        return null;
    }

    /// <summary>
    /// A handler of the route has held up a loop. It is learned when there is evidence enough within a minute: once may be an accident, and
    /// a thread that runs may be compiling the handler, or be out of luck on a busy machine.
    /// </summary>
    /// <returns>Whether the route is newly learned.</returns>
    public bool Learn(ulong key, HandOffReason reason, long nowMilliseconds)
    {
        lock (_gate)
        {
            if (_blocking.TryGetValue(key, out var known))
            {
                known.NoteBlocked(nowMilliseconds);
                return false;
            }

            if (!IsEnough(_suspects, key, Weight(reason), EvidenceMin, ForgetMilliseconds, nowMilliseconds))
            {
                return false;
            }

            Add(new BlockingRoute(key, blockingMilliseconds), nowMilliseconds);
            return true;
        }
    }

    /// <summary>A handler of the route has held up a loop by waiting, but not for so long that it was handed off.</summary>
    /// <returns>Whether the route is newly learned.</returns>
    public bool LearnWait(ulong key, long nowMilliseconds)
    {
        lock (_gate)
        {
            if (_blocking.ContainsKey(key) || !IsEnough(_waits, key, 1, WaitsMin, WaitsWindowMilliseconds, nowMilliseconds))
            {
                return false;
            }

            Add(new BlockingRoute(key, _briefMilliseconds), nowMilliseconds);
            return true;
        }
    }

    /// <summary>A run of the route on a spare thread has ended.</summary>
    /// <param name="route">The route.</param>
    /// <param name="beganMilliseconds">When it began.</param>
    /// <param name="endedMilliseconds">When it ended.</param>
    /// <param name="isStart">
    /// Whether it was the start of a request. What goes on later is no run of its own: a request may have thousands of short ones.
    /// </param>
    public void Ran(BlockingRoute route, long beganMilliseconds, long endedMilliseconds, bool isStart = true)
    {
        if (endedMilliseconds - beganMilliseconds >= route.BlockingMilliseconds)
        {
            route.NoteBlocked(endedMilliseconds);
        }
        else if (isStart && route.NoteShortRun() == ShortRunsMax)
        {
            Forget(route);
        }
    }

    private static int Weight(HandOffReason reason) => reason switch
    {
        HandOffReason.Runs => 1,
        HandOffReason.Waits => 4,
        _ => EvidenceMin,
    };

    // Whether what is known of a key, with this, is enough; what is older than the window does not count.
    private static bool IsEnough(
        Dictionary<ulong, (int Evidence, long Since)> known, ulong key, int weight, int enough, int window, long nowMilliseconds)
    {
        var (evidence, since) = known.GetValueOrDefault(key, (0, nowMilliseconds));
        if (nowMilliseconds - since >= window)
        {
            (evidence, since) = (0, nowMilliseconds);
        }

        evidence += weight;
        if (evidence >= enough)
        {
            return true;
        }

        Forgo(known.Count, known.Clear);
        known[key] = (evidence, since);
        return false;
    }

    private void Add(BlockingRoute route, long nowMilliseconds)
    {
        Forgo(_blocking.Count, _blocking.Clear);
        _suspects.Remove(route.Key);
        _waits.Remove(route.Key);
        route.NoteBlocked(nowMilliseconds);
        _blocking[route.Key] = route;
        Volatile.Write(ref _count, _blocking.Count);
    }

    private void Forget(BlockingRoute route)
    {
        lock (_gate)
        {
            _blocking.TryRemove(new KeyValuePair<ulong, BlockingRoute>(route.Key, route));
            Volatile.Write(ref _count, _blocking.Count);
        }
    }

    private static void Forgo(int count, Action clear)
    {
        if (count >= CountMax)
        {
            clear();
        }
    }
}
