// The limits that steer a connection, taken once from the options when the server starts. Read on loop threads.
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal sealed record ConnectionLimits
{
    /// <summary>Unread content above which nothing more is received; null for no limit.</summary>
    public long? RequestBufferSizeMax { get; init; } = 1024 * 1024;

    /// <summary>Unsent bytes above which a flush waits until half of them are sent; null for no limit, 0 to wait for every byte.</summary>
    public long? ResponseBufferSizeMax { get; init; } = 64 * 1024;

    /// <summary>The largest content of a request that does not say otherwise; null for no limit.</summary>
    public long? ContentLengthMax { get; init; } = 30_000_000;

    /// <summary>The least rate of a request's content while the application waits for it; null for none.</summary>
    public DataRate? RequestRateMin { get; init; } = new(240, 5_000);

    /// <summary>The least rate at which a client takes a response; null for none.</summary>
    public DataRate? ResponseRateMin { get; init; } = new(240, 5_000);

    public long KeepAliveTimeoutMilliseconds { get; init; } = 130_000;

    public long HeadTimeoutMilliseconds { get; init; } = 30_000;

    /// <summary>How long unread content is taken in after a response, so that the connection can go on or the response arrive.</summary>
    public long DrainTimeoutMilliseconds { get; init; } = 5_000;

    public Http1Limits Http1 { get; init; } = new();
}
