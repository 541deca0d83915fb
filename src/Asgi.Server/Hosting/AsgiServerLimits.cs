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
    /// The least rate of request content while the application waits for it; below it the read fails with status 408. Null for none;
    /// default 240 bytes a second after a grace period of 5 seconds. Looked at every second.
    /// </summary>
    public MinDataRate? MinRequestBodyDataRate { get; set; } = new(240, TimeSpan.FromSeconds(5));

    /// <summary>
    /// The least rate at which a client takes a response that does not fit the socket; below it the connection is aborted. Null for none;
    /// default 240 bytes a second after a grace period of 5 seconds. Looked at every second.
    /// </summary>
    public MinDataRate? MinResponseDataRate { get; set; } = new(240, TimeSpan.FromSeconds(5));

    private static int DemandPositive(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
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
