// Whether a client of HTTP/2 opens its windows at the least rate while something waits for that. What SendRate is for the socket, this is
// for a stream's window and for the connection's: who takes nothing must not hold a response for ever. Milliseconds of the loop's clock;
// loop thread.
namespace Asgi.Server.Connections;

internal struct WindowRate
{
    private long _startedAt;
    private long _taken;

    public bool IsRunning { get; private set; }

    /// <summary>Something waits for the window from now on, if nothing did before.</summary>
    /// <param name="now">The time.</param>
    /// <param name="waiting">Bytes that wait: up to <see cref="SendRate.CreditMax"/> of them count as taken in advance, as of a
    /// socket.</param>
    public void Start(long now, long waiting)
    {
        if (!IsRunning)
        {
            IsRunning = true;
            _startedAt = now;
            _taken = Math.Min(waiting, SendRate.CreditMax);
        }
    }

    /// <summary>Nothing waits.</summary>
    public void Stop() => IsRunning = false;

    /// <summary>The window has let so much through.</summary>
    public void Count(long bytes) => _taken += bytes;

    public readonly bool IsBelow(DataRate rate, long now)
    {
        var elapsed = now - _startedAt;
        return IsRunning && elapsed > rate.GraceMilliseconds && _taken * 1000.0 / elapsed < rate.BytesPerSecond;
    }
}
