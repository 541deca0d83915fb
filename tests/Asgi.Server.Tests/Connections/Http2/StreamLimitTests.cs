// What bounds a connection of HTTP/2 and its streams from the server's side: streams that were reset while their applications run, what
// those hold, requests at a time, the age of the connection; and what watchers are told of its requests.

using System.Collections.Concurrent;
using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Diagnostics;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class StreamLimitTests
{
    private const int Step = TimerWheel.StepMilliseconds;
    private const int StreamsMax = 100;

    [Fact]
    public void Streams_that_were_reset_count_while_their_applications_run_up_to_twice_the_limit()
    {
        var gate = new TaskCompletionSource();
        var running = 0;
        var ended = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                running++;
                await gate.Task;
                await Apps.Path(exchange);
                Interlocked.Increment(ref ended);
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        uint next = 1;
        for (var i = 0; i < 2 * StreamsMax; i++, next += 2)
        {
            peer.Send(Get(next), RstStream(next));
        }

        Assert.Equal(2 * StreamsMax, running);
        Assert.Empty(peer.Told);

        peer.Send(Get(next));
        Assert.Equal([$"RST_STREAM {next} 7"], peer.Told);
        Assert.Equal(2 * StreamsMax, running);

        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => Volatile.Read(ref ended) == 2 * StreamsMax);
        peer.Send(Get(next + 2));
        Assert.Equal("/", peer[(int)next + 2].Content);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Content_that_nobody_has_seen_is_let_go_of_when_its_stream_is_reset()
    {
        var gate = new TaskCompletionSource();
        var hasSeenDisconnect = false;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await gate.Task;
                hasSeenDisconnect = (await exchange.ReceiveAsync()).IsDisconnect;
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1));
        var blocksBefore = server.BlockCount;
        peer.Send([.. Enumerable.Repeat(DataFrame(1, 16_000), 16)]);
        Assert.True(server.BlockCount >= blocksBefore + 10, $"{server.BlockCount} blocks");

        peer.Send(RstStream(1));
        Assert.True(server.BlockCount <= blocksBefore, $"{server.BlockCount} blocks after the reset");
        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => hasSeenDisconnect);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Content_that_the_application_has_left_is_let_go_of_though_its_response_waits()
    {
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, "done"), isHttp2: true);
        var peer = new Http2Peer(server, (4, 0));
        peer.Send(Post(1));
        var blocksBefore = server.BlockCount;
        peer.Send([.. Enumerable.Repeat(DataFrame(1, 16_000), 16)]);
        Assert.True(server.BlockCount <= blocksBefore, $"{server.BlockCount} blocks");

        // What was there when it left, and what came after.
        peer.Post([Post(3), .. Enumerable.Repeat(DataFrame(3, 10_000), 16)]);
        server.Run();
        Assert.True(server.BlockCount <= blocksBefore + 2, $"{server.BlockCount} blocks");
        peer.Send(WindowUpdate(1, 10), WindowUpdate(3, 10));
        Assert.Equal(("done", "done"), (peer[1].Content, peer[3].Content));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Content_that_the_application_was_lent_stays_its_own_when_the_stream_is_reset()
    {
        var gate = new TaskCompletionSource();
        var contents = new ConcurrentQueue<string>();
        using var server = new SimulatedServer(
            async (HttpExchange exchange) =>
            {
                var body = await exchange.ReceiveAsync();
                await gate.Task;
                contents.Enqueue(exchange.Scope.Path + Encoding.ASCII.GetString(body.Body));
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Request(1, "POST", "/", end: false), DataFrame(1, "lent"));
        peer.Send(RstStream(1));
        peer.Send(Post(3), DataFrame(3, "more"));
        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => contents.Count == 2);

        Assert.Equal(["/lent", "/more"], contents.Order());
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_window_of_the_connection_that_nothing_waits_for_any_more_has_no_rate()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                if (exchange.Scope.Path == "/later")
                {
                    await gate.Task;
                }

                await Apps.Answer(exchange, Apps.Repeat("x", 200_000));
            },
            isHttp2: true);
        var peer = new Http2Peer(server, (4, 1 << 20));
        peer.Send(Request(1, path: "/later"), Get(3));
        Assert.Equal(65_535, peer[3].Content.Length);
        peer.Send(RstStream(3));

        server.Advance(400_000);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);
        Assert.DoesNotContain(peer.Read().Frames, frame => frame.Type == GoAwayType);

        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();
        peer.Send(WindowUpdate(0, 1 << 20));
        Assert.Equal(200_000, peer[1].Content.Length);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_application_that_returns_late_does_not_shorten_the_lingering()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), DataFrame(5, "x"));
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);

        SimulatedServer.OffLoop(gate.SetResult);
        server.Advance(4_900);
        Assert.Equal(1, server.ConnectionCount);
        server.Advance(100 + (2 * Step));
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    }

    [Fact]
    public void One_request_too_many_is_a_503_of_its_stream()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            log => new LimitedRequests(
                new Application(Apps.PathAfter(gate.Task)),
                new ConcurrencyLimit(2),
                new Overload("two", retryAfterSeconds: 1, log, TimeProvider.System)),
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Get(3), Post(5), Get(7));

        Assert.Equal(("503", "1", true, 0u), (peer[5].Status, peer[5].Head["retry-after"], peer[5].IsEnded, peer[5].ResetCode));
        Assert.Equal(("503", true, null), (peer[7].Status, peer[7].IsEnded, peer[7].ResetCode));
        Assert.Empty(peer[1].Heads);

        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => peer[1].IsEnded && peer[3].IsEnded);
        peer.Send(Get(9));
        Assert.Equal(("/", "/", "200"), (peer[1].Content, peer[3].Content, peer[9].Status));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_connection_of_age_ends_in_two_steps_and_its_streams_are_answered() => Seeds.Run(10, seed =>
    {
        const int Age = 20_000;
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            Apps.PathAfter(gate.Task), seed, new ConnectionLimits { AgeMaxMilliseconds = Age }, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        server.Advance((long)(Age * (1 - Connection.AgeSpread)) - Step);
        Assert.Empty(peer.Read().Told);

        server.Advance((long)(Age * Connection.AgeSpread) + Http2Driver.GoAwayTimeoutMilliseconds + (3 * Step));
        Assert.Equal(["GOAWAY 2147483647 0", "PING", "GOAWAY 1 0"], peer.Read().Told);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => peer[1].IsEnded);
        server.Run();
        Assert.Equal(("/", ConnectionEnd.Fin), (peer[1].Content, peer.Client.End));
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_last_request_of_a_connection_is_served_and_later_ones_are_not()
    {
        using var server = new SimulatedServer(Apps.Path, limits: new ConnectionLimits { RequestsMax = 2 }, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Get(3));
        var ping = peer.Frames.Single(frame => frame.Type == PingType);
        peer.Send(Frame(PingType, Ack, 0, ping.Payload), Get(5));

        Assert.Equal(("200", "200"), (peer[1].Status, peer[3].Status));
        Assert.Empty(peer[5].Heads);
        Assert.Equal("GOAWAY 3 0", peer.Told.Last(text => text.StartsWith("GOAWAY", StringComparison.Ordinal)));
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Each_stream_is_a_line_of_the_access_log_and_an_active_request()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await gate.Task;
                await Apps.Path(exchange);
            },
            logsAccess: true,
            isHttp2: true);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "active_requests");
        var peer = new Http2Peer(server);
        peer.Send(Request(1, path: "/one?a=b"), Request(3, "HEAD", "/two"), Request(5, path: "/gone"));
        Assert.Equal(3, probe.Sum("active_requests"));

        // One that is reset is active as long as its application is.
        peer.Send(RstStream(5));
        Assert.Equal(3, probe.Sum("active_requests"));
        server.Advance(1500);
        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => probe.Sum("active_requests") == 0);

        Assert.Equal(
            [
                "127.0.0.1 \"GET /gone HTTP/2\" 499 0 1500 ms",
                "127.0.0.1 \"GET /one?a=b HTTP/2\" 200 4 1500 ms",
                "127.0.0.1 \"HEAD /two HTTP/2\" 200 0 1500 ms",
            ],
            server.Log.Entries.Where(entry => entry.Category == "Asgi.Server.AccessLog").Select(entry => entry.Message).Order());
        server.DemandNothingLeft();
    }

    private sealed class Application(Func<HttpExchange, ValueTask> run) : IAsgiApplication
    {
        public ValueTask RunAsync(HttpExchange exchange) => run(exchange);
    }
}
