// The keys of the section AsgiServer that are values, with what each allows. Read by the configuration loader, on the host's threads.
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Asgi.Server.Hosting;

internal static class Settings
{
    private const string Positive = "a whole number greater than 0";
    private const string NotNegative = "a whole number, 0 or greater";
    private const string PositiveTime = "a time such as 00:00:30, greater than 0, or Infinite";

    private const string Window = "a whole number, 65535 or greater";

    public static readonly Setting<AsgiServerOptions>[] Server =
    [
        Setting.Flag<AsgiServerOptions>(nameof(AsgiServerOptions.AddServerHeader), (options, value) => options.AddServerHeader = value),
        Setting.Flag<AsgiServerOptions>(
            nameof(AsgiServerOptions.AllowSynchronousIO), (options, value) => options.AllowSynchronousIO = value),
        Setting.Flag<AsgiServerOptions>(
            nameof(AsgiServerOptions.AllowHostHeaderOverride), (options, value) => options.AllowHostHeaderOverride = value),
        Setting.Flag<AsgiServerOptions>(
            nameof(AsgiServerOptions.AllowResponseHeaderCompression), (options, value) => options.AllowResponseHeaderCompression = value),
        Setting.Flag<AsgiServerOptions>(
            nameof(AsgiServerOptions.AllowAlternateSchemes), (options, value) => options.AllowAlternateSchemes = value),
        Setting.Flag<AsgiServerOptions>(nameof(AsgiServerOptions.AccessLog), (options, value) => options.AccessLog = value),
        Setting.Choice<AsgiServerOptions, HalfCloseBehavior>(
            nameof(AsgiServerOptions.HalfClose), "Respond or Abort", (options, value) => options.HalfClose = value),
        Setting.Choice<AsgiServerOptions, RequestDispatch>(
            nameof(AsgiServerOptions.Dispatch), "Adaptive, Inline or ThreadPool", (options, value) => options.Dispatch = value),
        Setting.Number<AsgiServerOptions>(
            nameof(AsgiServerOptions.LoopCount), "a whole number from 1 to 1024", (options, value) => options.LoopCount = value),
        Setting.Time<AsgiServerOptions>(
            nameof(AsgiServerOptions.HandOffThreshold),
            "a time from 00:00:00.001 to 00:01:00",
            (options, value) => options.HandOffThreshold = value),
        Setting.Number<AsgiServerOptions>(
            nameof(AsgiServerOptions.MaxSpareThreads),
            "a whole number from 1 to 32767",
            (options, value) => options.MaxSpareThreads = value),
        Setting.Number<AsgiServerOptions>(
            nameof(AsgiServerOptions.MaxQueuedRequests), NotNegative, (options, value) => options.MaxQueuedRequests = value),
    ];

    public static readonly Setting<AsgiServerLimits>[] Limits =
    [
        Limit(nameof(AsgiServerLimits.MaxResponseBufferSize), NotNegative, (limits, value) => limits.MaxResponseBufferSize = value),
        Limit(nameof(AsgiServerLimits.MaxRequestBufferSize), Positive, (limits, value) => limits.MaxRequestBufferSize = value),
        Number(nameof(AsgiServerLimits.MaxRequestLineSize), (limits, value) => limits.MaxRequestLineSize = value),
        Number(nameof(AsgiServerLimits.MaxRequestHeadersTotalSize), (limits, value) => limits.MaxRequestHeadersTotalSize = value),
        Number(nameof(AsgiServerLimits.MaxRequestHeaderCount), (limits, value) => limits.MaxRequestHeaderCount = value),
        Limit(nameof(AsgiServerLimits.MaxRequestBodySize), NotNegative, (limits, value) => limits.MaxRequestBodySize = value),
        Time(nameof(AsgiServerLimits.KeepAliveTimeout), (limits, value) => limits.KeepAliveTimeout = value),
        Time(nameof(AsgiServerLimits.RequestHeadersTimeout), (limits, value) => limits.RequestHeadersTimeout = value),
        Time(nameof(AsgiServerLimits.RequestBodyDrainTimeout), (limits, value) => limits.RequestBodyDrainTimeout = value),
        Setting.Time<AsgiServerLimits>(
            nameof(AsgiServerLimits.LingeringTimeout),
            "a time such as 00:00:30, 00:00:00 for none, or Infinite",
            (limits, value) => limits.LingeringTimeout = value),
        Time(nameof(AsgiServerLimits.HalfCloseTimeout), (limits, value) => limits.HalfCloseTimeout = value),
        Time(nameof(AsgiServerLimits.UpgradedShutdownTimeout), (limits, value) => limits.UpgradedShutdownTimeout = value),
        Limit(nameof(AsgiServerLimits.MaxConcurrentConnections), Positive, (limits, value) => limits.MaxConcurrentConnections = value),
        Limit(
            nameof(AsgiServerLimits.MaxConcurrentUpgradedConnections),
            NotNegative,
            (limits, value) => limits.MaxConcurrentUpgradedConnections = value),
        Limit(nameof(AsgiServerLimits.MaxConcurrentRequests), Positive, (limits, value) => limits.MaxConcurrentRequests = value),
        Setting.Time<AsgiServerLimits>(
            nameof(AsgiServerLimits.RetryAfter), "a time from 00:00:00 to 1.00:00:00", (limits, value) => limits.RetryAfter = value),
        Limit(nameof(AsgiServerLimits.MaxRequestsPerConnection), $"{Positive}, at most 2147483647", SetMaxRequestsPerConnection),
        Setting.TimeLimit<AsgiServerLimits>(
            nameof(AsgiServerLimits.MaxConnectionAge),
            "a time such as 01:00:00, greater than 0",
            (limits, value) => limits.MaxConnectionAge = value),
        Setting.Rate<AsgiServerLimits>(
            nameof(AsgiServerLimits.MinRequestBodyDataRate),
            limits => limits.MinRequestBodyDataRate,
            (limits, value) => limits.MinRequestBodyDataRate = value),
        Setting.Rate<AsgiServerLimits>(
            nameof(AsgiServerLimits.MinResponseDataRate),
            limits => limits.MinResponseDataRate,
            (limits, value) => limits.MinResponseDataRate = value),
        new(nameof(AsgiServerLimits.Http2), "a section", static (limits, section, findings) =>
        {
            Http2!.Apply(section, limits.Http2, findings);
            return string.IsNullOrEmpty(section.Value);
        }),
    ];

    public static readonly Setting<AsgiServerHttp2Limits>[] Http2 =
    [
        Http2Number(nameof(AsgiServerHttp2Limits.MaxStreamsPerConnection), Positive, (to, value) => to.MaxStreamsPerConnection = value),
        Http2Number(nameof(AsgiServerHttp2Limits.HeaderTableSize), NotNegative, (to, value) => to.HeaderTableSize = value),
        Http2Number(
            nameof(AsgiServerHttp2Limits.MaxFrameSize), "a whole number from 16384 to 16777215", (to, value) => to.MaxFrameSize = value),
        Http2Number(
            nameof(AsgiServerHttp2Limits.MaxRequestHeaderFieldSize), Positive, (to, value) => to.MaxRequestHeaderFieldSize = value),
        Http2Number(
            nameof(AsgiServerHttp2Limits.InitialConnectionWindowSize), Window, (to, value) => to.InitialConnectionWindowSize = value),
        Http2Number(nameof(AsgiServerHttp2Limits.InitialStreamWindowSize), Window, (to, value) => to.InitialStreamWindowSize = value),
        Http2Time(nameof(AsgiServerHttp2Limits.KeepAlivePingDelay), (to, value) => to.KeepAlivePingDelay = value),
        Http2Time(nameof(AsgiServerHttp2Limits.KeepAlivePingTimeout), (to, value) => to.KeepAlivePingTimeout = value),
    ];

    public static readonly Setting<ListenOptions>[] Endpoint =
    [
        Setting.Choice<ListenOptions, HttpProtocols>(
            nameof(ListenOptions.Protocols),
            "Http1, Http2 or Http1AndHttp2",
            (listen, value) => listen.Protocols = value),
        Setting.Flag<ListenOptions>(nameof(ListenOptions.DetectHttp2), (listen, value) => listen.DetectHttp2 = value),
        Setting.Number<ListenOptions>(nameof(ListenOptions.Backlog), Positive, (listen, value) => listen.Backlog = value),
        Setting.Scalar<ListenOptions>(
            nameof(ListenOptions.UnixSocketMode), "an octal mode such as 660, from 0 to 777", TrySetUnixSocketMode),
        ProxyProtocolSettings.Section,
    ];

    private static Setting<AsgiServerLimits> Limit(string key, string allowed, Action<AsgiServerLimits, long?> set) =>
        Setting.Limit(key, allowed, set);

    private static Setting<AsgiServerLimits> Number(string key, Action<AsgiServerLimits, int> set) => Setting.Number(key, Positive, set);

    private static Setting<AsgiServerLimits> Time(string key, Action<AsgiServerLimits, TimeSpan> set) =>
        Setting.Time(key, PositiveTime, set);

    private static Setting<AsgiServerHttp2Limits> Http2Number(string key, string allowed, Action<AsgiServerHttp2Limits, int> set) =>
        Setting.Number(key, allowed, set);

    private static Setting<AsgiServerHttp2Limits> Http2Time(string key, Action<AsgiServerHttp2Limits, TimeSpan> set) =>
        Setting.Time(key, "a time such as 00:00:30, at least 00:00:01, or Infinite", set);

    private static void SetMaxRequestsPerConnection(AsgiServerLimits limits, long? value)
    {
        if (value is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, int.MaxValue, nameof(value));
        }

        limits.MaxRequestsPerConnection = (int?)value;
    }

    private static bool TrySetUnixSocketMode(ListenOptions listen, string text)
    {
        // Octal, as chmod(1) has it. A fifth digit is beyond any mode.
        if (text.Length is 0 or > 4 || text.AsSpan().ContainsAnyExceptInRange('0', '7'))
        {
            return false;
        }

        listen.UnixSocketMode = (UnixFileMode)Convert.ToInt32(text, 8);
        return true;
    }
}
