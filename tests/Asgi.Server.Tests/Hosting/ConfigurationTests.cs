// The section AsgiServer: every value that can be set, what is refused and how it is told, and who overrides whom.

using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting;

public sealed class ConfigurationTests
{
    // Key, text, and what it makes of the option.
    public static TheoryData<string, string?, object?> Values => new()
    {
        { "AddServerHeader", "false", false },
        { "AllowSynchronousIO", "True", true },
        { "AllowHostHeaderOverride", "true", true },
        { "AllowResponseHeaderCompression", "false", false },
        { "AllowAlternateSchemes", "true", true },
        { "AccessLog", "true", true },
        { "LoopCount", "3", 3 },
        { "Dispatch", "threadpool", RequestDispatch.ThreadPool },
        { "HandOffThreshold", "00:00:00.025", TimeSpan.FromMilliseconds(25) },
        { "MaxSpareThreads", "7", 7 },
        { "MaxQueuedRequests", "0", 0 },
        { "HalfClose", "Abort", HalfCloseBehavior.Abort },
        { "Limits:MaxResponseBufferSize", "0", 0L },
        { "Limits:MaxResponseBufferSize", "null", null },
        { "Limits:MaxRequestBufferSize", "3000000000", 3_000_000_000L },
        { "Limits:MaxRequestBufferSize", "", null },
        { "Limits:MaxRequestLineSize", "100", 100 },
        { "Limits:MaxRequestHeadersTotalSize", "101", 101 },
        { "Limits:MaxRequestHeaderCount", "1", 1 },
        { "Limits:MaxRequestBodySize", "0", 0L },
        { "Limits:MaxRequestBodySize", "NULL", null },
        { "Limits:KeepAliveTimeout", "00:02:03", TimeSpan.FromSeconds(123) },
        { "Limits:KeepAliveTimeout", "Infinite", Timeout.InfiniteTimeSpan },
        { "Limits:KeepAliveTimeout", "-00:00:00.001", Timeout.InfiniteTimeSpan },
        { "Limits:RequestHeadersTimeout", "00:00:00.0000001", TimeSpan.FromTicks(1) },
        { "Limits:RequestBodyDrainTimeout", "00:00:08", TimeSpan.FromSeconds(8) },
        { "Limits:LingeringTimeout", "00:00:00", TimeSpan.Zero },
        { "Limits:HalfCloseTimeout", "00:00:09", TimeSpan.FromSeconds(9) },
        { "Limits:UpgradedShutdownTimeout", "00:00:10", TimeSpan.FromSeconds(10) },
        { "Limits:MaxConcurrentConnections", "1", 1L },
        { "Limits:MaxConcurrentUpgradedConnections", "0", 0L },
        { "Limits:MaxConcurrentRequests", "1", 1L },
        { "Limits:RetryAfter", "1.00:00:00", TimeSpan.FromDays(1) },
        { "Limits:MaxRequestsPerConnection", "2147483647", int.MaxValue },
        { "Limits:MaxConnectionAge", "01:00:00", TimeSpan.FromHours(1) },
        { "Limits:MaxConnectionAge", "null", null },
        { "Limits:MinRequestBodyDataRate", "null", null },
        { "Limits:MinResponseDataRate", "", null },
        { "Limits:Http2:MaxStreamsPerConnection", "1", 1 },
        { "Limits:Http2:HeaderTableSize", "0", 0 },
        { "Limits:Http2:MaxFrameSize", "16777215", 16_777_215 },
        { "Limits:Http2:MaxRequestHeaderFieldSize", "1", 1 },
        { "Limits:Http2:InitialConnectionWindowSize", "65535", 65_535 },
        { "Limits:Http2:InitialStreamWindowSize", "2147483647", int.MaxValue },
        { "Limits:Http2:KeepAlivePingDelay", "00:00:01", TimeSpan.FromSeconds(1) },
        { "Limits:Http2:KeepAlivePingTimeout", "Infinite", Timeout.InfiniteTimeSpan },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_is_set(string key, string? text, object? expected)
    {
        var options = Configure(new() { [key.ToUpperInvariant()] = text });

        Assert.Empty(options.Findings.Problems);
        Assert.Empty(options.Findings.UnknownKeys);
        Assert.Equal(expected, Get(options, key));
    }

    [Fact]
    public void Every_option_that_is_a_value_has_a_key()
    {
        var tested = Values.Select(row => (string)row[0]!).ToHashSet();
        var flags = typeof(AsgiServerOptions).GetProperties().Where(IsValue).Select(property => property.Name);
        var limits = typeof(AsgiServerLimits).GetProperties().Where(IsValue).Select(property => $"Limits:{property.Name}");

        var http2 = typeof(AsgiServerHttp2Limits).GetProperties().Where(IsValue).Select(property => $"Limits:Http2:{property.Name}");

        Assert.Equal(flags.Concat(limits).Concat(http2).Order(), tested.Order());

        static bool IsValue(PropertyInfo property) => property.SetMethod is { IsPublic: true }
            && (property.PropertyType.IsValueType || property.PropertyType == typeof(MinDataRate));
    }

    [Theory]
    [InlineData("AddServerHeader", "yes", "true or false")]
    [InlineData("LoopCount", "0", "a whole number from 1 to 1024")]
    [InlineData("LoopCount", "1025", "a whole number from 1 to 1024")]
    [InlineData("LoopCount", "two", "a whole number from 1 to 1024")]
    [InlineData("LoopCount", "", "a whole number from 1 to 1024")]
    [InlineData("Dispatch", "1", "Adaptive, Inline or ThreadPool")]
    [InlineData("HandOffThreshold", "00:01:00.001", "a time from 00:00:00.001 to 00:01:00")]
    [InlineData("MaxSpareThreads", "32768", "a whole number from 1 to 32767")]
    [InlineData("Limits:MaxRequestLineSize", "0", "a whole number greater than 0")]
    [InlineData("Limits:MaxRequestLineSize", "8k", "a whole number greater than 0")]
    [InlineData("Limits:MaxRequestBodySize", "-1", "a whole number, 0 or greater, or null for no limit")]
    [InlineData("Limits:KeepAliveTimeout", "30", "a time such as 00:00:30, greater than 0, or Infinite")]
    [InlineData("Limits:KeepAliveTimeout", "00:00:00", "a time such as 00:00:30, greater than 0, or Infinite")]
    [InlineData("Limits:KeepAliveTimeout", "24:00:00", "a time such as 00:00:30, greater than 0, or Infinite")]
    [InlineData("Limits", "null of it", "a section")]
    [InlineData("Endpoints", "http://localhost:5000", "a section")]
    [InlineData("EndpointDefaults", "Http1", "a section")]
    [InlineData("Limits:Http2:MaxFrameSize", "16383", "a whole number from 16384 to 16777215")]
    [InlineData("Limits:Http2:MaxFrameSize", "16777216", "a whole number from 16384 to 16777215")]
    [InlineData("Limits:Http2:MaxStreamsPerConnection", "0", "a whole number greater than 0")]
    [InlineData("Limits:Http2:HeaderTableSize", "-1", "a whole number, 0 or greater")]
    [InlineData("Limits:Http2:InitialStreamWindowSize", "65534", "a whole number, 65535 or greater")]
    [InlineData("Limits:Http2:InitialConnectionWindowSize", "65534", "a whole number, 65535 or greater")]
    [InlineData("Limits:Http2:KeepAlivePingDelay", "00:00:00.999", "a time such as 00:00:30, at least 00:00:01, or Infinite")]
    [InlineData("Limits:Http2:KeepAlivePingTimeout", "0", "a time such as 00:00:30, at least 00:00:01, or Infinite")]
    [InlineData("Limits:Http2", "100", "a section")]
    [InlineData("EndpointDefaults:DetectHttp2", "yes", "true or false")]
    [InlineData("Limits:RetryAfter", "1.00:00:01", "a time from 00:00:00 to 1.00:00:00")]
    [InlineData("Limits:MaxRequestsPerConnection", "2147483648",
        "a whole number greater than 0, at most 2147483647, or null for no limit")]
    [InlineData("Limits:MinRequestBodyDataRate", "240",
        "{ BytesPerSecond: greater than 0, GracePeriod: a time over 00:00:01 }, or null for none")]
    [InlineData("Limits:MinRequestBodyDataRate:BytesPerSecond", "0", "a number greater than 0")]
    [InlineData("Limits:MinRequestBodyDataRate:GracePeriod", "00:00:01", "a time over 00:00:01")]
    [InlineData("EndpointDefaults:Protocols", "Http4", "Http1, Http2 or Http1AndHttp2")]
    [InlineData("EndpointDefaults:UnixSocketMode", "888", "an octal mode such as 660, from 0 to 777")]
    [InlineData("EndpointDefaults:UnixSocketMode", "1777", "an octal mode such as 660, from 0 to 777")]
    public async Task A_value_that_cannot_be_used_stops_the_start(string key, string text, string allowed)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new() { [$"AsgiServer:{key}"] = text }));

        Assert.Equal($"AsgiServer:{key} ({text}) must be {allowed}.", error.Message);
    }

    [Fact]
    public async Task All_problems_are_told_at_once()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new()
        {
            ["AsgiServer:LoopCount"] = "0",
            ["AsgiServer:Limits:MaxRequestHeaderCount"] = "many",
            ["AsgiServer:Limits:MaxRequestBufferSize"] = "10",
            ["AsgiServer:Endpoints:Web:Url"] = "ftp://localhost:5001",
        }));

        Assert.Contains("AsgiServer:LoopCount (0)", error.Message, StringComparison.Ordinal);
        Assert.Contains("AsgiServer:Limits:MaxRequestHeaderCount (many)", error.Message, StringComparison.Ordinal);
        Assert.Contains("Limits.MaxRequestBufferSize (10) must be", error.Message, StringComparison.Ordinal);
        Assert.Contains("Limits.MaxRequestHeadersTotalSize (32768)", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "AsgiServer:Endpoints:Web:Url (ftp://localhost:5001) cannot be listened on.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_rate_is_a_section()
    {
        var options = Configure(new()
        {
            ["Limits:MinRequestBodyDataRate:BytesPerSecond"] = "100.5",
            ["Limits:MinRequestBodyDataRate:GracePeriod"] = "00:00:01.0000001",
            ["Limits:MinResponseDataRate:BytesPerSecond"] = "7",
        });

        Assert.Empty(options.Findings.Problems);
        Assert.Equal((100.5, TimeSpan.FromTicks(10_000_001)), Parts(options.Limits.MinRequestBodyDataRate));
        Assert.Equal((7, TimeSpan.FromSeconds(5)), Parts(options.Limits.MinResponseDataRate));

        static (double?, TimeSpan?) Parts(MinDataRate? rate) => (rate?.BytesPerSecond, rate?.GracePeriod);
    }

    [Fact]
    public void Null_of_JSON_is_no_limit_and_no_value_otherwise()
    {
        const string Json = """{ "Limits": { "MaxRequestBodySize": null, "MinResponseDataRate": null, "MaxRequestLineSize": null } }""";
        var options = new AsgiServerOptions();

        options.Configure(new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Json))).Build());

        Assert.Null(options.Limits.MaxRequestBodySize);
        Assert.Null(options.Limits.MinResponseDataRate);
        Assert.Equal("Limits:MaxRequestLineSize (null) must be a whole number greater than 0.", Assert.Single(options.Findings.Problems));
    }

    [Theory]
    [InlineData("AsgiServer:LoopCuont", "The configuration key AsgiServer:LoopCuont is unknown and has no effect. Is LoopCount meant?")]
    [InlineData("AsgiServer:Limits:maxBodySize",
        "The configuration key AsgiServer:Limits:maxBodySize is unknown and has no effect. Is MaxRequestBodySize meant?")]
    [InlineData("AsgiServer:Limits:MinResponseDataRate:Grace",
        "The configuration key AsgiServer:Limits:MinResponseDataRate:Grace is unknown and has no effect. Is GracePeriod meant?")]
    [InlineData("AsgiServer:Endpoints:Web:Uri",
        "The configuration key AsgiServer:Endpoints:Web:Uri is unknown and has no effect. Is Url meant?")]
    [InlineData("AsgiServer:Endpoints:Web:Limits:KeepAliveTimout",
        "The configuration key AsgiServer:Endpoints:Web:Limits:KeepAliveTimout is unknown and has no effect. Is KeepAliveTimeout meant?")]
    [InlineData("AsgiServer:Qqqqq", "The configuration key AsgiServer:Qqqqq is unknown and has no effect.")]
    public async Task A_key_nobody_knows_is_warned_of(string key, string message)
    {
        var log = await StartAsync(new() { ["AsgiServer:Endpoints:Web:Url"] = Addresses.Loopback, [key] = "1" });

        var line = Assert.Single(log, line => line is { Level: LogLevel.Warning, Category: "Asgi.Server" });
        Assert.Equal(message, line.Message);
        Assert.True(line.Id.Id is 204 or 206);
    }

    [Fact]
    public async Task What_the_section_says_reaches_the_server()
    {
        var (options, _) = await BuildAsync(new() { ["AsgiServer:Limits:MaxRequestHeaderCount"] = "9", ["AsgiServer:LoopCount"] = "2" });

        Assert.Equal((9, 2), (options.Limits.MaxRequestHeaderCount, options.LoopCount));
        Assert.NotNull(options.ApplicationServices);
        Assert.True(options.ConfigurationLoader!.ReloadOnChange);
    }

    [Fact]
    public async Task Without_a_section_Kestrels_is_read_and_keys_that_are_its_own_are_not_told()
    {
        var log = await StartAsync(new()
        {
            ["Kestrel:Limits:MaxRequestHeaderCount"] = "9",
            ["Kestrel:Limits:Http2:MaxFrameSize"] = "16384",
            ["Kestrel:Endpoints:Web:Url"] = "http://[::1]:0",
        }, start: app => Assert.Equal(9, OptionsOf(app).Limits.MaxRequestHeaderCount));

        Assert.DoesNotContain(log, line => line is { Level: >= LogLevel.Warning });
        Assert.Contains(log, line => line.Message.StartsWith("Now listening on: http://[::1]:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_a_section_Kestrels_is_not_read_which_is_told()
    {
        var log = await StartAsync(new()
        {
            ["urls"] = Addresses.Loopback,
            ["Kestrel:Limits:MaxRequestHeaderCount"] = "9",
            ["Kestrel:Endpoints:Web:Url"] = "http://[::1]:0",
            ["AsgiServer:AddServerHeader"] = "false",
        }, start: app => Assert.Equal(100, OptionsOf(app).Limits.MaxRequestHeaderCount));

        Assert.DoesNotContain(log, line => line.Message.StartsWith("Now listening on: http://[::1]:", StringComparison.Ordinal));
        var warning = Assert.Single(log, line => line.Level == LogLevel.Warning);
        Assert.Equal((207, "Asgi.Server"), (warning.Id.Id, warning.Category));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Code_overrides_the_section_which_overrides_Kestrels_options_whatever_the_order_of_calls(bool isServerLast)
    {
        var values = new Dictionary<string, string?>
        {
            ["AsgiServer:Limits:MaxRequestHeaderCount"] = "2",
            ["AsgiServer:Limits:MaxRequestLineSize"] = "20",
        };
        var (options, _) = await BuildAsync(values, builder =>
        {
            if (!isServerLast)
                builder.WebHost.UseAsgiServer();
            builder.Services.Configure<AsgiServerOptions>(asgi => asgi.Limits.MaxRequestHeaderCount = 3);
            builder.Services.Configure<KestrelServerOptions>(kestrel =>
            {
                kestrel.Limits.MaxRequestHeaderCount = 1;
                kestrel.Limits.MaxRequestLineSize = 10;
                kestrel.Limits.MaxRequestHeadersTotalSize = 100;
            });
            if (isServerLast)
                builder.WebHost.UseAsgiServer();
        });

        Assert.Equal(
            (3, 20, 100),
            (options.Limits.MaxRequestHeaderCount, options.Limits.MaxRequestLineSize, options.Limits.MaxRequestHeadersTotalSize));
    }

    [Fact]
    public async Task Environment_variables_are_a_form_of_it()
    {
        // A prefix of this test's own: variables are the process's.
        var prefix = $"T{Guid.NewGuid():N}_";
        Environment.SetEnvironmentVariable($"{prefix}AsgiServer__Endpoints__Http__Url", "http://[::1]:0");
        Environment.SetEnvironmentVariable($"{prefix}AsgiServer__Limits__MaxRequestBodySize", "null");

        var log = await StartAsync([], builder => builder.Configuration.AddEnvironmentVariables(prefix), app =>
            Assert.Null(OptionsOf(app).Limits.MaxRequestBodySize));

        Assert.Contains(log, line => line.Message.StartsWith("Now listening on: http://[::1]:", StringComparison.Ordinal));
    }

    [Fact]
    public void Options_without_services_have_no_section()
    {
        var options = new AsgiServerOptions();

        Assert.Null(options.ConfigurationLoader);
        Assert.Null(options.ApplicationServices.GetService(typeof(object)));
        Assert.Same(options, options.Configure().Options);
    }

    internal static async Task<IReadOnlyCollection<LogLine>> StartAsync(
        Dictionary<string, string?> values, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? start = null)
    {
        var log = new LogSink();
        await using var app = Build(values, configure, log);
        start?.Invoke(app);
        await app.StartAsync().WaitAsync(AppHost.Patience);
        await app.StopAsync().WaitAsync(AppHost.Patience);
        return log.Lines;
    }

    internal static WebApplication Build(Dictionary<string, string?> values, Action<WebApplicationBuilder>? configure, LogSink log)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddInMemoryCollection(values);
        configure?.Invoke(builder);
        builder.WebHost.UseAsgiServer();
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        return builder.Build();
    }

    private static async Task<(AsgiServerOptions Options, LogSink Log)> BuildAsync(
        Dictionary<string, string?> values, Action<WebApplicationBuilder>? configure = null)
    {
        var log = new LogSink();
        await using var app = Build(values, configure, log);
        return (OptionsOf(app), log);
    }

    private static AsgiServerOptions OptionsOf(WebApplication app) =>
        app.Services.GetRequiredService<IOptions<AsgiServerOptions>>().Value;

    private static AsgiServerOptions Configure(Dictionary<string, string?> values)
    {
        var options = new AsgiServerOptions();
        options.Configure(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        return options;
    }

    private static object? Get(AsgiServerOptions options, string key)
    {
        object target = key.StartsWith("Limits:Http2:", StringComparison.Ordinal) ? options.Limits.Http2
            : key.StartsWith("Limits:", StringComparison.Ordinal) ? options.Limits
            : options;
        return target.GetType().GetProperty(key.Split(':')[^1])!.GetValue(target);
    }
}
