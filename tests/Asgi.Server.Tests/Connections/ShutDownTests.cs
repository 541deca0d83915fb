// A graceful end, at every stage of a connection: what is in flight is answered, with Connection: close where that can still be said.

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
        using var server = new SimulatedServer(
            async exchange =>
            {
                await answer.Task;
                await Apps.Path(exchange);
            },
            seed);
        var client = server.Connect(Apps.Get);

        var done = ShutDown(server);
        Assert.False(done.IsCompleted);
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
