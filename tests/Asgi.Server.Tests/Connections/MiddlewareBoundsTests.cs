// What bounds a connection behind middleware, and what is told of its end: on the simulated loop.

using System.IO.Pipelines;
using System.Net;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Diagnostics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using static Asgi.Server.Tests.Connections.MiddlewareBed;

namespace Asgi.Server.Tests.Connections;

public sealed class MiddlewareBoundsTests
{
    private const int SeedCount = 20;
    private const int BytesPerSecond = 240;
    private const int Check = 1_000;
    private const string Close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    [Fact]
    public void A_connection_keeps_its_place_until_it_is_over_and_not_until_its_http_is() => Seeds.Run(SeedCount, seed =>
    {
        var limits = new ConnectionLimits { Connections = new ConcurrencyLimit(1) };
        var goOn = new TaskCompletionSource();
        using var server = Serve(
            next => async context =>
            {
                await next(context);
                await goOn.Task;
            },
            Apps.Path,
            seed,
            limits);
        var client = server.Connect(Close);
        server.RunUntil(() => client.ReceivedLength > 0);
        server.Run();
        server.Advance(1);
        Assert.Equal((1, 1), (server.ConnectionCount, limits.Connections.Count));

        goOn.SetResult();
        client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);
        Assert.Equal(0, limits.Connections.Count);
        DemandNothingLeft(server);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Input_that_is_cut_does_not_look_whole_to_middleware(bool isReset)
    {
        const int Length = 60_000;
        var goOn = new TaskCompletionSource();
        Exception? seen = null;
        long length = 0;
        using var server = Serve(
            _ => async context =>
            {
                await goOn.Task;
                seen = await Record.ExceptionAsync(async () =>
                {
                    var read = default(ReadResult);
                    while (!read.IsCompleted)
                    {
                        read = await context.Transport.Input.ReadAsync();
                        length += read.Buffer.Length;
                        context.Transport.Input.AdvanceTo(read.Buffer.End);
                    }
                });
            },
            Apps.Path,
            limits: new ConnectionLimits { RequestBufferSizeMax = 1_000 },
            conditions: new NetworkConditions { ReceiveCapacity = Length });
        var client = server.Connect();
        client.Send(new byte[Length]);
        client.ShutdownSend();
        server.Run();
        if (isReset)
            client.Reset();
        else
            server.AbortAll();
        server.Run();

        goOn.SetResult();
        server.RunUntil(() => server.ConnectionCount == 0);
        Assert.True(length < Length);
        Assert.IsType<ConnectionResetException>(seen);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_takes_nothing_of_the_last_bytes_is_reset(bool isHttp)
    {
        using var server = Serve(
            next => isHttp ? next : async context => await context.Transport.Output.WriteAsync(new byte[20_000]),
            exchange => Apps.Answer(exchange, Apps.Repeat("x", 20_000)),
            conditions: new NetworkConditions { SendCapacity = 600 });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Close);
        server.Run();
        server.Advance(1);

        // What waits counts as taken in advance, but for what the kernel has.
        server.Advance(19_000 * 1000L / BytesPerSecond);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance((1_000 * 1000L / BytesPerSecond) + (2 * Check));
        Assert.Equal(ConnectionEnd.Reset, client.End);
        server.RunUntil(() => server.ConnectionCount == 0);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pipe_that_fails_is_not_told_of_as_a_reset_by_the_client(bool isOutput)
    {
        using var server = Serve(
            next => context =>
            {
                context.Transport = new FailingPipe(context.Transport, isOutput);
                return next(context);
            },
            Apps.Path);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "connection.duration");
        var client = server.Connect(Apps.Get);
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Equal(typeof(InvalidDataException).FullName, Assert.Single(probe.All).Tags["error.type"]);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_event_of_the_connection_is_told_once(bool isReset)
    {
        using var server = Serve(PassOn, Apps.Path);
        var client = server.Connect(Apps.Get);
        server.RunUntil(() => client.ReceivedLength > 0);
        if (isReset)
            client.Reset();
        else
            client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);

        int[] ends = isReset ? [19] : [6, 7, 10];
        var told = server.Log.Entries.Select(entry => entry.Id.Id).Where(id => id is 1 or 2 or 6 or 7 or 8 or 10 or 19 or 39).Order();
        Assert.Equal(ends.Concat([1, 2, 39]).Order(), told);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_tag_of_the_middlewares_is_on_the_duration()
    {
        using var server = Serve(
            next => context =>
            {
                context.Features.Get<IConnectionMetricsTagsFeature>()!.Tags.Add(new("mine", "tag"));
                return next(context);
            },
            Apps.Path);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "connection.duration");
        server.Connect(Close).ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal("tag", Assert.Single(probe.All).Tags["mine"]);
        DemandNothingLeft(server);
    }

    [Fact]
    public void Reads_that_middleware_cancels_do_not_stop_http()
    {
        ConnectionContext? context = null;
        var goOn = new TaskCompletionSource();
        using var server = Serve(
            next => passed =>
            {
                context = passed;
                return next(passed);
            },
            async exchange =>
            {
                await goOn.Task;
                await Apps.Path(exchange);
            });
        var client = server.Connect(Apps.Get);

        // One that waits, and one before the next.
        context!.Transport.Input.CancelPendingRead();
        server.Run();
        context.Transport.Input.CancelPendingRead();
        SimulatedServer.OnLoop(goOn.SetResult);
        server.Advance(1);
        client.Send(Apps.Get);
        server.Advance(1);

        Assert.Equal([200, 200], Responses.Of(client).Select(response => response.Status));
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(1_000_000, false)]
    [InlineData(1_000_000, true)]
    public void Middleware_that_does_not_wait_for_http_ends_it_and_nothing_else(int length, bool completesOutput)
    {
        var hasBegun = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        using var server = Serve(
            next => async context =>
            {
                var http = next(context);
                await hasBegun.Task;
                if (completesOutput)
                {
                    await context.Transport.Output.CompleteAsync();
                    await http;
                }
            },
            async exchange =>
            {
                if (length > 10)
                {
                    exchange.Send(new ResponseStart(200));
                    _ = exchange.SendAsync(new ResponseBody(new byte[length], MoreBody: true)).AsTask();
                }

                hasBegun.SetResult();
                await goOn.Task;
                await (length > 10 ? exchange.SendAsync(default) : Apps.Path(exchange));
            });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        client.Window = long.MaxValue;
        server.RunUntil(() => client.End != ConnectionEnd.None);
        SimulatedServer.OnLoop(goOn.SetResult);
        server.Advance(1);
        client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);
        DemandNothingLeft(server);
    }

    [Fact]
    public void Without_limits_of_buffers_all_is_taken()
    {
        const int Length = 300_000;
        using var server = Serve(
            PassOn,
            Apps.Echo,
            limits: new ConnectionLimits { RequestBufferSizeMax = null, ResponseBufferSizeMax = null });
        var client = server.Connect($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {Length}\r\n\r\n");
        client.Send(Apps.Repeat("x", Length));
        server.Advance(1);

        Assert.Equal(Length, Assert.Single(Responses.Of(client)).Content.Length);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Active_connections_and_upgrades_come_back_to_nothing(bool isReplaced) => Seeds.Run(SeedCount, seed =>
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                var upgrade = context.Features.Get<IHttpUpgradeFeature>()!;
                var stream = await upgrade.UpgradeAsync();
                var buffer = new byte[100];
                while (await stream.ReadAsync(buffer) is > 0 and var length)
                    await stream.WriteAsync(buffer.AsMemory(0, length));
            },
            seed,
            before: Before(isReplaced ? Xor : PassOn));
        using var probe = new MeterProbe(
            server.Diagnostics.Metrics, "active_connections", "upgraded_connections", "active_requests", "connection.duration");
        const string Head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello";
        var client = server.Connect();
        client.Send(isReplaced ? XorOf(Head) : Head);
        server.RunUntil(() => Text(client, isReplaced).EndsWith("hello", StringComparison.Ordinal));
        Assert.Equal((1, 1, 1), (probe.Sum("active_connections"), probe.Sum("upgraded_connections"), probe.Sum("active_requests")));

        client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);
        Assert.Equal((0, 0, 0), (probe.Sum("active_connections"), probe.Sum("upgraded_connections"), probe.Sum("active_requests")));
        Assert.Null(Assert.Single(probe.Of("connection.duration")).Tags.GetValueOrDefault("error.type"));
        DemandNothingLeft(server);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Measurements_are_those_of_the_endpoint_whatever_others_say_of_the_addresses(bool isMiddleware)
    {
        var rules = new ProxyProtocolRules { TrustsAll = true };
        var stages = Before(next => context =>
        {
            context.LocalEndPoint = new IPEndPoint(IPAddress.Parse("203.0.113.7"), 777);
            return next(context);
        });
        using var server = HostedDelegate.Serve(
            async context => await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync(),
            before: http => connection => new ProxyProtocolDriver(connection, rules, isMiddleware ? stages(http) : http));
        using var probe = new MeterProbe(
            server.Diagnostics.Metrics, "active_connections", "upgraded_connections", "active_requests", "connection.duration");
        var client = server.Connect();
        client.Send("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
            + "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        client.ShutdownSend();
        server.Run();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal(7, probe.All.Count);
        Assert.All(probe.All, measured => Assert.Equal("127.0.0.1", measured.Tags["server.address"]));
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_socket_is_made_for_who_asks_for_it_and_for_nobody_else(bool isAskedFor)
    {
        using var server = Serve(
            next => context =>
            {
                if (isAskedFor)
                    Assert.Null(context.Features.Get<IConnectionSocketFeature>());
                Assert.NotEmpty(context.Features);
                return next(context);
            },
            Apps.Path);
        var client = server.Connect(Apps.Get);

        Assert.Equal([200], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(isAskedFor ? 1 : 0, client.SocketAskedCount);
        DemandNothingLeft(server);
    }
}
