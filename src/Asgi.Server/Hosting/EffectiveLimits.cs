// The limits as connections use them, from those an operator has set for the server and for some of its endpoints. Made by AsgiServer when
// it starts, on the host's thread.
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Hosting;

/// <summary>What the connections of an endpoint are held to; <paramref name="Requests"/> is null without a limit.</summary>
internal sealed record EndpointLimits(ConnectionLimits Connection, ConcurrencyLimit? Requests, int RetryAfterSeconds);

internal sealed class EffectiveLimits
{
    // A century: "no limit" without a case of its own.
    private static readonly TimeSpan TimeoutMax = TimeSpan.FromDays(36_500);

    private readonly AsgiServerOptions _options;
    private readonly EndpointLimits _server;

    public EffectiveLimits(AsgiServerOptions options)
    {
        _options = options;
        _server = Create(options.Limits);
    }

    /// <summary>The limits of an endpoint.</summary>
    /// <param name="own">Its own ones; null for the server's.</param>
    public EndpointLimits Of(AsgiServerLimits? own) => own is null ? _server : Create(own);

    private EndpointLimits Create(AsgiServerLimits limits)
    {
        var server = _options.Limits;
        var encodings = HeaderEncodings.From(_options.RequestHeaderEncodingSelector, _options.ResponseHeaderEncodingSelector);
        var connection = new ConnectionLimits
        {
            RequestBufferSizeMax = limits.MaxRequestBufferSize,
            ResponseBufferSizeMax = limits.MaxResponseBufferSize,
            ContentLengthMax = limits.MaxRequestBodySize,
            RequestRateMin = DataRates.From(limits.MinRequestBodyDataRate),
            ResponseRateMin = DataRates.From(limits.MinResponseDataRate),
            KeepAliveTimeoutMilliseconds = ToMilliseconds(limits.KeepAliveTimeout),
            HeadTimeoutMilliseconds = ToMilliseconds(limits.RequestHeadersTimeout),
            DrainTimeoutMilliseconds = ToMilliseconds(limits.RequestBodyDrainTimeout),
            LingeringTimeoutMilliseconds = ToMilliseconds(limits.LingeringTimeout),
            AbortsOnHalfClose = _options.HalfClose == HalfCloseBehavior.Abort,
            HalfCloseTimeoutMilliseconds = ToMilliseconds(limits.HalfCloseTimeout),
            UpgradedShutdownTimeoutMilliseconds = ToMilliseconds(limits.UpgradedShutdownTimeout),
            RequestsMax = limits.MaxRequestsPerConnection,
            AgeMaxMilliseconds = limits.MaxConnectionAge is { } age ? ToMilliseconds(age) : null,
            Connections = Count(limits.MaxConcurrentConnections, server.MaxConcurrentConnections, _server?.Connection.Connections),
            UpgradedConnections = Count(
                limits.MaxConcurrentUpgradedConnections,
                server.MaxConcurrentUpgradedConnections,
                _server?.Connection.UpgradedConnections),
            RequestEncodings = encodings.Request,
            Http1 = new Http1Limits
            {
                AllowsHostOverride = _options.AllowHostHeaderOverride,
                AllowsAnyEncoding = encodings.Request is not null,
                MaxRequestLineSize = limits.MaxRequestLineSize,
                MaxRequestHeadersTotalSize = limits.MaxRequestHeadersTotalSize,
                MaxRequestHeaderCount = limits.MaxRequestHeaderCount,
            },
            Http2 = Http2(limits) with
            {
                AllowsHostOverride = _options.AllowHostHeaderOverride,
                AllowsAnyEncoding = encodings.Request is not null,
            },
            AllowsAlternateSchemes = _options.AllowAlternateSchemes,
            CompressesResponseFields = _options.AllowResponseHeaderCompression,
            KeepAlivePingDelayMilliseconds = limits.Http2.KeepAlivePingDelay is var delay && delay == Timeout.InfiniteTimeSpan
                ? null
                : ToMilliseconds(delay),
            KeepAlivePingTimeoutMilliseconds = ToMilliseconds(limits.Http2.KeepAlivePingTimeout),
        };
        return new EndpointLimits(
            connection,
            Count(limits.MaxConcurrentRequests, server.MaxConcurrentRequests, _server?.Requests),
            (int)Math.Ceiling(limits.RetryAfter.TotalSeconds));
    }

    private static Http2Limits Http2(AsgiServerLimits limits) => new()
    {
        MaxStreamsPerConnection = limits.Http2.MaxStreamsPerConnection,
        HeaderTableSize = limits.Http2.HeaderTableSize,
        MaxFrameSize = limits.Http2.MaxFrameSize,
        MaxRequestHeaderFieldSize = limits.Http2.MaxRequestHeaderFieldSize,
        InitialConnectionWindowSize = limits.Http2.InitialConnectionWindowSize,
        InitialStreamWindowSize = limits.Http2.InitialStreamWindowSize,
        MaxRequestLineSize = limits.MaxRequestLineSize,
        MaxRequestHeadersTotalSize = limits.MaxRequestHeadersTotalSize,
        MaxRequestHeaderCount = limits.MaxRequestHeaderCount,
    };

    // The server's number is counted over all endpoints that have not got another.
    private static ConcurrencyLimit? Count(long? max, long? serverMax, ConcurrencyLimit? server) =>
        max is not { } number ? null : max == serverMax && server is not null ? server : new ConcurrencyLimit(number);

    /// <summary>A time as timers have it.</summary>
    public static long ToMilliseconds(TimeSpan timeout) =>
        (long)(timeout == Timeout.InfiniteTimeSpan || timeout > TimeoutMax ? TimeoutMax : timeout).TotalMilliseconds;
}
