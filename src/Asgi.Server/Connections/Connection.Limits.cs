// What bounds a connection as a whole: its place among those that may be open, and its age. On the thread of its loop; the counting is for
// any thread.
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed partial class Connection
{
    /// <summary>The last part of the age limit, as a share of it, over which the ends of connections are spread.</summary>
    public const double AgeSpread = 0.1;

    private Age? _age;
    private int _isCounted;
    private int _isCountedAsUpgraded;

    public bool IsCountLimited => _below?.Connection.IsCountLimited ?? Limits.Connections is not null;

    public void StopCounting()
    {
        _below?.Connection.StopCounting();
        StopCountingThis();
    }

    // One that has no socket may be over long before the one below it, whose place it has not taken.
    private void StopCountingThis()
    {
        if (Interlocked.Exchange(ref _isCounted, 0) != 0)
        {
            Limits.Connections!.Leave();
        }
    }

    /// <summary>Counts the connection among the upgraded ones.</summary>
    /// <returns>False when there are as many as there may be.</returns>
    public bool TryCountAsUpgraded()
    {
        if (Limits.UpgradedConnections is { } limit && _isCountedAsUpgraded == 0)
        {
            _isCountedAsUpgraded = limit.TryEnter() ? 1 : 0;
            return _isCountedAsUpgraded != 0;
        }

        return true;
    }

    /// <summary>The upgrade has come to nothing, or to its end.</summary>
    public void StopCountingAsUpgraded()
    {
        if (_isCountedAsUpgraded != 0)
        {
            _isCountedAsUpgraded = 0;
            Limits.UpgradedConnections!.Leave();
        }
    }

    private void StopCountingAll()
    {
        StopCountingThis();
        StopCountingAsUpgraded();
    }

    // Connections of one moment, after a restart of their clients say, do not all end, and come again, at another.
    private void StartAging()
    {
        if (Limits.AgeMaxMilliseconds is { } max)
        {
            _age = new Age(this);
            Loop.Timers.Set(_age, Loop.NowMilliseconds + (long)(max * (1 - (AgeSpread * Random.Shared.NextDouble()))));
        }
    }

    private void StopAging()
    {
        if (_age is not null)
        {
            Loop.Timers.Remove(_age);
        }
    }

    private sealed class Age(Connection connection) : LoopTimer
    {
        public override void Fire(long nowMilliseconds) => connection.ShutDown(ConnectionEndReason.ConnectionAge);
    }
}
