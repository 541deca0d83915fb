// A token ends the wait it was given to and no other: not a later one of the same request, and nothing of the next request.

using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class CancellationTests
{
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_token_that_is_cancelled_when_content_has_come_does_not_cancel_the_next_receive(bool isOffLoop)
    {
        var (firstCanceled, firstReceived) = (0, 0);
        for (var ticks = 0; ticks < 12; ticks++)
        {
            var hops = new Hops();
            using var source = new CancellationTokenSource();
            var isSecondCanceled = false;
            using var server = new SimulatedServer(async exchange =>
            {
                if (isOffLoop)
                {
                    await hops.Next();
                }

                try
                {
                    var first = await exchange.ReceiveAsync(source.Token);
                    exchange.AdvanceTo(first.Body.End, first.Body.End);
                    firstReceived++;
                }
                catch (OperationCanceledException)
                {
                    firstCanceled++;
                }

                var second = await exchange.ReceiveAsync();
                isSecondCanceled = second.IsCanceled;
                exchange.AdvanceTo(second.Body.End, second.Body.End);
                await Apps.AnswerStatus(exchange, 200);
            });
            var client = server.Connect(Post);
            hops.RunAll(server);

            client.Send("12");
            for (var tick = 0; tick < ticks; tick++)
            {
                server.Tick();
            }

            SimulatedServer.OffLoop(source.Cancel);
            server.Run();
            client.Send("345");
            server.Run();

            Assert.False(isSecondCanceled, $"cancelled after {ticks} ticks");
            Assert.Equal(200, Assert.Single(Responses.Of(client)).Status);
            server.DemandNothingLeft();
        }

        Assert.True(firstCanceled > 0 && firstReceived > 0, $"{firstCanceled} cancelled, {firstReceived} received");
    }

    [Fact]
    public void The_token_of_a_receive_that_was_left_behind_does_nothing_to_the_next_request()
    {
        using var source = new CancellationTokenSource();
        var wasCanceled = false;
        var requests = 0;
        using var server = new SimulatedServer(async exchange =>
        {
            if (requests++ == 0)
            {
                _ = exchange.ReceiveAsync(source.Token).AsTask();
            }
            else
            {
                var body = await exchange.ReceiveAsync();
                wasCanceled = body.IsCanceled;
                exchange.AdvanceTo(body.Body.End, body.Body.End);
            }

            await Apps.AnswerStatus(exchange, 200);
        });
        var client = server.Connect(Post);
        client.Send("12345" + Post);
        server.Run();

        SimulatedServer.OffLoop(source.Cancel);
        server.Run();
        client.Send("12345");
        server.Run();

        Assert.False(wasCanceled);
        Assert.Equal([200, 200], Responses.Of(client, "POST", "POST").Select(response => response.Status));
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_token_of_a_flush_that_was_left_behind_does_nothing_to_the_next_request(bool isBetween)
    {
        using var source = new CancellationTokenSource();
        var next = new TaskCompletionSource();
        var requests = 0;
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            if (requests++ == 0)
            {
                _ = exchange.SendAsync(new ResponseBody(new byte[200_000], MoreBody: true), source.Token).AsTask();
            }
            else
            {
                await next.Task;
            }

            await exchange.SendAsync(default);
        });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        client.Window = long.MaxValue;
        server.Run();
        if (!isBetween)
        {
            client.Send(Apps.Get);
            server.Run();
        }

        SimulatedServer.OffLoop(source.Cancel);
        server.Run();
        if (isBetween)
        {
            client.Send(Apps.Get);
        }

        SimulatedServer.OnLoop(next.SetResult);
        server.Run();

        Assert.Equal([200, 200], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    }
}
