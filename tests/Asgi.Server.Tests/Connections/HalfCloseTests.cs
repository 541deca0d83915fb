// A client that shuts down its sending side after a whole request: it may have left, or said all and read on. What it gets, and when its
// request is told, on virtual time.

using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class HalfCloseTests
{
    private const int SeedCount = 20;
    private const int Grace = 10_000;
    private const int Step = TimerWheel.StepMilliseconds;
    private const string Head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

    private readonly ConnectionLimits _aborting = new() { AbortsOnHalfClose = true };

    // Hands Disconnected to what it awaits, as applications do with RequestAborted.
    private sealed class Waiting
    {
        private readonly TaskCompletionSource _end = new();

        public bool IsDisconnected { get; private set; }

        public async ValueTask Run(HttpExchange exchange)
        {
            exchange.Disconnected.Register(() => IsDisconnected = true);
            await _end.Task.WaitAsync(exchange.Disconnected);
            await Apps.Path(exchange);
        }

        public async ValueTask ReadAndRun(HttpExchange exchange)
        {
            await Apps.ReadAll(exchange);
            await Run(exchange);
        }

        public Func<HttpExchange, ValueTask> ReadAndRunAfter(Task gate) => async exchange =>
        {
            await gate;
            await ReadAndRun(exchange);
        };

        public void End() => SimulatedServer.OffLoop(_end.SetResult);
    }

    [Fact]
    public void The_response_is_sent_until_the_grace_is_over() => Seeds.Run(SeedCount, seed =>
    {
        var app = new Waiting();
        using var server = new SimulatedServer(app.Run, seed);
        var client = server.Connect(Apps.Get);
        client.ShutdownSend();

        server.Advance(Grace - 1);
        Assert.Equal((ConnectionEnd.None, false), (client.End, app.IsDisconnected));
        app.End();
        server.Run();

        DemandAnswered(server, client, app);
    });

    [Fact]
    public void After_the_grace_the_request_hears_of_it_and_may_still_answer() => Seeds.Run(SeedCount, seed =>
    {
        var app = new Waiting();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await Record.ExceptionAsync(async () => await app.Run(exchange));
                await Apps.Answer(exchange, "too late, perhaps");
            },
            seed);
        var client = server.Connect(Apps.Get);
        client.ShutdownSend();

        server.Advance(Grace - 1);
        Assert.False(app.IsDisconnected);
        server.Advance(1 + Step);

        Assert.True(app.IsDisconnected);
        Assert.Equal("too late, perhaps", Assert.Single(Responses.Of(client)).Content);
        Assert.Equal((ConnectionEnd.Fin, 0), (client.End, server.ConnectionCount));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("hel")]
    public void The_grace_begins_with_the_end_of_the_request_however_it_is_cut(string early) => Seeds.Run(SeedCount, seed =>
    {
        var app = new Waiting();
        using var server = new SimulatedServer(app.ReadAndRun, seed);
        var client = server.Connect(Head + early);
        client.Send("hello"[early.Length..]);
        client.ShutdownSend();

        server.Advance(Grace - 1);
        Assert.False(app.IsDisconnected);
        server.Advance(1 + Step);

        Assert.True(app.IsDisconnected);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Content_that_is_read_after_the_FIN_does_not_end_the_grace() => Seeds.Run(SeedCount, seed =>
    {
        var read = new TaskCompletionSource();
        var app = new Waiting();
        using var server = new SimulatedServer(app.ReadAndRunAfter(read.Task), seed);
        var client = server.Connect(Head + "hello");
        client.ShutdownSend();
        server.Advance(Grace / 2);
        SimulatedServer.OffLoop(read.SetResult);

        server.Advance(Grace / 2 - 1);
        Assert.False(app.IsDisconnected);
        server.Advance(1 + Step);

        Assert.True(app.IsDisconnected);
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_grace_begins_when_content_that_was_held_back_is_received() => Seeds.Run(SeedCount, seed =>
    {
        var read = new TaskCompletionSource();
        var app = new Waiting();
        using var server = new SimulatedServer(
            app.ReadAndRunAfter(read.Task),
            seed,
            new ConnectionLimits { RequestBufferSizeMax = 1 });
        var client = server.Connect(Head + "hel");
        client.Send("lo");
        client.ShutdownSend();
        server.Run();
        Assert.InRange(client.UnsentLength, 1, 4);
        SimulatedServer.OffLoop(read.SetResult);

        server.Advance(Grace - 1);
        Assert.False(app.IsDisconnected);
        server.Advance(1 + Step);

        Assert.True(app.IsDisconnected);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_pipelined_request_has_a_grace_of_its_own() => Seeds.Run(SeedCount, seed =>
    {
        var (first, second) = (new Waiting(), new Waiting());
        using var server = new SimulatedServer(exchange => exchange.Scope.Path == "/2" ? second.Run(exchange) : first.Run(exchange), seed);
        var client = server.Connect(Apps.Get + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.ShutdownSend();
        server.Advance(Grace - 1);
        first.End();

        server.Advance(Grace - 1);
        Assert.False(second.IsDisconnected);
        server.Advance(1 + Step);

        Assert.True(second.IsDisconnected);
        Assert.False(first.IsDisconnected);
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_was_cancelled_for_a_request_is_not_for_the_next_one()
    {
        var first = new Waiting();
        bool? isCancelled = null;
        using var server = new SimulatedServer(async exchange =>
        {
            if (exchange.Scope.Path == "/2")
            {
                isCancelled = exchange.Disconnected.IsCancellationRequested;
            }
            else
            {
                await Record.ExceptionAsync(async () => await first.Run(exchange));
            }

            await Apps.Path(exchange);
        });
        var client = server.Connect(Apps.Get + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.ShutdownSend();

        server.Advance(Grace + Step);

        Assert.True(first.IsDisconnected);
        Assert.False(isCancelled);
        Assert.Equal(["/", "/2"], Responses.Of(client).Select(response => response.Content));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_reset_within_the_grace_is_told_at_once() => Seeds.Run(SeedCount, seed =>
    {
        var app = new Waiting();
        using var server = new SimulatedServer(app.Run, seed);
        var client = server.Connect(Apps.Get);
        client.ShutdownSend();
        server.Run();
        Assert.False(app.IsDisconnected);

        client.Reset();
        server.Run();

        Assert.True(app.IsDisconnected);
        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_grace_is_as_long_as_it_is_set() => Seeds.Run(SeedCount, seed =>
    {
        var app = new Waiting();
        using var server = new SimulatedServer(app.Run, seed, new ConnectionLimits { HalfCloseTimeoutMilliseconds = 3_600_000 });
        var client = server.Connect(Apps.Get);
        client.ShutdownSend();

        server.Advance(3_600_000 - 1);
        Assert.False(app.IsDisconnected);
        server.Advance(1 + Step);

        Assert.True(app.IsDisconnected);
        server.DemandNothingLeft();
    });

    [Fact]
    public void With_Abort_the_request_hears_of_it_at_once_and_the_response_is_discarded() => Seeds.Run(SeedCount, seed =>
    {
        var app = new Waiting();
        using var server = new SimulatedServer(
            async exchange =>
            {
                if (exchange.Scope.Path != "/2")
                {
                    await Apps.Path(exchange);
                    return;
                }

                await Record.ExceptionAsync(async () => await app.Run(exchange));
                await Apps.Answer(exchange, "discarded");
            },
            seed,
            _aborting);
        var client = server.Connect(Apps.Get + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.False(app.IsDisconnected);

        client.ShutdownSend();
        server.Run();

        Assert.True(app.IsDisconnected);
        Assert.Equal("/", Assert.Single(Responses.Of(client)).Content);
        Assert.Equal((ConnectionEnd.Fin, 0, 0), (client.End, server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void With_Abort_nothing_is_left_whenever_the_FIN_comes() => Seeds.Run(60, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed, _aborting);
        var client = server.Connect();
        client.Send(Apps.Repeat(Head + "hello", 3));
        for (var tick = 0; tick < seed; tick++)
        {
            server.Tick();
        }

        client.ShutdownSend();
        server.Run();

        Assert.All(Responses.Of(client), response => Assert.Equal((200, true), (response.Status, response.IsComplete)));
        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    private static void DemandAnswered(SimulatedServer server, SimulatedClient client, Waiting app)
    {
        Assert.Equal((200, true), Assert.Single(Responses.Of(client)) is var response ? (response.Status, response.IsComplete) : default);
        Assert.False(app.IsDisconnected);
        Assert.Equal((ConnectionEnd.Fin, 0, 0), (client.End, server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    }
}
