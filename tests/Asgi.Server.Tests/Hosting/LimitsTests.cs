// Limits as an operator sets them, on the wire: at the limit and one past it, over all loops, and for an endpoint alone. What they mean
// in time is tested on virtual time in Connections.

using System.Net;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting;

public sealed class LimitsTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string Line = "GET / HTTP/1.1\r\n";
    private const string Fields = "Host: h\r\nX: y\r\n";
    private const string Upgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";

    [Theory]
    [InlineData(0, 200)]
    [InlineData(-1, 414)]
    public async Task The_request_line(int room, int status) =>
        await AssertStatusAsync(status, Get, limits => limits.MaxRequestLineSize = Line.Length + room);

    [Theory]
    [InlineData(0, 200)]
    [InlineData(-1, 431)]
    public async Task The_size_of_the_headers(int room, int status) =>
        await AssertStatusAsync(status, $"{Line}{Fields}\r\n", limits => limits.MaxRequestHeadersTotalSize = Fields.Length + room);

    [Theory]
    [InlineData(2, 200)]
    [InlineData(1, 431)]
    public async Task The_number_of_headers(int max, int status) =>
        await AssertStatusAsync(status, $"{Line}{Fields}\r\n", limits => limits.MaxRequestHeaderCount = max);

    [Theory]
    [InlineData(5, null, 200)]
    [InlineData(4, null, 413)]
    [InlineData(4, 5, 200)]
    [InlineData(5, 4, 413)]
    public async Task The_content_of_the_server_and_of_a_request(int max, int? ofRequest, int status)
    {
        var exchange = await AppHost.ExchangeAsync(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            context =>
            {
                if (ofRequest is { } size)
                {
                    context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = size;
                }

                return context.Request.Body.CopyToAsync(Stream.Null);
            },
            options => options.Limits.MaxRequestBodySize = max);

        Assert.Equal(status, exchange.Answer.Status);
    }

    // Chunked content counts with its framing but the trailer section: 5 CRLF, hello CRLF, 0 CRLF.
    [Theory]
    [InlineData(13, 200)]
    [InlineData(12, 413)]
    public async Task Chunked_content(int max, int status)
    {
        var exchange = await AppHost.ExchangeAsync(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            context => context.Request.Body.CopyToAsync(Stream.Null),
            options => options.Limits.MaxRequestBodySize = max);

        Assert.Equal(status, exchange.Answer.Status);
    }

    [Fact]
    public async Task A_413_reaches_a_client_that_goes_on_sending()
    {
        await using var host = await AppHost.StartAsync(
            context => context.Request.Body.CopyToAsync(Stream.Null), options => options.Limits.MaxRequestBodySize = 10);
        await using var client = await host.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");

        for (var i = 0; i < 10; i++)
        {
            await client.SendAsync(new string('x', 100_000));
        }

        Assert.Equal(413, (await client.ReadResponseAsync())!.Status);
    }

    [Fact]
    public async Task Connections_are_counted_over_all_loops()
    {
        const int Max = 6;
        using var logs = new LogSink();
        await using var host = await AppHost.StartAsync(
            _ => Task.CompletedTask, options => (options.LoopCount, options.Limits.MaxConcurrentConnections) = (3, Max), logs);
        var clients = new List<RawClient>();
        for (var i = 0; i < Max; i++)
        {
            clients.Add(await host.ConnectAsync());
            Assert.True(await clients[i].ProbeAsync());
        }

        await using (var refused = await host.ConnectAsync())
        {
            Assert.Equal("", await refused.ReadToEndAsync());
        }

        Assert.Equal("ConnectionRejected", Assert.Single(logs.Lines, line => line.Id.Id == 24).Id.Name);
        foreach (var client in clients)
        {
            Assert.True(await client.ProbeAsync());
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_endpoint_of_two_addresses_counts_its_connections_once()
    {
        var port = Addresses.FreePort();
        using var server = NativeHost.Create(
            options => options.ListenLocalhost(port, listen => listen.Limits.MaxConcurrentConnections = 1));
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        await using var first = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        Assert.True(await first.ProbeAsync());

        await using var second = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.IPv6Loopback, port));

        Assert.Equal("", await second.ReadToEndAsync());
        Assert.True(await first.ProbeAsync());
    }

    [Fact]
    public async Task Requests_are_counted_over_all_loops()
    {
        const int Max = 4;
        using var logs = new LogSink();
        using var entered = new SemaphoreSlim(0);
        var leave = new TaskCompletionSource();
        await using var host = await AppHost.StartAsync(
            async _ =>
            {
                entered.Release();
                await leave.Task;
            },
            options =>
            {
                options.LoopCount = 3;
                options.Limits.MaxConcurrentRequests = Max;
                options.Limits.RetryAfter = TimeSpan.FromSeconds(6.5);
            },
            logs);
        var clients = new List<RawClient>();
        for (var i = 0; i < Max; i++)
        {
            clients.Add(await host.ConnectAsync());
            await clients[i].SendAsync(Get);
            Assert.True(await entered.WaitAsync(AppHost.Patience));
        }

        await using var refused = await host.ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await refused.SendAsync(Get);
            var response = (await refused.ReadResponseAsync())!;
            Assert.Equal((503, "7", "0"), (response.Status, response.Field("Retry-After"), response.Field("Content-Length")));
        }

        Assert.Equal(LogLevel.Warning, Assert.Single(logs.Lines, line => line.Id.Id == 104).Level);
        leave.SetResult();
        foreach (var client in clients)
        {
            Assert.Equal(200, (await client.ReadResponseAsync())!.Status);
            await client.DisposeAsync();
        }

        await refused.SendAsync(Get);
        Assert.Equal(200, (await refused.ReadResponseAsync())!.Status);
    }

    [Fact]
    public async Task An_endpoint_may_have_limits_of_its_own()
    {
        using var server = NativeHost.Create(options =>
        {
            options.Limits.MaxRequestHeaderCount = 2;
            options.Limits.MaxRequestsPerConnection = 2;
            options.Listen(IPAddress.Loopback, 0);
            options.Listen(IPAddress.Loopback, 0, listen => listen.Limits.MaxRequestHeaderCount = 1);
        });
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var ends = server.GetAddresses().Addresses.Select(Addresses.EndPointOf).ToArray();

        Assert.Equal(200, (await RawClient.ExchangeAsync(ends[0], $"{Line}{Fields}\r\n")).Answer.Status);
        Assert.Equal(431, (await RawClient.ExchangeAsync(ends[1], $"{Line}{Fields}\r\n")).Answer.Status);

        // What it did not change is the server's.
        await using var client = await RawClient.ConnectAsync(ends[1]);
        await client.SendAsync(Get + Get);
        Assert.Null((await client.ReadResponseAsync())!.Field("Connection"));
        Assert.Equal("close", (await client.ReadResponseAsync())!.Field("Connection"));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(2, false)]
    public async Task Counts_are_the_servers_unless_an_endpoint_has_a_number_of_its_own(int? own, bool isRefused)
    {
        using var server = NativeHost.Create(options =>
        {
            options.Limits.MaxConcurrentConnections = 1;
            options.Listen(IPAddress.Loopback, 0);
            options.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Limits.MaxRequestHeaderCount = 9;
                if (own is { } max)
                {
                    listen.Limits.MaxConcurrentConnections = max;
                }
            });
        });
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var ends = server.GetAddresses().Addresses.Select(Addresses.EndPointOf).ToArray();
        await using var first = await RawClient.ConnectAsync(ends[0]);
        Assert.True(await first.ProbeAsync());

        await using var second = await RawClient.ConnectAsync(ends[1]);

        Assert.Equal(isRefused, !await second.ProbeAsync());
    }

    [Fact]
    public async Task Limits_of_the_endpoint_defaults_hold_for_addresses()
    {
        using var server = NativeHost.Create(
            options => options.ConfigureEndpointDefaults(listen => listen.Limits.MaxRequestHeaderCount = 1), Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var end = Addresses.EndPointOf(server.GetAddresses().Addresses.Single());

        Assert.Equal(431, (await RawClient.ExchangeAsync(end, $"{Line}{Fields}\r\n")).Answer.Status);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(0, false)]
    public async Task Upgrades(int max, bool isUpgraded)
    {
        Exception? error = null;
        await using var host = await AppHost.StartAsync(
            async context => error = await Record.ExceptionAsync(context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync),
            options => options.Limits.MaxConcurrentUpgradedConnections = max);
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Upgrade);
        var response = (await client.ReadHeadAsync())!;

        Assert.Equal(isUpgraded ? (101, null) : (200, typeof(InvalidOperationException)), (response.Status, error?.GetType()));
    }

    [Fact]
    public async Task An_upgraded_connection_does_not_hold_up_a_stop()
    {
        var upgraded = new TaskCompletionSource();
        await using var host = await AppHost.StartAsync(
            async context =>
            {
                await using var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
                upgraded.SetResult();
                await stream.CopyToAsync(Stream.Null);
                await stream.WriteAsync("farewell"u8.ToArray());
            },
            options => options.Limits.UpgradedShutdownTimeout = TimeSpan.FromMilliseconds(1),
            shutdownTimeout: TimeSpan.FromMinutes(10));
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Upgrade);
        await client.ReadHeadAsync();
        await upgraded.Task.WaitAsync(AppHost.Patience);

        var stop = host.StopAsync();
        Assert.Equal("farewell", await client.ReadToEndAsync());
        await client.DisposeAsync();
        await stop;
    }

    private static async Task AssertStatusAsync(int status, string request, Action<AsgiServerLimits> limit)
    {
        var exchange = await AppHost.ExchangeAsync(request, _ => Task.CompletedTask, options => limit(options.Limits));

        Assert.Equal(status, exchange.Answer.Status);
        Assert.Equal(status == 200 ? null : "close", exchange.Answer.Field("Connection"));
    }
}
