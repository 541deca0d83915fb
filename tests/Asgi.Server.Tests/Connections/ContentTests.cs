// Request content on its way to the application: framing, 100-continue, what is not read, and back-pressure
// (RFC 9110, sections 8 and 10.1.1).

using Asgi.Server.Connections;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class ContentTests
{
    private const int SeedCount = 40;
    private const string HalfAPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe";
    private const string ExpectContinue = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

    [Fact]
    public void Chunked_content_is_decoded_and_sent_chunked() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Echo, seed);

        var client = server.Connect(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + Apps.Chunked("hello", ", ", "world") + Apps.Get);

        var responses = Responses.Of(client);
        Assert.Equal(["hello, world", ""], responses.Select(response => response.Content));
        Assert.All(responses, response => Assert.Equal((true, "chunked"), (response.IsComplete, response.Framing)));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Content_larger_than_all_buffers_passes_through() => Seeds.Run(10, seed =>
    {
        using var server = new SimulatedServer(Apps.Echo, seed, conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var content = Apps.Repeat("0123456789abcde\n", 10_000);

        var client = server.Connect($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {content.Length}\r\n\r\n{content}");

        var response = Assert.Single(Responses.Of(client));
        Assert.True(response.IsComplete);
        Assert.Equal(content, response.Content);
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_100_is_sent_when_the_application_first_waits_for_content() => Seeds.Run(SeedCount, seed =>
    {
        var start = new TaskCompletionSource();
        using var server = new SimulatedServer(exchange => EchoAfter(start.Task, exchange), seed);
        var client = server.Connect(ExpectContinue);
        Assert.Equal("", client.Received);

        SimulatedServer.OffLoop(start.SetResult);
        server.Run();
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", client.Take());

        client.Send("he");
        server.Run();
        client.Send("llo");
        server.Run();
        Assert.Equal("hello", Assert.Single(Responses.Of(client)).Content);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void No_100_is_sent_when_the_content_has_come_without_it() => Seeds.Run(SeedCount, seed =>
    {
        var start = new TaskCompletionSource();
        using var server = new SimulatedServer(exchange => EchoAfter(start.Task, exchange), seed);
        var client = server.Connect(ExpectContinue + "hello");

        SimulatedServer.OffLoop(start.SetResult);
        server.Run();

        Assert.Equal([200], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Content_that_has_begun_without_a_100_leaves_the_connection_open(bool isReadWhole)
    {
        // Its client does not wait any more: it needs no 100, and what follows on the connection is known.
        using var server = new SimulatedServer(isReadWhole ? Apps.EchoWhole : Apps.Echo, conditions: NetworkConditions.Calm);
        var client = server.Connect(ExpectContinue + "he");
        client.Send("llo" + Apps.Get);
        server.Run();

        var responses = Responses.Of(client);
        Assert.Equal([(200, "hello"), (200, "")], responses.Select(response => (response.Status, response.Content)));
        Assert.All(responses, response => Assert.Null(response.Field("Connection")));
        Assert.Equal(ConnectionEnd.None, client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_response_instead_of_the_100_closes_the_connection() => Seeds.Run(SeedCount, seed =>
    {
        // Whether the content follows is unknown, so what follows cannot be read as a request (RFC 9110, section 10.1.1).
        using var server = new SimulatedServer(Apps.Path, seed);

        var client = server.Connect(ExpectContinue);
        client.ShutdownSend();
        server.Run();

        var response = Assert.Single(Responses.Of(client));
        Assert.Equal((200, "close"), (response.Status, response.Field("Connection")));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Unread_content_is_taken_in_and_the_connection_goes_on() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed, conditions: NetworkConditions.Of(seed, segmentLengthMin: 10));
        var content = Apps.Repeat("x", 20_000);

        var client = server.Connect(
            $"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {content.Length}\r\n\r\n{content}"
            + $"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{Apps.Chunked(content)}"
            + "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.Equal(["/1", "/2", "/3"], Responses.Of(client).Select(response => response.Content));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Malformed_content_ends_the_connection_after_its_response() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed);
        var neighbour = server.Connect(HalfAPost);

        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n");

        Assert.Equal([500], Responses.Of(client).Select(response => response.Status));
        DemandEndedAlone(server, client, neighbour);
    });

    [Fact]
    public void A_malformed_head_is_refused_and_its_neighbour_unharmed() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed);
        var neighbour = server.Connect(HalfAPost);

        var client = server.Connect(Apps.Get + "NONSENSE\r\n\r\n" + Apps.Repeat("more of it\r\n", 1000));

        Assert.Equal([200, 400], Responses.Of(client).Select(response => response.Status));
        DemandEndedAlone(server, client, neighbour);
    });

    [Fact]
    public void Content_that_nobody_reads_stops_the_receiving()
    {
        const int BufferMax = 32 * 1024;
        var read = new TaskCompletionSource();
        var length = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await read.Task;
                length = (await Apps.ReadAll(exchange)).Length;
                await Apps.Path(exchange);
            },
            limits: new ConnectionLimits { RequestBufferSizeMax = BufferMax },
            conditions: NetworkConditions.Calm);
        var content = Apps.Repeat("x", 1_000_000);
        var head = $"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {content.Length}\r\n\r\n";

        var client = server.Connect(head + content);

        // One receive may pass the limit, by a block at most.
        Assert.InRange(content.Length - client.UnsentLength, BufferMax, BufferMax + Block.DefaultSize);
        SimulatedServer.OffLoop(read.SetResult);
        server.Run();
        Assert.Equal(content.Length, length);
        Assert.Equal([200], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_receive_that_examined_everything_gets_more_than_the_buffer_limit()
    {
        // A reader that looks for the end of something long must not wait forever for what the limit holds back.
        using var server = new SimulatedServer(
            async exchange =>
            {
                var body = await exchange.ReceiveAsync();
                while (body.MoreBody)
                {
                    exchange.AdvanceTo(body.Body.Start, body.Body.End);
                    body = await exchange.ReceiveAsync();
                }

                var length = body.Body.Length;
                exchange.AdvanceTo(body.Body.End, body.Body.End);
                await Apps.Answer(exchange, $"{length}");
            },
            limits: new ConnectionLimits { RequestBufferSizeMax = 1 });

        var client = server.Connect($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{Apps.Repeat("x", 100_000)}");

        Assert.Equal("100000", Assert.Single(Responses.Of(client)).Content);
        server.DemandNothingLeft();
    }

    private static async ValueTask EchoAfter(Task start, HttpExchange exchange)
    {
        await start;
        await Apps.EchoWhole(exchange);
    }

    private static void DemandEndedAlone(SimulatedServer server, SimulatedClient client, SimulatedClient neighbour)
    {
        Assert.Equal(ConnectionEnd.Fin, client.End);
        neighbour.Send("llo");
        server.Run();
        Assert.Equal("hello", Assert.Single(Responses.Of(neighbour)).Content);
        server.DemandNothingLeft();
    }
}
