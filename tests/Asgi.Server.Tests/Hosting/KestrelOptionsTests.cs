// What apps and libraries set for Kestrel is honoured where it means the same here, and told of where it is not served.

using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting;

public sealed class KestrelOptionsTests
{
    private static readonly Func<string, Encoding?> s_latin1 = _ => Encoding.Latin1;
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly MinDataRate s_rate = new(7, TimeSpan.FromSeconds(8));

    // What is set for Kestrel, what is read here, and the value.
    public static TheoryData<Action<KestrelServerOptions>, Func<AsgiServerOptions, object?>, object?> Honoured => new()
    {
        { from => from.AddServerHeader = false, to => to.AddServerHeader, false },
        { from => from.AllowSynchronousIO = true, to => to.AllowSynchronousIO, true },
        { from => from.AllowHostHeaderOverride = true, to => to.AllowHostHeaderOverride, true },
        { from => from.RequestHeaderEncodingSelector = s_latin1, to => to.RequestHeaderEncodingSelector, s_latin1 },
        { from => from.ResponseHeaderEncodingSelector = s_latin1, to => to.ResponseHeaderEncodingSelector, s_latin1 },
        { from => from.Limits.MaxResponseBufferSize = 0, to => to.Limits.MaxResponseBufferSize, 0L },
        { from => from.Limits.MaxResponseBufferSize = null, to => to.Limits.MaxResponseBufferSize, null },
        { from => from.Limits.MaxRequestBufferSize = null, to => to.Limits.MaxRequestBufferSize, null },
        { from => from.Limits.MaxRequestLineSize = 1, to => to.Limits.MaxRequestLineSize, 1 },
        { from => from.Limits.MaxRequestHeadersTotalSize = 2, to => to.Limits.MaxRequestHeadersTotalSize, 2 },
        { from => from.Limits.MaxRequestHeaderCount = 3, to => to.Limits.MaxRequestHeaderCount, 3 },
        { from => from.Limits.MaxRequestBodySize = null, to => to.Limits.MaxRequestBodySize, null },
        { from => from.Limits.MaxRequestBodySize = 0, to => to.Limits.MaxRequestBodySize, 0L },
        { from => from.Limits.KeepAliveTimeout = TimeSpan.FromTicks(1), to => to.Limits.KeepAliveTimeout, TimeSpan.FromTicks(1) },
        { from => from.Limits.KeepAliveTimeout = Timeout.InfiniteTimeSpan, to => to.Limits.KeepAliveTimeout, TimeSpan.MaxValue },
        { from => from.Limits.RequestHeadersTimeout = TimeSpan.FromTicks(2), to => to.Limits.RequestHeadersTimeout, TimeSpan.FromTicks(2) },
        { from => from.Limits.MaxConcurrentConnections = 1, to => to.Limits.MaxConcurrentConnections, 1L },
        { from => from.Limits.MaxConcurrentUpgradedConnections = 0, to => to.Limits.MaxConcurrentUpgradedConnections, 0L },
        { from => from.Limits.MinRequestBodyDataRate = null, to => to.Limits.MinRequestBodyDataRate, null },
        { from => from.Limits.MinResponseDataRate = s_rate, to => to.Limits.MinResponseDataRate, s_rate },
        { from => from.AllowResponseHeaderCompression = false, to => to.AllowResponseHeaderCompression, false },
        { from => from.AllowAlternateSchemes = true, to => to.AllowAlternateSchemes, true },
        { from => from.Limits.Http2.MaxStreamsPerConnection = 1, to => to.Limits.Http2.MaxStreamsPerConnection, 1 },
        { from => from.Limits.Http2.HeaderTableSize = 0, to => to.Limits.Http2.HeaderTableSize, 0 },
        { from => from.Limits.Http2.MaxFrameSize = 20_000, to => to.Limits.Http2.MaxFrameSize, 20_000 },
        { from => from.Limits.Http2.MaxRequestHeaderFieldSize = 1, to => to.Limits.Http2.MaxRequestHeaderFieldSize, 1 },
        { from => from.Limits.Http2.InitialConnectionWindowSize = 65_535, to => to.Limits.Http2.InitialConnectionWindowSize, 65_535 },
        { from => from.Limits.Http2.InitialStreamWindowSize = 65_535, to => to.Limits.Http2.InitialStreamWindowSize, 65_535 },
        { from => from.Limits.Http2.KeepAlivePingDelay = s_second, to => to.Limits.Http2.KeepAlivePingDelay, s_second },
        { from => from.Limits.Http2.KeepAlivePingTimeout = s_second, to => to.Limits.Http2.KeepAlivePingTimeout, s_second },
    };

    [Theory]
    [MemberData(nameof(Honoured))]
    public async Task It_is_honoured(Action<KestrelServerOptions> set, Func<AsgiServerOptions, object?> get, object? expected)
    {
        await using var app = ConfigurationTests.Build([], builder => builder.WebHost.ConfigureKestrel(set), new LogSink());

        Assert.Equal(expected, get(app.Services.GetRequiredService<IOptions<AsgiServerOptions>>().Value));
    }

    // Values that are another server's defaults say nothing: ours may differ one day, and the section is not overridden by them anyway.
    [Fact]
    public async Task What_nobody_has_set_changes_nothing()
    {
        await using var app = ConfigurationTests.Build([], null, new LogSink());
        var options = app.Services.GetRequiredService<IOptions<AsgiServerOptions>>().Value;
        var defaults = new AsgiServerOptions();

        Assert.Equivalent(defaults.Limits, options.Limits);
        Assert.Equal((defaults.AddServerHeader, defaults.AllowSynchronousIO), (options.AddServerHeader, options.AllowSynchronousIO));
        Assert.Same(defaults.RequestHeaderEncodingSelector, options.RequestHeaderEncodingSelector);
        Assert.Same(defaults.ResponseHeaderEncodingSelector, options.ResponseHeaderEncodingSelector);
    }

    [Fact]
    public async Task Endpoints_added_there_are_warned_of()
    {
        var log = await ConfigurationTests.StartAsync(
            new() { ["urls"] = Addresses.Loopback },
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.ListenLocalhost(5003);
                kestrel.ListenUnixSocket("/tmp/kestrel.sock");
            }));

        var line = Assert.Single(log, line => line.Level == LogLevel.Warning);
        Assert.Equal(("Asgi.Server", 203), (line.Category, line.Id.Id));
        Assert.Contains("http://localhost:5003, http://unix:/tmp/kestrel.sock", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_there_stops_the_start_and_not_the_build()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ConfigurationTests.StartAsync(
            [], builder => builder.WebHost.ConfigureKestrel(_ => throw new TimeoutException("no certificate"))));

        Assert.Equal(
            "What is set for Kestrel (ConfigureKestrel, Configure<KestrelServerOptions>) has failed: no certificate", error.Message);
    }

    [Fact]
    public async Task The_builders_own_use_of_Kestrel_is_no_reason_to_warn()
    {
        var log = new LogSink();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.WebHost.UseAsgiServer().UseUrls(Addresses.Loopback);
        builder.Logging.ClearProviders().AddProvider(log);
        await using var app = builder.Build();

        await app.StartAsync().WaitAsync(AppHost.Patience);
        await app.StopAsync().WaitAsync(AppHost.Patience);

        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Warning);
    }
}
