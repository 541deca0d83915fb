// A connection that rests lets go of what only requests need: when, that nothing is lost by it, and that nobody notices. On virtual time.

using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Connections;

public sealed class RestingTests
{
    private const int SeedCount = 20;
    private const int Rest = Http1Driver.RestAfterMilliseconds;
    private const int Step = TimerWheel.StepMilliseconds;
    private const int Long = 10 * Rest;

    [Fact]
    public void It_rests_when_its_time_is_over_and_not_before() => Seeds.Run(SeedCount, seed =>
    {
        var seen = new List<HttpExchange>();
        using var server = new SimulatedServer(Noting(seen), seed);
        var client = server.Connect(Apps.Get);

        server.Advance(Rest - 1);
        client.Send(Apps.Get);
        server.Advance(Rest - 1);
        client.Send(Apps.Get);
        server.Run();
        Assert.Equal(3, seen.Count);
        Assert.Single(seen.Distinct());

        server.Advance(Rest + Step);
        client.Send(Apps.Get);
        server.Run();
        Assert.Equal(2, seen.Distinct().Count());
        Assert.Equal(4, Responses.Of(client).Count);
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_next_request_is_served_however_it_arrives() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed);
        var client = server.Connect("");
        const string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n";
        for (var i = 0; i < 3; i++)
        {
            server.Advance(Long);
            client.Send(chunked + Apps.Get + chunked);
            server.Run();
        }

        server.Advance(Long);
        foreach (var part in chunked)
        {
            client.Send(part.ToString());
            server.Run();
        }

        Assert.Equal(
            ["hello", "", "hello", "hello", "", "hello", "hello", "", "hello", "hello"],
            Responses.Of(client).Select(response => response.Content));
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_belongs_to_the_connection_outlives_a_rest()
    {
        var traces = new List<string>();
        using var server = HostedDelegate.Serve(context =>
        {
            traces.Add(context.TraceIdentifier);
            var state = context.Features.GetRequiredFeature<IPersistentStateFeature>().State;
            var items = context.Features.GetRequiredFeature<IConnectionItemsFeature>().Items;
            state["count"] = state.TryGetValue("count", out var count) ? (int)count! + 1 : 1;
            items["count"] = items.TryGetValue("count", out count) ? (int)count! + 1 : 1;
            return context.Response.WriteAsync($"{state["count"]} {items["count"]}");
        });
        var client = server.Connect(Apps.Get);
        for (var i = 0; i < 2; i++)
        {
            server.Advance(Long);
            client.Send(Apps.Get);
            server.Run();
        }

        Assert.Equal(["1 1", "2 2", "3 3"], Responses.Of(client).Select(response => response.Content));
        var id = traces[0].Split(':')[0];
        Assert.Equal([$"{id}:00000001", $"{id}:00000002", $"{id}:00000003"], traces);
        server.DemandNothingLeft();
    }

    [Fact]
    public void The_number_of_requests_is_limited_over_rests()
    {
        using var server = new SimulatedServer(Apps.Path, limits: new ConnectionLimits { RequestsMax = 2 });
        var client = server.Connect(Apps.Get);
        server.Advance(Long);
        client.Send(Apps.Get);
        server.Run();

        Assert.Equal("close", Responses.Of(client)[1].Fields.Single(field => field.Key == "Connection").Value);
        client.ShutdownSend();
        server.Run();
        Assert.Equal(ConnectionEnd.Fin, client.End);
    }

    [Fact]
    public void Empty_lines_before_a_request_count_together_whatever_the_pauses()
    {
        using var server = new SimulatedServer(Apps.Path);
        var lines = string.Concat(Enumerable.Repeat("\r\n", new ConnectionLimits().Http1.MaxRequestLineSize / 4));
        var client = server.Connect(Apps.Get);
        client.Send(lines);
        server.Advance(Long);
        Assert.Equal(ConnectionEnd.None, client.End);

        client.Send(lines + "\r\n");
        server.Advance(Long);
        Assert.Equal([200, 414], Responses.Of(client).Select(response => response.Status));
    }

    [Fact]
    public void Empty_lines_before_a_request_hold_no_block()
    {
        using var server = new SimulatedServer(Apps.Path);
        var client = server.Connect("\r\n\r\n");
        Assert.Equal(0, server.BlockCount);

        client.Send("\r\n" + Apps.Get);
        server.Run();
        client.Send("\r\n");
        server.Run();
        Assert.Equal(0, server.BlockCount);

        client.Send(Apps.Get + "\r\n");
        server.Run();
        Assert.Equal(0, server.BlockCount);
        Assert.Equal([200, 200], Responses.Of(client).Select(response => response.Status));
    }

    [Fact]
    public void It_does_not_rest_while_its_client_takes_the_response() => Seeds.Run(SeedCount, seed =>
    {
        var seen = new List<HttpExchange>();
        var conditions = new NetworkConditions { SendCapacity = 600 };
        var limits = new ConnectionLimits { ResponseRateMin = null };
        using var server = new SimulatedServer(Noting(seen, 50_000), seed, limits, conditions);
        var client = server.Connect("");
        client.Window = 20_000;
        client.Send(Apps.Get);
        server.Advance(Long);
        client.Window = long.MaxValue;
        server.Run();
        client.Send(Apps.Get);
        server.Run();
        Assert.Equal(2, Responses.Of(client).Count);
        Assert.Single(seen.Distinct());

        // And does when that is done.
        server.Advance(Rest + Step);
        client.Send(Apps.Get);
        server.Run();
        Assert.Equal((3, 2), (Responses.Of(client).Count, seen.Distinct().Count()));
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_comes_too_late_for_an_old_request_does_not_meet_the_new_one()
    {
        var seen = new List<HttpExchange>();
        var received = new List<string>();
        using var server = new SimulatedServer(async exchange =>
        {
            seen.Add(exchange);
            for (var more = true; more;)
            {
                var body = await exchange.ReceiveAsync();
                received.Add($"{Encoding.ASCII.GetString(body.Body)} {body.MoreBody} {body.IsCanceled}");
                more = body.MoreBody;
                exchange.AdvanceTo(body.Body.End, body.Body.End);
            }

            await Apps.Answer(exchange, "");
        });
        var client = server.Connect(Apps.Get);
        server.Advance(Long);
        client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
        server.Run();

        SimulatedServer.OffLoop(() =>
        {
            seen[0].CancelReceive();
            seen[0].CancelFlush();
            seen[0].Stream.EndCanceledWait();
            seen[0].Stream.AwaitContent(new CancellationToken(canceled: true));
            seen[0].Stream.GetMemory(100);
            seen[0].Stream.Advance(100);
            seen[0].Stream.TryFlush();
            seen[0].Stream.ContentLengthMax = 0;
        });
        server.Run();
        client.Send("llo");
        server.Run();

        Assert.Equal([" False False", "he True False", "llo False False"], received);
        Assert.Equal(["", ""], Responses.Of(client).Select(response => response.Content));
    }

    [Fact]
    public void An_abort_ends_the_connection_however_late()
    {
        var seen = new List<HttpExchange>();
        using var server = new SimulatedServer(Noting(seen));
        var client = server.Connect(Apps.Get);
        server.Advance(Long);

        SimulatedServer.OffLoop(seen[0].Abort);
        server.Run();

        Assert.Equal(ConnectionEnd.Reset, client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void What_an_application_keeps_of_a_request_knows_of_no_other()
    {
        HttpContext? kept = null;
        using var server = HostedDelegate.Serve(context =>
        {
            kept ??= context;
            return Task.CompletedTask;
        });
        server.Connect(Apps.Get);
        var other = server.Connect("GET /secret?secret HTTP/1.1\r\nHost: secret\r\nCookie: secret\r\n\r\n");
        other.Send("GET /secret?secret HTTP/1.1\r\nHost: secret\r\nCookie: secret");
        server.Run();

        foreach (var pause in (int[])[0, Long])
        {
            server.Advance(pause);
            Assert.Equal("", kept!.Request.Path.Value);
            Assert.Equal("", kept.Request.QueryString.Value);
            Assert.Equal("", kept.Request.Headers.Cookie.ToString());
            Assert.Equal("", kept.Request.Host.Value);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // its connection lingers, and has given its blocks back
    public void What_an_application_keeps_of_the_last_request_knows_of_no_other_either(bool lingers)
    {
        HttpContext? kept = null;
        using var server = HostedDelegate.Serve(context =>
        {
            kept ??= context;
            context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        });
        var client = server.Connect($"GET /public HTTP/1.1\r\nHost: a\r\nCookie: public\r\n{(lingers ? "" : "Connection: close\r\n")}\r\n");
        Assert.Equal((ConnectionEnd.Fin, lingers ? 1 : 0, 0), (client.End, server.ConnectionCount, server.BlockCount));

        server.Connect("GET /secret HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n");

        Assert.Equal(1, server.BlockCount);
        Assert.Equal("", kept!.Request.Headers.Cookie.ToString());
        Assert.Equal("", kept.Request.Path.Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stop_ends_a_connection_that_rests_at_once(bool hasAsked)
    {
        using var server = new SimulatedServer(Apps.Path);
        var client = server.Connect(hasAsked ? Apps.Get : "");
        server.Advance(Long);

        var stop = server.ShutDown();
        server.Run();

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.True(stop.IsCompleted);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_may_leave_while_its_connection_rests(bool byReset) => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect(Apps.Get);
        server.Advance(Long);
        if (byReset)
        {
            client.Reset();
        }
        else
        {
            client.ShutdownSend();
        }

        server.Run();
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    private static Func<HttpExchange, ValueTask> Noting(List<HttpExchange> seen, int length = 1) => exchange =>
    {
        seen.Add(exchange);
        return Apps.Answer(exchange, Apps.Repeat("x", length));
    };
}
