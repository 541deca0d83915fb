// What apps and libraries have set for Kestrel (ConfigureKestrel, Configure<KestrelServerOptions>) and means the same here. Read once, when
// the options are made, on the host's thread.
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Hosting;

internal static class KestrelOptions
{
    /// <summary>Takes over what differs from Kestrel's defaults: what nobody has set for Kestrel says nothing.</summary>
    public static void Apply(KestrelServerOptions from, AsgiServerOptions to)
    {
        var defaults = new KestrelServerOptions();
        Take(from.AddServerHeader, defaults.AddServerHeader, value => to.AddServerHeader = value);
        Take(from.AllowSynchronousIO, defaults.AllowSynchronousIO, value => to.AllowSynchronousIO = value);
        Take(from.AllowHostHeaderOverride, defaults.AllowHostHeaderOverride, value => to.AllowHostHeaderOverride = value);
        Take(
            from.AllowResponseHeaderCompression,
            defaults.AllowResponseHeaderCompression,
            value => to.AllowResponseHeaderCompression = value);
        Take(from.AllowAlternateSchemes, defaults.AllowAlternateSchemes, value => to.AllowAlternateSchemes = value);
        Take(
            from.RequestHeaderEncodingSelector,
            defaults.RequestHeaderEncodingSelector,
            value => to.RequestHeaderEncodingSelector = value);
        Take(
            from.ResponseHeaderEncodingSelector,
            defaults.ResponseHeaderEncodingSelector,
            value => to.ResponseHeaderEncodingSelector = value);
        Apply(from.Limits, defaults.Limits, to.Limits);
    }

    private static void Apply(KestrelServerLimits from, KestrelServerLimits defaults, AsgiServerLimits to)
    {
        Take(from.MaxResponseBufferSize, defaults.MaxResponseBufferSize, value => to.MaxResponseBufferSize = value);
        Take(from.MaxRequestBufferSize, defaults.MaxRequestBufferSize, value => to.MaxRequestBufferSize = value);
        Take(from.MaxRequestLineSize, defaults.MaxRequestLineSize, value => to.MaxRequestLineSize = value);
        Take(from.MaxRequestHeadersTotalSize, defaults.MaxRequestHeadersTotalSize, value => to.MaxRequestHeadersTotalSize = value);
        Take(from.MaxRequestHeaderCount, defaults.MaxRequestHeaderCount, value => to.MaxRequestHeaderCount = value);
        Take(from.MaxRequestBodySize, defaults.MaxRequestBodySize, value => to.MaxRequestBodySize = value);
        Take(from.KeepAliveTimeout, defaults.KeepAliveTimeout, value => to.KeepAliveTimeout = value);
        Take(from.RequestHeadersTimeout, defaults.RequestHeadersTimeout, value => to.RequestHeadersTimeout = value);
        Take(from.MaxConcurrentConnections, defaults.MaxConcurrentConnections, value => to.MaxConcurrentConnections = value);
        Take(
            from.MaxConcurrentUpgradedConnections,
            defaults.MaxConcurrentUpgradedConnections,
            value => to.MaxConcurrentUpgradedConnections = value);
        TakeRate(from.MinRequestBodyDataRate, defaults.MinRequestBodyDataRate, value => to.MinRequestBodyDataRate = value);
        TakeRate(from.MinResponseDataRate, defaults.MinResponseDataRate, value => to.MinResponseDataRate = value);
        Apply(from.Http2, defaults.Http2, to.Http2);
    }

    private static void Apply(Http2Limits from, Http2Limits defaults, AsgiServerHttp2Limits to)
    {
        Take(from.MaxStreamsPerConnection, defaults.MaxStreamsPerConnection, value => to.MaxStreamsPerConnection = value);
        Take(from.HeaderTableSize, defaults.HeaderTableSize, value => to.HeaderTableSize = value);
        Take(from.MaxFrameSize, defaults.MaxFrameSize, value => to.MaxFrameSize = value);
        Take(from.MaxRequestHeaderFieldSize, defaults.MaxRequestHeaderFieldSize, value => to.MaxRequestHeaderFieldSize = value);
        Take(from.InitialConnectionWindowSize, defaults.InitialConnectionWindowSize, value => to.InitialConnectionWindowSize = value);
        Take(from.InitialStreamWindowSize, defaults.InitialStreamWindowSize, value => to.InitialStreamWindowSize = value);
        Take(from.KeepAlivePingDelay, defaults.KeepAlivePingDelay, value => to.KeepAlivePingDelay = value);
        Take(from.KeepAlivePingTimeout, defaults.KeepAlivePingTimeout, value => to.KeepAlivePingTimeout = value);
    }

    private static void Take<T>(T value, T @default, Action<T> set)
    {
        if (!EqualityComparer<T>.Default.Equals(value, @default))
        {
            set(value);
        }
    }

    private static void TakeRate(MinDataRate? value, MinDataRate? @default, Action<MinDataRate?> set)
    {
        if ((value?.BytesPerSecond, value?.GracePeriod) != (@default?.BytesPerSecond, @default?.GracePeriod))
        {
            set(value);
        }
    }
}

/// <summary>
/// Sees the endpoints that code adds to Kestrel's options, where they are not public: its endpoint defaults are called with each. It stands
/// before all other configuration; where the app sets endpoint defaults of its own, those added after are not seen.
/// </summary>
internal sealed class KestrelEndpoints : IConfigureOptions<KestrelServerOptions>
{
    private readonly ConcurrentQueue<string> _seen = new();

    /// <summary>How they are shown.</summary>
    public IReadOnlyCollection<string> Seen => _seen;

    public void Configure(KestrelServerOptions options) =>
        options.ConfigureEndpointDefaults(listen => _seen.Enqueue(listen.ToString() ?? ""));
}
