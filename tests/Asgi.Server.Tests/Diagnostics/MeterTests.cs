// The meter Asgi.Server: names, tags, counts that return to zero, and listeners that come late.

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class MeterTests
{
    private const string Close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    private const string Upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";

    [Fact]
    public void A_connection_and_its_requests_are_counted_and_measured()
    {
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(async exchange =>
        {
            await end.Task;
            await Apps.Path(exchange);
        });
        using var probe = new MeterProbe(server.Diagnostics.Metrics);
        server.Connect(Close);
        server.Advance(2500);
        Assert.Equal((1, 1), (probe.Sum("active_connections"), probe.Sum("active_requests")));
        Assert.Empty(probe.Of("connection.duration"));

        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal((0, 0), (probe.Sum("active_connections"), probe.Sum("active_requests")));
        var duration = Assert.Single(probe.Of("connection.duration"));
        Assert.Equal(2.5, duration.Value);
        Assert.Equal(("http", "1.1"), (duration.Tags["network.protocol.name"], duration.Tags["network.protocol.version"]));
        Assert.All(
            [.. probe.Of("active_connections"), .. probe.Of("active_requests"), duration],
            measured =>
            {
                Assert.Equal(("127.0.0.1", "tcp"), (measured.Tags["server.address"], measured.Tags["network.transport"]));
                Assert.Equal("ipv4", measured.Tags["network.type"]);
                Assert.IsType<int>(measured.Tags["server.port"]);
                Assert.DoesNotContain("error.type", measured.Tags.Keys);
            });
    }

    [Fact]
    public void A_listener_that_comes_late_is_not_told_of_ends_without_beginnings()
    {
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(async exchange =>
        {
            await end.Task;
            await Apps.Path(exchange);
        });
        server.Connect(Close);
        using var probe = new MeterProbe(server.Diagnostics.Metrics);
        server.Connect(Close);
        Assert.Equal((1, 1), (probe.Sum("active_connections"), probe.Sum("active_requests")));

        end.SetResult();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal((2, 2), (probe.Of("active_connections").Count(), probe.Of("active_requests").Count()));
        Assert.Equal((0, 0), (probe.Sum("active_connections"), probe.Sum("active_requests")));
        Assert.Single(probe.Of("connection.duration"));
    }

    [Fact]
    public void A_listener_that_hears_durations_only_is_told_those_only()
    {
        using var server = new SimulatedServer(Apps.Path);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "connection.duration");

        server.Connect(Close);

        Assert.Equal("asgi.server.connection.duration", Assert.Single(probe.All).Instrument);
    }

    [Fact]
    public void An_upgraded_connection_is_counted_until_it_ends()
    {
        var server = Serve(async context =>
        {
            var upgrade = context.Features.Get<IHttpUpgradeFeature>()!;
            await using var stream = await upgrade.UpgradeAsync();
            while (await stream.ReadAsync(new byte[10]) > 0)
            {
            }
        });
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "upgraded_connections");
        var client = server.Connect(Upgrade);
        Assert.Equal(1, probe.Sum("upgraded_connections"));

        client.ShutdownSend();
        server.Run();

        Assert.Equal((0, 2), (probe.Sum("upgraded_connections"), probe.All.Count));
        server.Dispose();
    }

    [Fact]
    public void A_rejected_connection_is_counted_and_never_active()
    {
        using var server = new SimulatedServer(Apps.Path, limits: new ConnectionLimits { Connections = new ConcurrencyLimit(0) });
        using var probe = new MeterProbe(server.Diagnostics.Metrics);

        server.Connect(Close);

        Assert.Equal(1, Assert.Single(probe.Of("rejected_connections")).Value);
        Assert.Equal(0, Assert.Single(probe.Of("connection.duration")).Value);
        Assert.Equal("tcp", Assert.Single(probe.Of("rejected_connections")).Tags["network.transport"]);
        Assert.Empty(probe.Of("active_connections"));
    }

    [Fact]
    public void Tags_of_the_application_stand_beside_the_servers()
    {
        IConnectionMetricsTagsFeature? unheard = null;
        var server = Serve(context =>
        {
            unheard = context.Features.Get<IConnectionMetricsTagsFeature>();
            unheard?.Tags.Add(new("tenant", "a"));
            return Task.CompletedTask;
        });
        server.Connect(Close);
        Assert.Null(unheard);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "connection.duration");

        server.Connect(Close);

        var duration = Assert.Single(probe.All);
        Assert.Equal("a", duration.Tags["tenant"]);
        Assert.Equal("http", duration.Tags["network.protocol.name"]);
        server.Dispose();
    }

    [Fact]
    public void Tags_say_where_a_connection_was_accepted()
    {
        Assert.Equal(
            [new("server.address", "::1"), new("server.port", 80), new("network.transport", "tcp"), new("network.type", "ipv6")],
            EndPointTags.Of(new IPEndPoint(IPAddress.IPv6Loopback, 80)));
        Assert.Equal("ipv4", EndPointTags.Of(new IPEndPoint(IPAddress.Loopback.MapToIPv6(), 80)).ToArray()[3].Value);
        Assert.Equal(
            [new("server.address", "/run/a.sock"), new("network.transport", "unix")],
            EndPointTags.Of(new UnixDomainSocketEndPoint("/run/a.sock")));
        Assert.Empty(EndPointTags.Of(null));
    }

    [Fact]
    public void A_connection_that_waits_for_its_loop_is_queued()
    {
        using var server = new SimulatedServer(Apps.Path);
        using var other = new Loop(new SimulatedBackend(1), "other");
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "queued_connections");
        var listener = server.Backend.Listen();
        var registry = new ConnectionRegistry([], dispatch: null!, server.Diagnostics);
        var refuses = new ConnectionLimits { Connections = new ConcurrencyLimit(0) };
        new BoundEndpoint([server.Loop, other], [listener]).StartAccepting(new ConnectionAcceptor(registry, refuses, _ => null!));
        server.Run();
        listener.Connect();
        listener.Connect();
        server.Run();

        Assert.Equal(1, probe.Sum("queued_connections"));
        SimulatedServer.OnLoop(() => other.Tick());

        Assert.Equal((0, 2), (probe.Sum("queued_connections"), probe.All.Count));
    }

    [Fact]
    public async Task The_memory_of_each_loop_can_be_asked_for()
    {
        using var meters = new OneMeter();
        using var server = new AsgiServer(
            Options.Create(new AsgiServerOptions { LoopCount = 1 }), NullLoggerFactory.Instance, meters);
        server.GetAddresses().Addresses.Add(Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var blocks = new List<(string Name, string Loop)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meters.Meter && instrument.Name.StartsWith("asgi.server.memory.", StringComparison.Ordinal))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => blocks.Add((instrument.Name, (string)tags[0].Value!)));
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.Equal(
            [("asgi.server.memory.pooled_blocks", "asgi loop 0"), ("asgi.server.memory.rented_blocks", "asgi loop 0")],
            blocks.Order());
    }

    [Fact]
    public async Task A_real_server_counts_connections_at_its_port_and_measures_its_loops()
    {
        using var meters = new OneMeter();
        using var server = new AsgiServer(
            Options.Create(new AsgiServerOptions { LoopCount = 1 }), NullLoggerFactory.Instance, meters);
        server.GetAddresses().Addresses.Add(Addresses.Loopback);
        var ports = new ConcurrentQueue<object?>();
        var lag = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meters.Meter)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Name == "asgi.server.active_connections" && value == 1)
            {
                ports.Enqueue(tags[1].Value);
            }
        });
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            if (instrument.Name == "asgi.server.loop.lag")
            {
                lag.TrySetResult((string)tags[0].Value!);
            }
        });
        listener.Start();
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var endPoint = Addresses.EndPointOf(server.GetAddresses().Addresses.Single());

        _ = await RawClient.ExchangeAsync(endPoint, Close);

        Assert.Equal("asgi loop 0", await lag.Task.WaitAsync(AppHost.Patience));
        Assert.Equal(endPoint.Port, ports.First());
    }

    private static SimulatedServer Serve(RequestDelegate app) => HostedDelegate.Serve(app);

    private sealed class OneMeter : IMeterFactory
    {
        public Meter? Meter { get; private set; }

        public Meter Create(MeterOptions options) => Meter ??= new Meter(options);

        public void Dispose() => Meter?.Dispose();
    }
}
