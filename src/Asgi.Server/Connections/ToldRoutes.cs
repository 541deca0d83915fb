// Which routes the log has told of as blocking, so that it tells of each once per episode. Loop threads.
namespace Asgi.Server.Connections;

internal sealed class ToldRoutes
{
    /// <summary>Routes told of within an episode's time: clients choose the paths of routes that have no name.</summary>
    public const int CountMax = 256;

    /// <summary>An episode lasts until its route was not learned for so long, in milliseconds.</summary>
    public const int EpisodeMilliseconds = 60_000;

    // A lock, since the log belongs to all loops. Only a route that is learned comes this way.
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _lastLearned = [];

    /// <summary>A route was learned. Whether to tell of it: not twice in an episode, and not so many that they flood a log.</summary>
    public bool TryTell(string route, long nowMilliseconds)
    {
        lock (_gate)
        {
            if (_lastLearned.TryGetValue(route, out var before) && nowMilliseconds - before < EpisodeMilliseconds)
            {
                _lastLearned[route] = nowMilliseconds;
                return false;
            }

            if (_lastLearned.Count >= CountMax)
            {
                ForgetEnded(nowMilliseconds);
            }

            if (_lastLearned.Count >= CountMax)
            {
                return false;
            }

            _lastLearned[route] = nowMilliseconds;
            return true;
        }
    }

    private void ForgetEnded(long nowMilliseconds)
    {
        foreach (var (route, lastLearned) in _lastLearned)
        {
            if (nowMilliseconds - lastLearned >= EpisodeMilliseconds)
            {
                _lastLearned.Remove(route);
            }
        }
    }
}
