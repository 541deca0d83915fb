// Watches how a client takes what is sent to it: one that takes nothing must not hold a response, and its connection, for ever. What counts
// is what the client has acknowledged. The kernel takes megabytes at once and then nothing for long, which says nothing of the client.
// Made when a client does not take all of a send. Loop thread.
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class SendRate(Connection connection) : LoopTimer
{
    /// <summary>How often a send that waits for its client is looked at, in milliseconds.</summary>
    public const int CheckMilliseconds = 1000;

    /// <summary>
    /// Bytes that count as taken in advance, as far as they wait: a receiver opens its window in steps, of a segment or of half its buffer.
    /// </summary>
    public const int CreditMax = 64 * 1024;

    private bool _isRunning;
    private long _startedAt;
    private long _sent;
    private long _acknowledgedBefore;
    private long _credit;

    // May be set by the application's thread meanwhile.
    private DataRate? RateMin => connection.SendRateMin;

    private long Acknowledged => _sent - connection.Transport.UnacknowledgedLength;

    public void Count(long sent) => _sent += sent;

    /// <summary>A send is done: what is left waits for the client.</summary>
    public void Measure()
    {
        if (!connection.IsUnsent)
        {
            _isRunning = false;
        }
        else if (RateMin is not null && !_isRunning)
        {
            _isRunning = true;
            _startedAt = connection.Loop.NowMilliseconds;
            _acknowledgedBefore = Acknowledged;
            _credit = Math.Min(connection.UnsentLength + (connection.Output.FirstFile?.Length ?? 0), CreditMax);
            connection.Loop.Timers.Set(this, _startedAt + CheckMilliseconds);
        }
    }

    public void Stop() => connection.Loop.Timers.Remove(this);

    public override void Fire(long nowMilliseconds)
    {
        if (RateMin is not { } rate || !_isRunning)
        {
            // Given up by this request; the next may want it again.
            _isRunning = false;
            return;
        }

        var elapsed = nowMilliseconds - _startedAt;
        var taken = Acknowledged - _acknowledgedBefore + _credit;
        if (elapsed > rate.GraceMilliseconds && taken * 1000.0 / elapsed < rate.BytesPerSecond)
        {
            connection.Log.ResponseTooSlow(connection.Id);
            connection.Abort(ConnectionEndReason.MinResponseDataRate);
        }
        else
        {
            connection.Loop.Timers.Set(this, nowMilliseconds + CheckMilliseconds);
        }
    }
}
