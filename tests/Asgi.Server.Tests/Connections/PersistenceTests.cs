// Which connections persist, and what they hold meanwhile (RFC 9112, section 9).

using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class PersistenceTests
{
    private const int SeedCount = 40;

    [Fact]
    public void A_connection_serves_one_request_after_the_other() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect();
        for (var i = 0; i < 5; i++)
        {
            client.Send($"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n");
            server.Run();

            Assert.Equal($"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: {SimulatedServer.Date}\r\n\r\n/{i}", client.Take());
            Assert.Equal(0, server.BlockCount);
        }

        Assert.Equal(ConnectionEnd.None, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Pipelined_requests_are_answered_in_order() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);

        var client = server.Connect(string.Concat(Enumerable.Range(0, 16).Select(i => $"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n")));

        Assert.Equal(Enumerable.Range(0, 16).Select(i => $"/{i}"), Responses.Of(client).Select(response => response.Content));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_pipelining_client_does_not_keep_others_waiting()
    {
        // More requests than one tick has rounds, of which a round of each connection takes one.
        using var server = new SimulatedServer(Apps.Path, conditions: NetworkConditions.Calm);
        var greedy = server.Connect();
        var modest = server.Connect();
        server.Run();
        greedy.Send(string.Concat(Enumerable.Repeat(Apps.Get, 400)));
        modest.Send(Apps.Get);

        for (var tick = 0; modest.ReceivedLength == 0; tick++)
        {
            Assert.InRange(tick, 0, 5);
            server.Tick();
        }

        Assert.InRange(Responses.Of(greedy).Count, 0, 399);
        server.Run();
        Assert.Equal(400, Responses.Of(greedy).Count);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close")]
    [InlineData("GET / HTTP/1.0\r\n\r\n", "close")]
    [InlineData("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", null)]
    public void The_response_says_whether_the_connection_persists(string request, string? connection) => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);

        var client = server.Connect(request);

        var response = Assert.Single(Responses.Of(client));
        Assert.True(response.IsComplete);
        Assert.Equal(connection, response.Field("Connection"));
        Assert.Equal(connection == "close" ? ConnectionEnd.Fin : ConnectionEnd.None, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void An_HTTP_1_0_response_of_unknown_length_ends_with_the_connection() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Echo, seed);

        var client = server.Connect("POST / HTTP/1.0\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");

        var response = Assert.Single(Responses.Of(client));
        Assert.Equal(("close", "hello"), (response.Framing, response.Content));
        Assert.Equal("close", response.Field("Connection"));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_response_to_HEAD_has_the_length_and_no_content() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, "hello", new FieldList().Add("Content-Length", "5")), seed);

        var client = server.Connect("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Apps.Get);

        var responses = Responses.Of(client, "HEAD", "GET");
        Assert.Equal(["5", "5"], responses.Select(response => response.Field("Content-Length")));
        Assert.Equal(["", "hello"], responses.Select(response => response.Content));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Requests_after_a_closing_response_are_not_served_and_do_not_destroy_it() => Seeds.Run(SeedCount, seed =>
    {
        // RFC 9112, section 9.6: bytes that nobody reads would be answered with RST, which can overtake the response.
        var served = 0;
        using var server = new SimulatedServer(
            exchange =>
            {
                served++;
                return Apps.Answer(exchange, Apps.Repeat("x", 5000), new FieldList().Add("Connection", "close"));
            },
            seed);

        var client = server.Connect(Apps.Repeat(Apps.Get, 300));

        Assert.Equal(1, served);
        var response = Assert.Single(Responses.Of(client));
        Assert.True(response.IsComplete);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void An_idle_connection_holds_no_block()
    {
        using var server = new SimulatedServer(Apps.Path);
        var clients = Enumerable.Range(0, 10).Select(_ => server.Connect("")).ToArray();
        Assert.Equal(0, server.BlockCount);

        Array.ForEach(clients, client => client.Send(Apps.Get));
        server.Run();
        Assert.Equal(0, server.BlockCount);

        Array.ForEach(clients, client => client.Send("GET"));
        server.Run();
        Assert.Equal(10, server.BlockCount);
        server.DemandNothingLeft();
    }
}
