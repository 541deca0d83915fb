// The least rates at which content must come and responses be taken (ConnectionLimits.RequestRateMin, ResponseRateMin), on virtual time.

using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class DataRateTests
{
    private const int Grace = 5_000;
    private const int Check = 1_000;
    private const int BytesPerSecond = 240;
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";

    [Fact]
    public void Content_that_stops_is_refused_after_the_grace_period() => Seeds.Run(20, seed =>
    {
        using var server = new SimulatedServer(Refusing, seed);
        var client = server.Connect(Post);

        server.Advance(Grace);
        Assert.Equal("", client.Received);

        server.Advance(2 * Check);
        Assert.Equal([408], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(BytesPerSecond, true)]
    [InlineData(BytesPerSecond - 40, false)]
    public void Content_at_the_rate_goes_on_and_below_it_is_refused(int bytesPerSecond, bool goesOn)
    {
        using var server = new SimulatedServer(Refusing);
        var client = server.Connect(Post);
        for (var second = 0; second < 20; second++)
        {
            client.Send(Apps.Repeat("x", bytesPerSecond));
            server.Run();
            server.Advance(1_000);
        }

        Assert.Equal(goesOn ? "" : "408", Responses.Of(client).FirstOrDefault()?.Status.ToString() ?? "");
        server.DemandNothingLeft();
    }

    [Fact]
    public void Time_in_which_the_application_does_not_wait_does_not_count()
    {
        var goOn = new TaskCompletionSource();
        using var server = new SimulatedServer(async exchange =>
        {
            await goOn.Task;
            await Refusing(exchange);
        });
        var client = server.Connect(Post);

        server.Advance(60_000);
        SimulatedServer.OnLoop(goOn.SetResult);
        server.Run();
        server.Advance(Grace);
        Assert.Equal("", client.Received);

        server.Advance(2 * Check);
        Assert.StartsWith("HTTP/1.1 408 ", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Without_a_rate_content_may_take_its_time()
    {
        using var server = new SimulatedServer(Refusing, limits: new ConnectionLimits { RequestRateMin = null });
        var client = server.Connect(Post);

        server.Advance(3_600_000);

        Assert.Equal((ConnectionEnd.None, ""), (client.End, client.Received));
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_that_takes_nothing_is_reset_when_it_should_have_taken_a_window(bool asksToClose)
    {
        // Also when the response is complete and only its bytes are left.
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 1_000_000)));
        var client = server.Connect();
        client.Window = 0;
        client.Send(asksToClose ? "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" : Apps.Get);

        server.Advance(SendRate.CreditMax * 1000L / BytesPerSecond);
        Assert.Equal(ConnectionEnd.None, client.End);

        server.Advance(2 * Check);
        Assert.Equal((ConnectionEnd.Reset, 0), (client.End, server.ConnectionCount));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_takes_nothing_of_a_small_response_is_reset_after_the_grace_period()
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", 1000)), conditions: new NetworkConditions { SendCapacity = 600 });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);

        server.Advance(Grace);
        Assert.Equal(ConnectionEnd.None, client.End);

        server.Advance(2 * Check);
        Assert.Equal((ConnectionEnd.Reset, 0), (client.End, server.ConnectionCount));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_rate_that_one_request_has_given_up_holds_for_the_next_though_its_client_has_taken_nothing_meanwhile()
    {
        var isGivenUp = false;
        var giveUp = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                if (!isGivenUp)
                {
                    isGivenUp = true;
                    exchange.Send(new ResponseStart(200));
                    await exchange.SendAsync(new ResponseBody(new byte[1000], MoreBody: true));
                    await giveUp.Task;
                    exchange.Stream.ResponseRateMin = null;
                    await goOn.Task;
                    await exchange.SendAsync(default);
                    return;
                }

                await Apps.Answer(exchange, Apps.Repeat("x", 1000));
            },
            conditions: new NetworkConditions { SendCapacity = 600 });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get + Apps.Get);
        server.Advance(Check);
        SimulatedServer.OnLoop(giveUp.SetResult);
        server.Advance(3 * Grace);
        Assert.Equal(ConnectionEnd.None, client.End);

        SimulatedServer.OnLoop(goOn.SetResult);
        server.Advance(SendRate.CreditMax * 1000L / BytesPerSecond);

        Assert.Equal((ConnectionEnd.Reset, 0), (client.End, server.ConnectionCount));
        server.DemandNothingLeft();
    }

    [Fact]
    public void What_the_kernel_holds_for_a_client_that_takes_enough_says_nothing_of_it()
    {
        // The server sees no room for minutes, although the client takes twice the least rate.
        const int Length = 600_000;
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", Length)),
            conditions: new NetworkConditions { SendCapacity = 450_000, WritableRoomMin = 300_000 });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        while (client.ReceivedLength < Length)
        {
            Assert.Equal(ConnectionEnd.None, client.End);
            client.Window = 2 * BytesPerSecond;
            server.Run();
            server.Advance(1_000);
        }

        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_takes_less_than_the_least_rate_is_reset_whatever_the_kernel_took()
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", 2_000_000)),
            conditions: new NetworkConditions { SendCapacity = 1_000_000, WritableRoomMin = 300_000 });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        var seconds = 0;
        for (; client.End == ConnectionEnd.None; seconds++)
        {
            Assert.InRange(seconds, 0, 1000);
            client.Window = BytesPerSecond / 2;
            server.Run();
            server.Advance(1_000);
        }

        // At half the rate what was credited lasts twice as long.
        Assert.InRange(seconds, 2 * SendRate.CreditMax / BytesPerSecond - 5, 2 * SendRate.CreditMax / BytesPerSecond + 5);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_takes_enough_gets_the_whole_response()
    {
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 200_000)));
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        for (var second = 0; client.ReceivedLength < 200_000; second++)
        {
            Assert.InRange(second, 0, 1_000);
            client.Window = 4 * BytesPerSecond;
            server.Run();
            server.Advance(1_000);
        }

        client.Window = long.MaxValue;
        server.Run();
        Assert.Equal([200], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    }

    // Reads all content; what refuses it ends the exchange without a response of the application's.
    private static async ValueTask Refusing(HttpExchange exchange)
    {
        while (true)
        {
            var body = await exchange.ReceiveAsync();
            if (body.Fault is { } fault)
            {
                await Apps.AnswerStatus(exchange, fault.Status);
                return;
            }

            exchange.AdvanceTo(body.Body.End, body.Body.End);
        }
    }
}
