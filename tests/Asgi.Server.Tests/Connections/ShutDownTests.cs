// A graceful end, at every stage of a connection: what is in flight is answered, with Connection: close where that can still be said.

using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class ShutDownTests
{
    private const int SeedCount = 20;

    [Fact]
    public void Without_connections_it_is_done_at_once()
    {
        using var server = new SimulatedServer(Apps.Path);

        Assert.True(server.ShutDown().IsCompletedSuccessfully);
    }

    [Fact]
    public void An_idle_connection_is_closed() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var fresh = server.Connect("");
        var used = server.Connect(Apps.Get);

        var done = ShutDown(server);

        Assert.True(done.IsCompletedSuccessfully);
        Assert.Equal((ConnectionEnd.Fin, ConnectionEnd.Fin), (fresh.End, used.End));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Half_a_head_is_waited_for_and_answered() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("GET / HTTP/1.1\r\n");

        var done = ShutDown(server);
        Assert.False(done.IsCompleted);
        client.Send("Host: a\r\n\r\n");
        server.Run();

        DemandAnsweredAndClosed(server, client, done);
    });

    [Fact]
    public void Half_a_head_is_not_waited_for_longer_than_its_time() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("GET / HTTP/1.1\r\n");
        var done = ShutDown(server);

        server.Advance(30_064);
        Assert.Equal([408], Responses.Of(client).Select(response => response.Status));
        server.Advance(5_064);

        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_request_before_its_response_has_started_is_answered_with_close() => Seeds.Run(SeedCount, seed =>
    {
        var answer = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(answer.Task), seed);
        var client = server.Connect(Apps.Get);

        var done = ShutDown(server);
        Assert.False(done.IsCompleted);
        SimulatedServer.OffLoop(answer.SetResult);
        server.Run();

        DemandAnsweredAndClosed(server, client, done);
    });

    // Another loop's connections may have ended already: a client that has seen that must not be told to keep this one.
    [Fact]
    public void A_response_after_a_stop_of_which_its_loop_has_not_heard_yet_says_close() => Seeds.Run(SeedCount, seed =>
    {
        SimulatedServer server = null!;
        var done = Task.CompletedTask;
        server = new SimulatedServer(
            exchange =>
            {
                done = server.ShutDown();
                return Apps.Path(exchange);
            },
            seed);
        using var disposing = server;

        var client = server.Connect(Apps.Get);
        server.Run();

        DemandAnsweredAndClosed(server, client, done);
    });

    [Fact]
    public void A_response_that_starts_before_its_loop_has_heard_of_the_stop_says_close() => Seeds.Run(SeedCount, seed =>
    {
        var answer = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(answer.Task), seed);
        var client = server.Connect(Apps.Get);

        var done = server.ShutDown();
        SimulatedServer.OffLoop(answer.SetResult);
        server.Run();

        DemandAnsweredAndClosed(server, client, done);
    });

    [Fact]
    public void A_response_under_way_is_completed() => Seeds.Run(SeedCount, seed =>
    {
        var rest = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseBody("a"u8.ToArray(), MoreBody: true));
                await rest.Task;
                await exchange.SendAsync(new ResponseBody("b"u8.ToArray()));
            },
            seed);
        var client = server.Connect(Apps.Get);

        var done = ShutDown(server);
        SimulatedServer.OffLoop(rest.SetResult);
        server.Run();

        var response = Assert.Single(Responses.Of(client));
        Assert.Equal(("ab", true, null), (response.Content, response.IsComplete, response.Field("Connection")));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Content_under_way_is_still_received() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");

        var done = ShutDown(server);
        client.Send("llo");
        server.Run();

        Assert.Equal("hello", Assert.Single(Responses.Of(client)).Content);
        DemandAnsweredAndClosed(server, client, done);
    });

    [Fact]
    public void Unread_content_is_still_drained() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");

        var done = ShutDown(server);
        Assert.False(done.IsCompleted);
        client.Send("llo");
        server.Run();

        Assert.Equal([200], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_is_unsent_is_still_sent() => Seeds.Run(SeedCount, seed =>
    {
        var content = Apps.Repeat("x", 100_000);
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, content), seed, conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = 1000;
        client.Send(Apps.Get);
        server.Run();

        var done = ShutDown(server);
        client.Window = long.MaxValue;
        server.Run();

        Assert.Equal(content, Assert.Single(Responses.Of(client)).Content);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_large_response_to_a_slow_reader_is_delivered_whole(bool isOffLoop) => Seeds.Run(SeedCount, seed =>
    {
        const int PieceCount = 40;
        var piece = Apps.Repeat("0123456789abcdef", 1_000);
        var go = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await go.Task;
                exchange.Send(new ResponseStart(200));
                for (var i = 0; i < PieceCount; i++)
                {
                    await exchange.SendAsync(new ResponseBody(Encoding.Latin1.GetBytes(piece), MoreBody: true));
                }

                await exchange.SendAsync(default);
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = 1000;
        client.Send(Apps.Get);
        server.Run();
        Begin(go, isOffLoop);
        server.Run();

        var done = ShutDown(server);
        while (client.End == ConnectionEnd.None)
        {
            client.Window = 50_000;
            server.Advance(1_000);
        }

        var response = Assert.Single(Responses.Of(client));
        Assert.True(response.IsComplete);
        Assert.Equal(Apps.Repeat(piece, PieceCount), response.Content);
        server.Advance(5_064);
        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_slow_reader_that_stops_reading_is_not_waited_for() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", 1_000_000)), seed, conditions: NetworkConditions.Calm);
        var client = server.Connect();
        client.Window = 1000;
        client.Send(Apps.Get);
        server.Run();

        var done = ShutDown(server);
        server.Advance(((SendRate.CreditMax + 1000) * 1000L / 240) + 2_000);

        Assert.Equal((ConnectionEnd.Reset, true), (client.End, done.IsCompleted));
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_is_pipelined_behind_the_request_in_flight_is_not_served() => Seeds.Run(SeedCount, seed =>
    {
        var answer = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(answer.Task), seed);
        var client = server.Connect(Apps.Get + Apps.Get);

        var done = ShutDown(server);
        SimulatedServer.OffLoop(answer.SetResult);
        server.Run();

        DemandAnsweredAndClosed(server, client, done);
    });

    [Fact]
    public void Content_that_does_not_come_is_refused_at_its_rate_and_not_waited_for() => Seeds.Run(SeedCount, seed =>
    {
        using var server = HostedDelegate.Serve(context => context.Request.Body.CopyToAsync(Stream.Null), seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");

        var done = ShutDown(server);
        server.Advance(7_100);
        Assert.Equal([408], Responses.Of(client).Select(response => response.Status));
        server.Advance(5_064);

        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Draining_is_not_waited_for_longer_than_its_time() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");

        var done = ShutDown(server);
        server.Advance(5_064);
        Assert.Equal((ConnectionEnd.Fin, false), (client.End, done.IsCompleted));
        server.Advance(5_064);

        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_connection_that_lingers_goes_when_its_client_does_or_its_time_is_over() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("NONSENSE\r\n\r\n");
        var other = server.Connect("NONSENSE\r\n\r\n");

        var done = ShutDown(server);
        Assert.Equal(2, server.ConnectionCount);
        client.ShutdownSend();
        server.Run();
        Assert.Equal((1, false), (server.ConnectionCount, done.IsCompleted));
        server.Advance(5_064);

        Assert.Equal((true, ConnectionEnd.Fin), (done.IsCompletedSuccessfully, other.End));
        server.DemandNothingLeft();
    });

    [Fact]
    public void At_any_tick_every_response_is_whole() => Seeds.Run(60, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed);
        var client = server.Connect();
        client.Send(Apps.Repeat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 4));
        for (var tick = 0; tick < seed; tick++)
        {
            server.Tick();
        }

        var done = server.ShutDown();
        server.Run();
        client.ShutdownSend();
        server.Run();

        Assert.All(
            Responses.Of(client), response => Assert.Equal((200, true, "hello"), (response.Status, response.IsComplete, response.Content)));
        Assert.NotEqual(ConnectionEnd.None, client.End);
        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    private static void Begin(TaskCompletionSource start, bool isOffLoop)
    {
        if (isOffLoop)
        {
            SimulatedServer.OffLoop(start.SetResult);
        }
        else
        {
            SimulatedServer.OnLoop(start.SetResult);
        }
    }

    private static Task ShutDown(SimulatedServer server)
    {
        var done = server.ShutDown();
        server.Run();
        return done;
    }

    // Told to close, a client does; the server waits for that a little, so that nothing the client still sends destroys the response.
    private static void DemandAnsweredAndClosed(SimulatedServer server, SimulatedClient client, Task done)
    {
        var response = Assert.Single(Responses.Of(client));
        Assert.Equal((200, true, "close"), (response.Status, response.IsComplete, response.Field("Connection")));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        client.ShutdownSend();
        server.Run();
        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    }
}
