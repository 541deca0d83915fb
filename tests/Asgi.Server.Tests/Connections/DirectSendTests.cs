// Large content goes to the socket from where it lies, as far as the socket takes it: the client must not see a difference.

using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class DirectSendTests
{
    private const int Length = 3 * HttpExchange.DirectLengthMin;

    private static readonly byte[] Content = [.. Enumerable.Range(0, Length).Select(position => (byte)('a' + (position / 7 % 26)))];

    [Fact]
    public void Every_byte_arrives_in_order_whatever_the_socket_takes() => Seeds.Run(40, seed =>
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200, WithLength(Length + 5)));
                await exchange.SendAsync(new ResponseBody("12345"u8.ToArray(), MoreBody: true));
                await exchange.SendAsync(new ResponseBody(Content.AsMemory(0, 2 * HttpExchange.DirectLengthMin), MoreBody: true));
                await exchange.SendAsync(new ResponseBody(Content.AsMemory(2 * HttpExchange.DirectLengthMin)));
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect(Apps.Get + Apps.Get);

        DemandTwice(client, "12345" + Encoding.ASCII.GetString(Content));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Under_aspnet_as_well_and_from_other_threads() => Seeds.Run(40, seed =>
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                if (seed % 2 == 1)
                {
                    await Task.Yield();
                }

                context.Response.ContentLength = Length;
                await context.Response.Body.WriteAsync(Content);
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Send(Apps.Get + Apps.Get);
        server.RunUntil(() => client.Received.Length > 2 * Length && Responses.Of(client, "GET", "GET") is [_, { Content.Length: Length }]);

        DemandTwice(client, Encoding.ASCII.GetString(Content));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(HttpExchange.DirectLengthMin - 1, true)]
    [InlineData(HttpExchange.DirectLengthMin, false)]
    public void What_the_socket_takes_is_not_copied(int length, bool isCopied)
    {
        var blocks = 0;
        SimulatedServer server = null!;
        using var own = server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200, WithLength(length)));
                var before = server.BlockCount;
                var sent = exchange.SendAsync(new ResponseBody(Content.AsMemory(0, length), MoreBody: true));
                blocks = server.BlockCount - before;
                await sent;
                await exchange.SendAsync(default);
            },
            conditions: NetworkConditions.Calm);
        var client = server.Connect(Apps.Get);

        // One block holds the head.
        Assert.Equal(isCopied, blocks > 1);
        Assert.Equal(Content[..length], Encoding.Latin1.GetBytes(Assert.Single(Responses.Of(client, "GET")).Content));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_response_to_head_has_its_length_and_no_content()
    {
        using var server = new SimulatedServer(exchange =>
        {
            exchange.Send(new ResponseStart(200, WithLength(Length)));
            return exchange.SendAsync(new ResponseBody(Content));
        });
        var client = server.Connect(Apps.Get.Replace("GET", "HEAD", StringComparison.Ordinal));

        Assert.Contains($"Content-Length: {Length}\r\n", client.Received, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(Length - 1)]
    [InlineData(Length + 1)]
    public void Content_of_another_length_than_announced_is_an_error_of_which_nothing_is_sent(int announced)
    {
        using var server = new SimulatedServer(exchange =>
        {
            exchange.Send(new ResponseStart(200, WithLength(announced)));
            return exchange.SendAsync(new ResponseBody(Content));
        });
        var client = server.Connect(Apps.Get);

        Assert.StartsWith("HTTP/1.1 500 ", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    // A 304 may say the length of what it does not send.
    [Theory]
    [InlineData(204)]
    [InlineData(304)]
    public void Content_of_a_status_that_has_none_is_refused_as_ever(int status)
    {
        using var server = new SimulatedServer(exchange =>
        {
            exchange.Send(new ResponseStart(status, WithLength(Length)));
            return exchange.SendAsync(new ResponseBody(Content, MoreBody: true));
        });
        var client = server.Connect(Apps.Get);

        Assert.StartsWith("HTTP/1.1 500 ", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_writer_whose_client_keeps_up_still_gives_the_others_their_turn()
    {
        const int PieceLength = 256 * 1024;
        const int PieceCount = 3 * Connection.DirectLengthMax / PieceLength;
        var atOnce = 0;
        var isFirst = true;
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200, WithLength(PieceCount * PieceLength)));
                var piece = new byte[PieceLength];
                for (var number = 1; number <= PieceCount; number++)
                {
                    var sent = exchange.SendAsync(new ResponseBody(piece, MoreBody: number < PieceCount));
                    isFirst &= sent.IsCompleted;
                    atOnce += isFirst ? 1 : 0;
                    await sent;
                }
            },
            conditions: NetworkConditions.Calm with { SendCapacity = int.MaxValue });
        var client = server.Connect(Apps.Get);

        Assert.Equal(Connection.DirectLengthMax / PieceLength, atOnce);
        Assert.Equal(PieceCount * PieceLength, Assert.Single(Responses.Of(client, "GET")).Content.Length);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_resets_ends_it() => Seeds.Run(40, seed =>
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200, WithLength(4 * Length)));
                for (var piece = 0; piece < 4; piece++)
                {
                    await exchange.SendAsync(new ResponseBody(Content, MoreBody: piece < 3));
                }
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = seed * 1000;
        client.Send(Apps.Get);
        server.Run();
        client.Reset();
        server.Run();

        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    private static FieldList WithLength(int length) =>
        new FieldList().Add("Content-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static void DemandTwice(SimulatedClient client, string content) =>
        Assert.All(Responses.Of(client, "GET", "GET"), response => Assert.Equal(content, response.Content));
}
