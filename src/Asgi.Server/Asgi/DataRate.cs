// The least rate at which a side must move bytes, and the measuring of it. Connections measure; applications set the rate per request.
namespace Asgi;

/// <summary>A least rate: over a time longer than the grace period, the average must not be lower.</summary>
internal sealed record DataRate(double BytesPerSecond, long GraceMilliseconds);

/// <summary>Measures one direction while somebody waits for its bytes. Milliseconds of the loop's clock; loop thread.</summary>
internal struct DataRateMeter
{
    private long _elapsed;
    private long _since;
    private long _bytes;

    public bool IsRunning { get; private set; }

    /// <summary>Waiting begins; what was measured before counts on.</summary>
    public void Start(long now)
    {
        if (!IsRunning)
        {
            IsRunning = true;
            _since = now;
        }
    }

    /// <summary>Nobody waits: the time that follows does not count.</summary>
    public void Pause(long now)
    {
        if (IsRunning)
        {
            IsRunning = false;
            _elapsed += now - _since;
        }
    }

    public void Count(long bytes)
    {
        if (IsRunning)
        {
            _bytes += bytes;
        }
    }

    public readonly bool IsBelow(DataRate rate, long now)
    {
        var elapsed = _elapsed + (IsRunning ? now - _since : 0);
        return elapsed > rate.GraceMilliseconds && _bytes * 1000.0 / elapsed < rate.BytesPerSecond;
    }
}
