// Options: what a setter refuses, at the limit and one past it, and what the start refuses.

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting;

public sealed class OptionsTests
{
    public static TheoryData<string, Action<AsgiServerOptions, long>, long> Least => new()
    {
        { "LoopCount", (options, value) => options.LoopCount = (int)value, 1 },
        { "MaxResponseBufferSize", (options, value) => options.Limits.MaxResponseBufferSize = value, 0 },
        { "MaxRequestBufferSize", (options, value) => options.Limits.MaxRequestBufferSize = value, 1 },
        { "MaxRequestLineSize", (options, value) => options.Limits.MaxRequestLineSize = (int)value, 1 },
        { "MaxRequestHeadersTotalSize", (options, value) => options.Limits.MaxRequestHeadersTotalSize = (int)value, 1 },
        { "MaxRequestHeaderCount", (options, value) => options.Limits.MaxRequestHeaderCount = (int)value, 1 },
        { "MaxRequestBodySize", (options, value) => options.Limits.MaxRequestBodySize = value, 0 },
        { "KeepAliveTimeout", (options, value) => options.Limits.KeepAliveTimeout = TimeSpan.FromTicks(value), 1 },
        { "RequestHeadersTimeout", (options, value) => options.Limits.RequestHeadersTimeout = TimeSpan.FromTicks(value), 1 },
        { "RequestBodyDrainTimeout", (options, value) => options.Limits.RequestBodyDrainTimeout = TimeSpan.FromTicks(value), 1 },
        { "HalfCloseTimeout", (options, value) => options.Limits.HalfCloseTimeout = TimeSpan.FromTicks(value), 1 },
        { "UpgradedShutdownTimeout", (options, value) => options.Limits.UpgradedShutdownTimeout = TimeSpan.FromTicks(value), 1 },
        { "LingeringTimeout", (options, value) => options.Limits.LingeringTimeout = TimeSpan.FromTicks(value), 0 },
        { "MaxConcurrentConnections", (options, value) => options.Limits.MaxConcurrentConnections = value, 1 },
        { "MaxConcurrentUpgradedConnections", (options, value) => options.Limits.MaxConcurrentUpgradedConnections = value, 0 },
        { "MaxConcurrentRequests", (options, value) => options.Limits.MaxConcurrentRequests = value, 1 },
        { "MaxRequestsPerConnection", (options, value) => options.Limits.MaxRequestsPerConnection = (int)value, 1 },
        { "MaxConnectionAge", (options, value) => options.Limits.MaxConnectionAge = TimeSpan.FromTicks(value), 1 },
        { "RetryAfter", (options, value) => options.Limits.RetryAfter = TimeSpan.FromTicks(value), 0 },
        { "HalfClose", (options, value) => options.HalfClose = (HalfCloseBehavior)value, 0 },
        { "Backlog", (options, value) => options.Listen(IPAddress.Loopback, 0, listen => listen.Backlog = (int)value), 1 },
        { "Port", (options, value) => options.ListenAnyIP((int)value), 0 },
    };

    [Theory]
    [MemberData(nameof(Least))]
    public void A_setter_takes_the_least_value_and_refuses_one_less(string name, Action<AsgiServerOptions, long> set, long least)
    {
        var options = new AsgiServerOptions();

        set(options, least);
        var error = Assert.ThrowsAny<ArgumentOutOfRangeException>(() => set(options, least - 1));

        Assert.True(error is not null, name);
    }

    [Fact]
    public void Some_options_have_a_greatest_value()
    {
        var options = new AsgiServerOptions { LoopCount = 1024, HalfClose = HalfCloseBehavior.Abort };
        options.ListenLocalhost(65_535);
        options.Limits.RetryAfter = TimeSpan.FromDays(1);

        Assert.Throws<ArgumentOutOfRangeException>(() => options.LoopCount = 1025);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.HalfClose = HalfCloseBehavior.Abort + 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Limits.RetryAfter = TimeSpan.FromDays(1) + TimeSpan.FromTicks(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.ListenLocalhost(65_536));
    }

    [Fact]
    public void The_defaults_are_those_an_app_was_built_with()
    {
        var options = new AsgiServerOptions();

        Assert.True(options.AddServerHeader);
        Assert.Equal(Environment.ProcessorCount, options.LoopCount);
        Assert.Equal(65_536, options.Limits.MaxResponseBufferSize);
        Assert.Equal(1_048_576, options.Limits.MaxRequestBufferSize);
        Assert.Equal(8_192, options.Limits.MaxRequestLineSize);
        Assert.Equal(32_768, options.Limits.MaxRequestHeadersTotalSize);
        Assert.Equal(100, options.Limits.MaxRequestHeaderCount);
        Assert.Equal(30_000_000, options.Limits.MaxRequestBodySize);
        Assert.Equal(TimeSpan.FromSeconds(130), options.Limits.KeepAliveTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), options.Limits.RequestHeadersTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.Limits.RequestBodyDrainTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.Limits.LingeringTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), options.Limits.HalfCloseTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.Limits.UpgradedShutdownTimeout);
        Assert.Equal(TimeSpan.FromSeconds(1), options.Limits.RetryAfter);
        Assert.Equal(HalfCloseBehavior.Respond, options.HalfClose);
        Assert.Null(options.Limits.MaxConcurrentConnections);
        Assert.Null(options.Limits.MaxConcurrentUpgradedConnections);
        Assert.Null(options.Limits.MaxConcurrentRequests);
        Assert.Null(options.Limits.MaxRequestsPerConnection);
        Assert.Null(options.Limits.MaxConnectionAge);
    }

    [Fact]
    public void No_limit_is_null_or_infinite()
    {
        var limits = new AsgiServerLimits
        {
            MaxResponseBufferSize = null,
            MaxRequestBufferSize = null,
            MaxRequestBodySize = null,
            KeepAliveTimeout = Timeout.InfiniteTimeSpan,
            RequestHeadersTimeout = Timeout.InfiniteTimeSpan,
            RequestBodyDrainTimeout = Timeout.InfiniteTimeSpan,
            LingeringTimeout = Timeout.InfiniteTimeSpan,
            HalfCloseTimeout = Timeout.InfiniteTimeSpan,
            UpgradedShutdownTimeout = Timeout.InfiniteTimeSpan,
            MaxConcurrentConnections = null,
            MaxConcurrentUpgradedConnections = null,
            MaxConcurrentRequests = null,
            MaxRequestsPerConnection = null,
            MaxConnectionAge = null,
        };

        Assert.Null(limits.MaxRequestBufferSize);
        Assert.Equal(Timeout.InfiniteTimeSpan, limits.KeepAliveTimeout);
    }

    [Theory]
    [InlineData(32_768, 8_192, true)]
    [InlineData(32_767, 8_192, false)]
    [InlineData(40_000, 40_000, true)]
    [InlineData(40_000, 40_001, false)]
    public async Task The_request_buffer_must_hold_the_largest_line_and_headers(long buffer, int line, bool starts)
    {
        using var server = NativeHost.Create(
            options =>
            {
                options.Limits.MaxRequestBufferSize = buffer;
                options.Limits.MaxRequestLineSize = line;
            },
            Addresses.Loopback);

        var error = await Record.ExceptionAsync(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.Equal(starts ? null : typeof(InvalidOperationException), error?.GetType());
    }

    [Fact]
    public async Task Without_a_limit_everything_works()
    {
        await using var host = await NativeHost.StartAsync(
            exchange =>
            {
                exchange.Send(new ResponseStart(200));
                return exchange.SendAsync(new ResponseBody("unlimited"u8.ToArray()));
            },
            options =>
            {
                options.Limits.MaxRequestBufferSize = null;
                options.Limits.MaxResponseBufferSize = null;
                options.Limits.MaxRequestBodySize = null;
                options.Limits.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
                options.Limits.RequestHeadersTimeout = TimeSpan.MaxValue;
            });

        await AddressTests.AssertServesAsync(host.EndPoint);
    }

    [Fact]
    public void Only_addresses_and_absolute_socket_paths_are_listened_on()
    {
        var options = new AsgiServerOptions();

        Assert.Throws<NotSupportedException>(() => options.Listen(new DnsEndPoint("example.com", 80)));
        Assert.Throws<ArgumentException>(() => options.ListenUnixSocket("relative.sock"));
        Assert.Throws<ArgumentException>(() => options.ListenUnixSocket(""));
        Assert.Throws<ArgumentNullException>(() => options.Listen(null!));
    }

    [Fact]
    public void Endpoint_defaults_come_before_the_endpoints_own_settings_and_only_for_later_ones()
    {
        var options = new AsgiServerOptions();
        List<int> backlogs = [];

        options.Listen(IPAddress.Loopback, 0, listen => backlogs.Add(listen.Backlog));
        options.ConfigureEndpointDefaults(listen => listen.Backlog = 7);
        options.Listen(IPAddress.Loopback, 0, listen => backlogs.Add(listen.Backlog));

        Assert.Equal([512, 7], backlogs);
    }

    [Fact]
    public void An_endpoints_limits_start_as_the_servers_and_are_its_own_from_then_on()
    {
        var options = new AsgiServerOptions();
        ListenOptions endpoint = null!;
        options.Limits.MaxRequestHeaderCount = 7;
        options.Listen(IPAddress.Loopback, 0, listen => endpoint = listen);
        options.Limits.MaxRequestHeaderCount = 8;

        Assert.Equal(8, endpoint.Limits.MaxRequestHeaderCount);
        endpoint.Limits.MaxRequestHeaderCount = 9;
        options.Limits.MaxRequestLineSize = 100;

        Assert.Equal((8, 9), (options.Limits.MaxRequestHeaderCount, endpoint.Limits.MaxRequestHeaderCount));
        Assert.Equal(8_192, endpoint.Limits.MaxRequestLineSize);
    }

    [Theory]
    [InlineData(32_768, true)]
    [InlineData(32_767, false)]
    public async Task An_endpoints_limits_must_fit_each_other_as_well(long buffer, bool starts)
    {
        using var server = NativeHost.Create(
            options => options.Listen(IPAddress.Loopback, 0, listen => listen.Limits.MaxRequestBufferSize = buffer));

        var error = await Record.ExceptionAsync(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.Equal(starts ? null : typeof(InvalidOperationException), error?.GetType());
    }

    [Fact]
    public void All_limits_but_rates_bind_from_a_section()
    {
        var values = new Dictionary<string, string?>
        {
            ["HalfClose"] = "Abort",
            ["Limits:MaxConcurrentConnections"] = "1",
            ["Limits:MaxConcurrentUpgradedConnections"] = "2",
            ["Limits:MaxConcurrentRequests"] = "3",
            ["Limits:RetryAfter"] = "00:00:04",
            ["Limits:MaxRequestsPerConnection"] = "5",
            ["Limits:MaxConnectionAge"] = "00:06:00",
            ["Limits:RequestBodyDrainTimeout"] = "00:00:07",
            ["Limits:LingeringTimeout"] = "00:00:00",
            ["Limits:HalfCloseTimeout"] = "00:00:09",
            ["Limits:UpgradedShutdownTimeout"] = "00:00:10",
            ["Limits:MaxRequestBodySize"] = "11",
        };
        var section = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        using var services = new ServiceCollection().Configure<AsgiServerOptions>(section).BuildServiceProvider();

        var options = services.GetRequiredService<IOptions<AsgiServerOptions>>().Value;

        var limits = options.Limits;
        Assert.Equal(HalfCloseBehavior.Abort, options.HalfClose);
        Assert.Equal((1, 2, 3), (limits.MaxConcurrentConnections, limits.MaxConcurrentUpgradedConnections, limits.MaxConcurrentRequests));
        Assert.Equal((5, 11), (limits.MaxRequestsPerConnection, limits.MaxRequestBodySize));
        Assert.Equal(
            [TimeSpan.FromSeconds(4), TimeSpan.FromMinutes(6), TimeSpan.FromSeconds(7), TimeSpan.Zero],
            [limits.RetryAfter, limits.MaxConnectionAge, limits.RequestBodyDrainTimeout, limits.LingeringTimeout]);
        Assert.Equal(
            (TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(10)), (limits.HalfCloseTimeout, limits.UpgradedShutdownTimeout));
    }

    [Fact]
    public void An_endpoint_knows_what_it_is()
    {
        var options = new AsgiServerOptions();
        List<ListenOptions> endpoints = [];

        options.Listen(IPAddress.Loopback, 80, endpoints.Add);
        options.Listen(new UnixDomainSocketEndPoint("/tmp/s"), endpoints.Add);

        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 80), endpoints[0].IPEndPoint);
        Assert.Null(endpoints[0].SocketPath);
        Assert.Null(endpoints[1].IPEndPoint);
        Assert.Equal("/tmp/s", endpoints[1].SocketPath);
        Assert.All(endpoints, endpoint => Assert.Same(options, endpoint.AsgiServerOptions));
    }
}
