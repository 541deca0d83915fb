// How many connections, upgraded connections and requests there may be at a time: at the limit and one past it.

using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Connections;

public sealed class ConcurrencyTests
{
    private const int SeedCount = 20;
    private const string UpgradeHead = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

    [Fact]
    public void One_connection_too_many_is_closed_at_once_until_another_goes() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed, new ConnectionLimits { Connections = new ConcurrencyLimit(2) });
        var first = server.Connect(Apps.Get);
        var second = server.Connect(Apps.Get);

        var third = server.Connect("");
        Assert.NotEqual(ConnectionEnd.None, third.End);
        Assert.Equal((ConnectionEnd.None, ConnectionEnd.None, 2), (first.End, second.End, server.ConnectionCount));
        var entry = Assert.Single(server.Log.Entries, entry => entry.Level > LogLevel.Debug);
        Assert.Equal((LogLevel.Warning, 24, "ConnectionRejected"), (entry.Level, entry.Id.Id, entry.Id.Name));

        second.ShutdownSend();
        server.Run();
        Assert.Equal([200], Responses.Of(server.Connect(Apps.Get)).Select(response => response.Status));
        server.DemandNothingLeft();
    });

    [Fact]
    public void An_upgraded_connection_does_not_count_among_the_open_ones() => Seeds.Run(SeedCount, seed =>
    {
        var limits = new ConnectionLimits { Connections = new ConcurrencyLimit(1) };
        using var server = HostedDelegate.Serve(EchoUpgraded, seed, limits);
        var upgraded = server.Connect(UpgradeHead);
        Assert.StartsWith("HTTP/1.1 101 ", upgraded.Received, StringComparison.Ordinal);

        var other = server.Connect("");
        Assert.Equal(ConnectionEnd.None, other.End);
        Assert.NotEqual(ConnectionEnd.None, server.Connect("").End);

        server.DemandNothingLeft();
        Assert.Equal(0, limits.Connections.Count);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_application_may_stop_the_counting_where_there_is_a_limit(bool hasLimit) => Seeds.Run(SeedCount, seed =>
    {
        var limits = new ConnectionLimits { Connections = hasLimit ? new ConcurrencyLimit(1) : null };
        var hadFeature = false;
        using var server = HostedDelegate.Serve(
            context =>
            {
                var feature = context.Features.Get<IDecrementConcurrentConnectionCountFeature>();
                hadFeature = feature is not null;
                feature?.ReleaseConnection();
                feature?.ReleaseConnection();
                return Task.CompletedTask;
            },
            seed,
            limits);

        server.Connect(Apps.Get);

        Assert.Equal(hasLimit, hadFeature);
        Assert.Equal(0, limits.Connections?.Count ?? 0);
        Assert.Equal([200], Responses.Of(server.Connect(Apps.Get)).Select(response => response.Status));
        server.DemandNothingLeft();
        Assert.Equal(0, limits.Connections?.Count ?? 0);
    });

    [Fact]
    public void One_upgrade_too_many_throws_until_another_ends() => Seeds.Run(SeedCount, seed =>
    {
        Exception? error = null;
        var limits = new ConnectionLimits { UpgradedConnections = new ConcurrencyLimit(1) };
        using var server = HostedDelegate.Serve(
            async context => error = await Record.ExceptionAsync(() => EchoUpgraded(context)), seed, limits);
        var first = server.Connect(UpgradeHead);

        var second = server.Connect(UpgradeHead);
        Assert.IsType<InvalidOperationException>(error);
        Assert.Equal([200], Responses.Of(second).Select(response => response.Status));

        first.ShutdownSend();
        server.Run();
        Assert.Equal(0, limits.UpgradedConnections.Count);
        Assert.StartsWith("HTTP/1.1 101 ", server.Connect(UpgradeHead).Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
        Assert.Equal(0, limits.UpgradedConnections.Count);
    });

    [Fact]
    public void An_upgrade_that_fails_takes_no_place() => Seeds.Run(SeedCount, seed =>
    {
        var limits = new ConnectionLimits { UpgradedConnections = new ConcurrencyLimit(1) };
        using var server = HostedDelegate.Serve(
            context =>
            {
                context.Response.OnStarting(() => throw new InvalidOperationException("No upgrade today."));
                return EchoUpgraded(context);
            },
            seed,
            limits);

        var client = server.Connect(UpgradeHead);

        Assert.Equal([500], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(1, server.ConnectionCount);
        Assert.Equal(0, limits.UpgradedConnections.Count);
        server.DemandNothingLeft();
        Assert.Equal(0, limits.UpgradedConnections.Count);
    });

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", null)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", null)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", "close")]
    public void One_request_too_many_is_answered_503_and_the_application_never_sees_it(string request, string? connection) =>
        Seeds.Run(SeedCount, seed =>
        {
            var app = new LimitedApplication(max: 1);
            using var server = new SimulatedServer(app.Limited, seed);
            var first = server.Connect(Apps.Get);

            var second = server.Connect(request);
            var refused = Assert.Single(Responses.Of(second));
            Assert.Equal((503, "1", "0", connection), (
                refused.Status, refused.Field("Retry-After"), refused.Field("Content-Length"), refused.Field("Connection")));
            Assert.Equal(connection is null, second.End == ConnectionEnd.None);
            Assert.Equal(1, app.Seen);

            app.EndAll(server);
            Assert.Equal([200], Responses.Of(first).Select(response => response.Status));
            Assert.Equal(0, app.Limit.Count);
            if (connection is null)
            {
                second.Send(Apps.Get);
                server.Run();
                app.EndAll(server);
                Assert.Equal([503, 200], Responses.Of(second).Select(response => response.Status));
            }

            server.DemandNothingLeft();
        });

    [Fact]
    public void A_pipeline_of_refused_requests_is_refused_one_by_one()
    {
        var app = new LimitedApplication(max: 1);
        using var server = new SimulatedServer(app.Limited);
        server.Connect(Apps.Get);

        var client = server.Connect(Apps.Repeat(Apps.Get, 5_000));

        Assert.Equal(5_000, Responses.Of(client).Count(response => response.Status == 503));
        app.EndAll(server);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_request_that_fails_makes_room_as_well()
    {
        var limit = new ConcurrencyLimit(1);
        using var server = new SimulatedServer(log => new LimitedRequests(
            new Failing(), limit, new Overload("the test's limit", 1, log, TimeProvider.System)));

        var client = server.Connect(Apps.Get + Apps.Get);

        Assert.Equal([500, 500], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(0, limit.Count);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Refusals_are_logged_once_per_episode()
    {
        var app = new LimitedApplication(max: 1);
        using var server = new SimulatedServer(app.Limited);
        server.Connect(Apps.Get);
        Refuse(100);
        Assert.Equal(1, Logged());

        // Not over while refusals follow each other.
        app.Time.Milliseconds += Overload.EpisodeGapMilliseconds;
        Refuse(1);
        app.Time.Milliseconds += Overload.EpisodeGapMilliseconds;
        Refuse(1);
        Assert.Equal(1, Logged());

        app.Time.Milliseconds += Overload.EpisodeGapMilliseconds + 1;
        Refuse(2);
        Assert.Equal(2, Logged());
        app.EndAll(server);
        server.DemandNothingLeft();

        void Refuse(int count) =>
            Assert.Equal(count, Responses.Of(server.Connect(Apps.Repeat(Apps.Get, count))).Count(response => response.Status == 503));

        int Logged() => server.Log.Entries.Count(entry => entry is { Level: LogLevel.Warning, Id.Id: 104 });
    }

    [Fact]
    public void A_limit_holds_on_many_threads()
    {
        const int Max = 3;
        var limit = new ConcurrencyLimit(Max);
        var inside = 0;
        var most = 0;
        Parallel.For(0, 10_000, _ =>
        {
            if (limit.TryEnter())
            {
                var now = Interlocked.Increment(ref inside);
                if (now > Volatile.Read(ref most))
                {
                    Volatile.Write(ref most, now);
                }

                Interlocked.Decrement(ref inside);
                limit.Leave();
            }
        });

        Assert.InRange(most, 1, Max);
        Assert.Equal(0, limit.Count);
    }

    private static async Task EchoUpgraded(HttpContext context)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade)
        {
            return;
        }

        await using var stream = await upgrade.UpgradeAsync();
        var buffer = new byte[100];
        while (await stream.ReadAsync(buffer) > 0)
        {
        }
    }

    private sealed class Failing : IAsgiApplication
    {
        private int _count;

        public async ValueTask RunAsync(HttpExchange exchange)
        {
            if (_count++ == 0)
            {
                throw new InvalidOperationException("at once");
            }

            await exchange.ReceiveAsync();
            throw new InvalidOperationException("later");
        }
    }

    // Requests wait until they are all ended.
    private sealed class LimitedApplication(long max) : IAsgiApplication
    {
        private readonly Hops _hops = new();

        public ConcurrencyLimit Limit { get; } = new(max);

        public ManualTime Time { get; } = new();

        public int Seen { get; private set; }

        public IAsgiApplication Limited(ServerLog log) =>
            new LimitedRequests(this, Limit, new Overload("the test's limit", 1, log, Time));

        public async ValueTask RunAsync(HttpExchange exchange)
        {
            Seen++;
            await _hops.Next();
            await Apps.Path(exchange);
        }

        public void EndAll(SimulatedServer server) => _hops.RunAll(server);
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Milliseconds { get; set; } = 1_000;

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => Milliseconds * 1_000;
    }
}
