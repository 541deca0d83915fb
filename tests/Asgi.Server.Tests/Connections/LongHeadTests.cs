// Heads that outgrow the gap and the block: they are written apart, on the loop and off it, and every block goes back where it came from.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class LongHeadTests
{
    [Theory]
    [InlineData(400, false)]
    [InlineData(600, true)]
    [InlineData(16_000, false)]
    [InlineData(20_000, true)]
    [InlineData(100_000, false)]
    [InlineData(100_000, true)]
    public void A_long_head_stands_before_content_that_was_written_first(int length, bool isOffLoop) => Seeds.Run(4, seed =>
    {
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                await Apps.Answer(exchange, "content", new FieldList().Add("A", new string('a', length)));
            },
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect(Apps.Get + Apps.Get + Apps.Get);

        hops.RunAll(server);

        Assert.Equal(3, Responses.Of(client).Count);
        Assert.All(Responses.Of(client), response => Assert.Equal((length, "content"), (response.Field("A")?.Length, response.Content)));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_long_head_that_cannot_be_sent_leaves_no_block(bool isOffLoop) => Seeds.Run(4, seed =>
    {
        var hops = new Hops();
        Exception? error = null;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                error = await Record.ExceptionAsync(() => exchange.SendAsync(new InformationalResponse(100, new SplitFields())).AsTask());
                exchange.Send(new ResponseStart(200, new SplitFields()));
                await exchange.FlushAsync();
            },
            seed);
        var client = server.Connect(Apps.Get + Apps.Get);

        hops.RunAll(server);

        Assert.IsType<InvalidOperationException>(error);
        Assert.Equal([500, 500], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    // The last of many lines would split the response.
    private sealed class SplitFields : ResponseFields
    {
        public override long? ContentLength => null;

        public override ResponseFieldTraits Traits => ResponseFieldTraits.None;

        public override bool Next(ref FieldCursor cursor)
        {
            (cursor.Name, cursor.Value) = ("A", cursor.Line < 400 ? new string('a', 100) : "b\r\nC: d");
            return cursor.Line++ <= 400;
        }
    }
}
