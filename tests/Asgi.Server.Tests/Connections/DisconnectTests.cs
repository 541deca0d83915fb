// Clients that leave, at every stage of a request, and applications that break the connection.

using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class DisconnectTests
{
    private const string Conversation =
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        + "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
        + "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private static readonly int[] MessageEnds =
    [
        Conversation.IndexOf("POST /2", StringComparison.Ordinal),
        Conversation.IndexOf("GET /3", StringComparison.Ordinal),
        Conversation.Length,
    ];

    [Fact]
    public void A_client_may_reset_after_any_byte() => Seeds.Run(Conversation.Length + 1, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed);
        var client = server.Connect(Conversation[..seed]);

        client.Reset();
        server.Run();

        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_client_may_reset_with_the_response_on_its_way() => Seeds.Run(Conversation.Length + 1, seed =>
    {
        using var server = new SimulatedServer(Apps.Echo, seed);
        var client = server.Connect();
        client.Send(Conversation[..seed]);
        for (var tick = 0; tick < seed % 16; tick++)
        {
            server.Tick();
        }

        client.Reset();
        server.Run();

        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_client_that_shuts_down_after_any_byte_gets_its_responses() => Seeds.Run(Conversation.Length + 1, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed);
        var client = server.Connect();
        client.Send(Conversation[..seed]);
        client.ShutdownSend();
        server.Run();

        var whole = MessageEnds.Count(end => end <= seed);
        var responses = Responses.Of(client);
        Assert.Equal(Enumerable.Repeat(200, whole), responses.Take(whole).Select(response => response.Status));

        // Half a head gets no answer; half a content is the application's to answer, which fails here.
        Assert.InRange(responses.Count, whole, whole + 1);
        Assert.All(responses.Skip(whole), response => Assert.Equal(500, response.Status));
        Assert.All(responses, response => Assert.True(response.IsComplete));
        Assert.Equal((ConnectionEnd.Fin, 0, 0), (client.End, server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_request_under_way_hears_that_its_client_has_left(bool isReset) => Seeds.Run(20, seed =>
    {
        var end = new TaskCompletionSource();
        var isDisconnected = false;
        var hasHeardOnLoop = false;
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Disconnected.Register(() =>
                {
                    isDisconnected = true;
                    hasHeardOnLoop = Loop.Current is { IsCurrent: true };
                });
                await end.Task;
            },
            seed);
        var client = server.Connect(Apps.Get);
        Assert.False(isDisconnected);

        Leave(client, isReset);
        server.Run();
        Assert.Equal(isReset, isDisconnected);

        // FIN alone may be a client that has said all and reads on: HalfCloseTests.
        server.Advance(11_000);
        Assert.True(isDisconnected);
        Assert.True(hasHeardOnLoop);
        Assert.Equal(1, server.ConnectionCount);

        SimulatedServer.OffLoop(end.SetResult);
        server.Run();
        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_disconnect_is_not_told_to_the_next_request() => Seeds.Run(20, seed =>
    {
        var told = new List<string>();
        using var server = new SimulatedServer(
            exchange =>
            {
                var path = exchange.Scope.Path;
                exchange.Disconnected.Register(() => told.Add(path));
                return Apps.Path(exchange);
            },
            seed);
        var client = server.Connect(Apps.Get + Apps.Get);

        client.Reset();
        server.Run();

        Assert.Empty(told);
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_a_request_has_registered_is_not_called_for_the_next_one() => Seeds.Run(20, seed =>
    {
        var told = new List<string>();
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                var path = exchange.Scope.Path;
                exchange.Disconnected.Register(() => told.Add(path));
                if (path == "/second")
                {
                    await end.Task;
                }

                await Apps.Path(exchange);
            },
            seed);
        var client = server.Connect(Apps.Get);

        client.Send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        server.Run();
        client.Reset();
        server.Run();

        Assert.Equal(["/second"], told);
        SimulatedServer.OffLoop(end.SetResult);
        server.Run();
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_receive_that_waits_ends_when_the_client_leaves(bool isReset) => Seeds.Run(20, seed =>
    {
        var isDisconnect = false;
        using var server = new SimulatedServer(
            async exchange =>
            {
                var body = await exchange.ReceiveAsync();
                while (!body.IsDisconnect && body.MoreBody)
                {
                    exchange.AdvanceTo(body.Body.End, body.Body.End);
                    body = await exchange.ReceiveAsync();
                }

                isDisconnect = body.IsDisconnect;
                await Apps.Path(exchange);
            },
            seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");

        Leave(client, isReset);
        server.Run();

        Assert.True(isDisconnect);
        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_application_may_break_the_connection_before_and_after_the_start(bool hasStarted) => Seeds.Run(20, seed =>
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                if (hasStarted)
                {
                    exchange.Send(new ResponseStart(200));
                    await exchange.SendAsync(new ResponseBody("half"u8.ToArray(), MoreBody: true));
                }

                exchange.Abort();
            },
            seed);

        var client = server.Connect(Apps.Get);

        Assert.Equal((ConnectionEnd.Reset, 0, 0), (client.End, server.ConnectionCount, server.BlockCount));
        Assert.DoesNotContain(Responses.Of(client), response => response.IsComplete);
        server.DemandNothingLeft();
    });

    [Fact]
    public void An_application_may_break_the_connection_from_another_thread() => Seeds.Run(20, seed =>
    {
        var end = new TaskCompletionSource();
        HttpExchange? exchange = null;
        using var server = new SimulatedServer(
            async its =>
            {
                exchange = its;
                await end.Task;
            },
            seed);
        var client = server.Connect(Apps.Get);

        SimulatedServer.OffLoop(exchange!.Abort);
        server.Run();
        Assert.Equal((ConnectionEnd.Reset, 1), (client.End, server.ConnectionCount));

        SimulatedServer.OffLoop(end.SetResult);
        server.Run();
        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    private static void Leave(SimulatedClient client, bool isReset)
    {
        if (isReset)
        {
            client.Reset();
        }
        else
        {
            client.ShutdownSend();
        }
    }
}
