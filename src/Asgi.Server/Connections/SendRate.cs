// Watches how a client takes what is sent to it: one that takes nothing must not hold a response, and its connection, for ever.
// Loop thread.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class SendRate(Connection connection) : LoopTimer
{
    /// <summary>How often a send that waits for its client is looked at, in milliseconds.</summary>
    public const int CheckMilliseconds = 1000;

    private DataRateMeter _meter;

    /// <summary>The least rate, or null. Set by the application's thread; read at the next look.</summary>
    public DataRate? RateMin { get; set; }

    public void Count(long sent) => _meter.Count(sent);

    /// <summary>A send is done: what is left waits for the client.</summary>
    public void Measure()
    {
        if (connection.Output.IsEmpty)
        {
            _meter = default;
        }
        else if (RateMin is not null && !_meter.IsRunning)
        {
            var now = connection.Loop.NowMilliseconds;
            _meter.Start(now);
            connection.Loop.Timers.Set(this, now + CheckMilliseconds);
        }
    }

    public void Stop() => connection.Loop.Timers.Remove(this);

    public override void Fire(long nowMilliseconds)
    {
        if (RateMin is not { } rate || !_meter.IsRunning)
        {
            return;
        }

        if (_meter.IsBelow(rate, nowMilliseconds))
        {
            connection.Log.ResponseTooSlow(connection.Id);
            connection.Abort();
        }
        else
        {
            connection.Loop.Timers.Set(this, nowMilliseconds + CheckMilliseconds);
        }
    }
}
