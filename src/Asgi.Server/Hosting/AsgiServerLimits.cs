// The limits an operator may set. Read once when the server starts.
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Asgi.Server;

/// <summary>
/// The limits of a server. Sizes are bytes; setters throw <see cref="ArgumentOutOfRangeException"/> for values out of range.
/// </summary>
public sealed class AsgiServerLimits
{
    private long? _maxResponseBufferSize = 64 * 1024;
    private long? _maxRequestBufferSize = 1024 * 1024;
    private int _maxRequestLineSize = 8 * 1024;
    private int _maxRequestHeadersTotalSize = 32 * 1024;
    private int _maxRequestHeaderCount = 100;
    private long? _maxRequestBodySize = 30_000_000;
    private TimeSpan _keepAliveTimeout = TimeSpan.FromSeconds(130);
    private TimeSpan _requestHeadersTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Unsent bytes of a connection above which a write waits, until half of them are sent. Null for no limit, 0 to wait until everything
    /// is handed to the operating system. Default 65,536.
    /// </summary>
    public long? MaxResponseBufferSize
    {
        get => _maxResponseBufferSize;
        set => _maxResponseBufferSize = DemandNotNegative(value);
    }

    /// <summary>
    /// Request content received and not read above which the connection is no longer read from. Null for no limit; at least the largest
    /// request line and headers. Default 1,048,576.
    /// </summary>
    public long? MaxRequestBufferSize
    {
        get => _maxRequestBufferSize;
        set
        {
            if (value is { } size)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(value));
            }

            _maxRequestBufferSize = value;
        }
    }

    /// <summary>The largest request line with its line end; beyond it the answer is 414. Greater than 0; default 8,192.</summary>
    public int MaxRequestLineSize
    {
        get => _maxRequestLineSize;
        set => _maxRequestLineSize = DemandPositive(value);
    }

    /// <summary>
    /// The largest header section, all lines with their ends; beyond it the answer is 431. Greater than 0; default 32,768.
    /// </summary>
    public int MaxRequestHeadersTotalSize
    {
        get => _maxRequestHeadersTotalSize;
        set => _maxRequestHeadersTotalSize = DemandPositive(value);
    }

    /// <summary>The most header lines; beyond it the answer is 431. Greater than 0; default 100.</summary>
    public int MaxRequestHeaderCount
    {
        get => _maxRequestHeaderCount;
        set => _maxRequestHeaderCount = DemandPositive(value);
    }

    /// <summary>
    /// The largest request content, chunked framing included; reading beyond it throws
    /// <see cref="Microsoft.AspNetCore.Http.BadHttpRequestException"/> with status 413. Null for no limit; default 30,000,000. A request
    /// may change it with IHttpMaxRequestBodySizeFeature.
    /// </summary>
    public long? MaxRequestBodySize
    {
        get => _maxRequestBodySize;
        set => _maxRequestBodySize = DemandNotNegative(value);
    }

    /// <summary>
    /// How long a connection may be without a request, from its start or from the last response; then it is closed.
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit; default 130 seconds. Fires up to 64 ms late.
    /// </summary>
    public TimeSpan KeepAliveTimeout
    {
        get => _keepAliveTimeout;
        set => _keepAliveTimeout = DemandTimeout(value);
    }

    /// <summary>
    /// How long a request head may take from its first byte; then the answer is 408. <see cref="Timeout.InfiniteTimeSpan"/> for no limit;
    /// default 30 seconds. Fires up to 64 ms late.
    /// </summary>
    public TimeSpan RequestHeadersTimeout
    {
        get => _requestHeadersTimeout;
        set => _requestHeadersTimeout = DemandTimeout(value);
    }

    /// <summary>
    /// How long content that the application has not read is taken in after its response, so that the connection can go on; then it is
    /// closed. Greater than 0, <see cref="Timeout.InfiniteTimeSpan"/> for no limit; default 5 seconds. Fires up to 64 ms late.
    /// </summary>
    public TimeSpan RequestBodyDrainTimeout
    {
        get;
        set => field = DemandTimeout(value);
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a connection that was ended while its client may still send is listened to, so that no RST destroys the last response, a
    /// 400 or 413 for example, before the client has read it (RFC 9112, section 9.6). <see cref="TimeSpan.Zero"/> to close at once;
    /// <see cref="Timeout.InfiniteTimeSpan"/> to wait for the client; default 5 seconds. Fires up to 64 ms late.
    /// </summary>
    public TimeSpan LingeringTimeout
    {
        get;
        set => field = value == TimeSpan.Zero ? value : DemandTimeout(value);
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a request goes on undisturbed after its client has sent FIN; then RequestAborted is raised, and what is still written is
    /// sent. Without effect with <see cref="HalfCloseBehavior.Abort"/>. Greater than 0, <see cref="Timeout.InfiniteTimeSpan"/> for never;
    /// default 10 seconds. Fires up to 64 ms late.
    /// </summary>
    public TimeSpan HalfCloseTimeout
    {
        get;
        set => field = DemandTimeout(value);
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long an upgraded connection, a WebSocket for example, may go on after ConnectionClosedRequested was raised because the server
    /// stops. Then its reader sees the end, RequestAborted is raised and FIN follows what is written. Greater than 0,
    /// <see cref="Timeout.InfiniteTimeSpan"/> for as long as the host waits; default 5 seconds. Fires up to 64 ms late.
    /// </summary>
    public TimeSpan UpgradedShutdownTimeout
    {
        get;
        set => field = DemandTimeout(value);
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Connections open at a time, over all loops; one more is closed at once. Upgraded ones do not count. Greater than 0, null for no
    /// limit; default null.
    /// </summary>
    public long? MaxConcurrentConnections
    {
        get;
        set => field = DemandPositive(value);
    }

    /// <summary>
    /// Connections upgraded at a time, over all loops; to upgrade one more throws <see cref="InvalidOperationException"/>. 0 or more, null
    /// for no limit; default null.
    /// </summary>
    public long? MaxConcurrentUpgradedConnections
    {
        get;
        set => field = DemandNotNegative(value);
    }

    /// <summary>
    /// Requests under way at a time, over all loops; one more is answered 503 with <see cref="RetryAfter"/> and the application never sees
    /// it. An upgraded request counts until it ends. Greater than 0, null for no limit; default null.
    /// </summary>
    public long? MaxConcurrentRequests
    {
        get;
        set => field = DemandPositive(value);
    }

    /// <summary>
    /// What a request beyond <see cref="MaxConcurrentRequests"/> is told in Retry-After (RFC 9110, section 10.2.3), rounded up to whole
    /// seconds. 0 to one day; default 1 second.
    /// </summary>
    public TimeSpan RetryAfter
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1));
            field = value;
        }
    } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Requests on one connection; the last response carries <c>Connection: close</c>. Greater than 0, null for no limit; default null.
    /// </summary>
    public int? MaxRequestsPerConnection
    {
        get;
        set => field = (int?)DemandPositive(value);
    }

    /// <summary>
    /// The age of a connection at which it is ended: an idle one is closed, a busy one answers with <c>Connection: close</c>, an upgraded
    /// one is only told (ConnectionClosedRequested). It is ended up to a tenth of the age earlier, each at another time, so that clients
    /// of one moment do not all come again at one moment. Greater than 0, null for no limit; default null.
    /// </summary>
    public TimeSpan? MaxConnectionAge
    {
        get;
        set
        {
            if (value is { } age)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(age, TimeSpan.Zero, nameof(value));
            }

            field = value;
        }
    }

    /// <summary>
    /// The least rate of request content while the application waits for it; below it the read fails with status 408. Null for none;
    /// default 240 bytes a second after a grace period of 5 seconds. Looked at every second.
    /// </summary>
    public MinDataRate? MinRequestBodyDataRate { get; set; } = new(240, TimeSpan.FromSeconds(5));

    /// <summary>
    /// The least rate at which a client takes a response that does not fit the socket; below it the connection is aborted. Null for none;
    /// default 240 bytes a second after a grace period of 5 seconds. Looked at every second.
    /// </summary>
    public MinDataRate? MinResponseDataRate { get; set; } = new(240, TimeSpan.FromSeconds(5));

    /// <summary>Limits of HTTP/2.</summary>
    public AsgiServerHttp2Limits Http2 { get; private set; } = new();

    /// <summary>Limits of the same values that change on their own.</summary>
    internal AsgiServerLimits Copy()
    {
        var copy = (AsgiServerLimits)MemberwiseClone();
        copy.Http2 = Http2.Copy();
        return copy;
    }

    /// <summary>Limits that contradict each other.</summary>
    internal IEnumerable<string> Problems()
    {
        if (MaxRequestBufferSize < MaxRequestLineSize)
        {
            yield return TooSmall(nameof(MaxRequestLineSize), MaxRequestLineSize);
        }

        if (MaxRequestBufferSize < MaxRequestHeadersTotalSize)
        {
            yield return TooSmall(nameof(MaxRequestHeadersTotalSize), MaxRequestHeadersTotalSize);
        }

        foreach (var problem in Http2.Problems())
        {
            yield return problem;
        }
    }

    private string TooSmall(string name, int size) =>
        $"Limits.MaxRequestBufferSize ({MaxRequestBufferSize}) must be greater than or equal to Limits.{name} ({size}).";

    private static int DemandPositive(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
        return value;
    }

    private static long? DemandPositive(long? value)
    {
        if (value is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(value));
        }

        return value;
    }

    private static long? DemandNotNegative(long? value)
    {
        if (value is { } size)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(value));
        }

        return value;
    }

    private static TimeSpan DemandTimeout(TimeSpan value)
    {
        if (value != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        }

        return value;
    }
}
