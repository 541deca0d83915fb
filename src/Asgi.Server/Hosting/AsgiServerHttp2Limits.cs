// The limits of HTTP/2 an operator may set, with Kestrel's names. Read once when the server starts.
namespace Asgi.Server;

/// <summary>
/// The limits of HTTP/2 connections, beside those of <see cref="AsgiServerLimits"/>, which hold for them too. Sizes are bytes; setters
/// throw <see cref="ArgumentOutOfRangeException"/> for values out of range.
/// </summary>
public sealed class AsgiServerHttp2Limits
{
    private const int FrameSizeMin = 16 * 1024;
    private const int FrameSizeMax = (1 << 24) - 1;
    private const int WindowSizeMin = 65_535;

    /// <summary>
    /// Streams of a connection, that is requests, at a time; one more is refused with REFUSED_STREAM (RFC 9113, section 5.1.2). Greater
    /// than 0; default 100.
    /// </summary>
    public int MaxStreamsPerConnection
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 100;

    /// <summary>
    /// The table that header compression may use, of either side (RFC 7541, section 4.2). 0 or greater, 0 for none; default 4,096.
    /// </summary>
    public int HeaderTableSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 4 * 1024;

    /// <summary>
    /// The largest payload of a frame that a client may send (RFC 9113, section 4.2). 16,384 to 16,777,215; default 16,384.
    /// </summary>
    public int MaxFrameSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, FrameSizeMin);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, FrameSizeMax);
            field = value;
        }
    } = FrameSizeMin;

    /// <summary>
    /// The largest name, and the largest value, of a header field; beyond it the answer is 431. Greater than 0; default 32,768.
    /// </summary>
    public int MaxRequestHeaderFieldSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 32 * 1024;

    /// <summary>
    /// Request content that a client may send ahead of the application's reading, for all streams of a connection (RFC 9113, section 5.2).
    /// At least 65,535 and <see cref="InitialStreamWindowSize"/>; default 1,048,576.
    /// </summary>
    public int InitialConnectionWindowSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, WindowSizeMin);
            field = value;
        }
    } = 1024 * 1024;

    /// <summary>The same for one stream. At least 65,535; default 786,432.</summary>
    public int InitialStreamWindowSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, WindowSizeMin);
            field = value;
        }
    } = 768 * 1024;

    /// <summary>
    /// How long a connection may be silent before a PING asks whether its client is still there. At least 1 second,
    /// <see cref="Timeout.InfiniteTimeSpan"/> for never; default never.
    /// </summary>
    public TimeSpan KeepAlivePingDelay
    {
        get;
        set => field = DemandTime(value);
    } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// How long the answer to that PING may take; then the connection is closed. At least 1 second, <see cref="Timeout.InfiniteTimeSpan"/>
    /// for as long as it lives; default 20 seconds.
    /// </summary>
    public TimeSpan KeepAlivePingTimeout
    {
        get;
        set => field = DemandTime(value);
    } = TimeSpan.FromSeconds(20);

    internal AsgiServerHttp2Limits Copy() => (AsgiServerHttp2Limits)MemberwiseClone();

    /// <summary>Limits that contradict each other.</summary>
    internal IEnumerable<string> Problems()
    {
        if (InitialConnectionWindowSize < InitialStreamWindowSize)
        {
            yield return $"Limits.Http2.InitialConnectionWindowSize ({InitialConnectionWindowSize}) must be greater than or equal to "
                + $"Limits.Http2.InitialStreamWindowSize ({InitialStreamWindowSize}).";
        }
    }

    private static TimeSpan DemandTime(TimeSpan value)
    {
        if (value != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
        }

        return value;
    }
}
