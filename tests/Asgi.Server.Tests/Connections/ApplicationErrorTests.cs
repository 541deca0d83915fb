// Applications that fail, or return too early: the client sees an error or a truncation, never a response that only looks whole.

using System.Text;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Connections;

public sealed class ApplicationErrorTests
{
    private const int SeedCount = 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_failure_before_the_start_is_a_500_and_the_connection_goes_on(bool isOffLoop) => Seeds.Run(SeedCount, seed =>
    {
        var fail = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                exchange.GetSpan(1)[0] = (byte)'x';
                exchange.Advance(1);
                if (isOffLoop)
                {
                    await fail.Task;
                }

                throw new InvalidOperationException("As the test says.");
            },
            seed);
        var client = server.Connect(Apps.Get + Apps.Get);
        SimulatedServer.OffLoop(fail.SetResult);
        server.Run();

        Assert.Equal([500, 500], Responses.Of(client).Select(response => response.Status));
        Assert.All(Responses.Of(client), response => Assert.Equal("length 0", response.Framing));
        Assert.Equal((ConnectionEnd.None, 0), (client.End, server.BlockCount));
        Assert.Equal(2, server.Log.Entries.Count(entry => entry is { Level: LogLevel.Error, Exception: InvalidOperationException }));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_failure_after_the_start_truncates_the_response(bool isHosted) => Seeds.Run(SeedCount, seed =>
    {
        using var server = isHosted
            ? HostedDelegate.Serve(
                async context =>
                {
                    await context.Response.WriteAsync("half");
                    throw new InvalidOperationException("As the test says.");
                },
                seed)
            : new SimulatedServer(
                async exchange =>
                {
                    exchange.Send(new ResponseStart(200));
                    await exchange.SendAsync(new ResponseBody("half"u8.ToArray(), MoreBody: true));
                    throw new InvalidOperationException("As the test says.");
                },
                seed);

        var client = server.Connect(Apps.Get + Apps.Get);

        var response = Assert.Single(Responses.Of(client));
        Assert.Equal(("half", false), (response.Content, response.IsComplete));
        Assert.NotEqual(ConnectionEnd.None, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_return_without_a_response_is_a_500() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(exchange => ValueTask.CompletedTask, seed);

        var client = server.Connect(Apps.Get + Apps.Get);

        Assert.Equal([500, 500], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_return_with_half_a_chunked_response_truncates_it() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(
            exchange =>
            {
                exchange.Send(new ResponseStart(200));
                return exchange.SendAsync(new ResponseBody("half"u8.ToArray(), MoreBody: true));
            },
            seed);

        var client = server.Connect(Apps.Get + Apps.Get);

        var response = Assert.Single(Responses.Of(client));
        Assert.Equal(("half", false), (response.Content, response.IsComplete));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("5", "four")]
    [InlineData("3", "four")]
    public void Content_of_another_length_than_announced_fails(string announced, string content) => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, content, new FieldList().Add("Content-Length", announced)), seed);

        var client = server.Connect(Apps.Get);

        Assert.Equal([500], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Callbacks_of_a_disconnect_that_throw_harm_nobody() => Seeds.Run(SeedCount, seed =>
    {
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Disconnected.Register(() => throw new InvalidOperationException("As the test says."));
                if (exchange.Scope.Path == "/waits")
                {
                    await end.Task;
                }

                await Apps.Path(exchange);
            },
            seed);
        var client = server.Connect("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
        var neighbour = server.Connect("");
        client.Reset();
        neighbour.Send(Apps.Get);
        server.Run();

        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal([200], Responses.Of(neighbour).Select(response => response.Status));
        Assert.Equal(1, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_receive_left_behind_is_not_the_next_requests(bool isOffLoop) => Seeds.Run(SeedCount, seed =>
    {
        var start = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                if (exchange.Scope.Path == "/first")
                {
                    await start.Task;
                    _ = exchange.ReceiveAsync().AsTask();
                    return;
                }

                await Apps.EchoWhole(exchange);
            },
            seed);
        var client = server.Connect(
            "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            + "POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nworld");

        Complete(start, isOffLoop);
        server.Run();

        Assert.Equal([(500, ""), (200, "world")], Responses.Of(client).Select(response => (response.Status, response.Content)));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_flush_left_behind_is_not_the_next_requests(bool isOffLoop) => Seeds.Run(5, seed =>
    {
        var start = new TaskCompletionSource();
        var content = Apps.Repeat("x", 200_000);
        using var server = new SimulatedServer(
            async exchange =>
            {
                await start.Task;
                exchange.Send(new ResponseStart(200));
                _ = exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes(content), MoreBody: true)).AsTask();
                await exchange.SendAsync(default);
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = 1000;
        client.Send(Apps.Repeat(Apps.Get, 3));
        server.Run();

        Complete(start, isOffLoop);
        server.Run();
        client.Window = long.MaxValue;
        server.Run();

        Assert.Equal(Enumerable.Repeat(content, 3), Responses.Of(client).Select(response => response.Content));
        server.DemandNothingLeft();
    });

    private static void Complete(TaskCompletionSource source, bool isOffLoop)
    {
        if (isOffLoop)
        {
            SimulatedServer.OffLoop(source.SetResult);
        }
        else
        {
            SimulatedServer.OnLoop(source.SetResult);
        }
    }
}
