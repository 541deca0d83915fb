// The limits that steer a connection, taken once from the options when the server starts, for each endpoint. Read on loop threads.
using System.Text;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Protocols.Http2;

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

    /// <summary>How long unread content is taken in after a response, so that the connection can go on.</summary>
    public long DrainTimeoutMilliseconds { get; init; } = 5_000;

    /// <summary>How long a client may go on sending after FIN, so that the last response arrives; 0 to close at once.</summary>
    public long LingeringTimeoutMilliseconds { get; init; } = 5_000;

    /// <summary>Whether FIN after a request ends the connection, instead of letting the response be sent.</summary>
    public bool AbortsOnHalfClose { get; init; }

    /// <summary>How long after its client's FIN a request goes on undisturbed.</summary>
    public long HalfCloseTimeoutMilliseconds { get; init; } = 10_000;

    /// <summary>How long an upgraded connection may go on after it was asked to end because the server stops.</summary>
    public long UpgradedShutdownTimeoutMilliseconds { get; init; } = 5_000;

    /// <summary>Requests after which a connection ends; null for no limit.</summary>
    public int? RequestsMax { get; init; }

    /// <summary>The age at which a connection ends; null for no limit.</summary>
    public long? AgeMaxMilliseconds { get; init; }

    /// <summary>Connections that may be open at a time, but for upgraded ones; null for no limit.</summary>
    public ConcurrencyLimit? Connections { get; init; }

    /// <summary>Connections that may be upgraded at a time; null for no limit.</summary>
    public ConcurrencyLimit? UpgradedConnections { get; init; }

    /// <summary>How values of request fields are decoded, by name; null where all are UTF-8, as the machine sees to.</summary>
    public Func<string, Encoding?>? RequestEncodings { get; init; }

    public Http1Limits Http1 { get; init; } = new();

    public Http2Limits Http2 { get; init; } = Http2Limits.Default;

    /// <summary>Whether a request of HTTP/2 may name another scheme than its transport's.</summary>
    public bool AllowsAlternateSchemes { get; init; }

    /// <summary>Whether fields of responses are put into the dynamic table of HPACK.</summary>
    public bool CompressesResponseFields { get; init; } = true;

    /// <summary>Silence after which a client of HTTP/2 is asked whether it is there; null: never.</summary>
    public long? KeepAlivePingDelayMilliseconds { get; init; }

    /// <summary>How long it may take to answer.</summary>
    public long KeepAlivePingTimeoutMilliseconds { get; init; } = 20_000;
}
