// Interim responses on the simulated loop (RFC 9110, section 15.2; RFC 8297): before the response, at once, and 100 once only (section
// 10.1.1).

using Asgi.Server.Features;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Tests.Connections;

public sealed class InformationalTests
{
    private const string Continue = "HTTP/1.1 100 Continue\r\n\r\n";
    private const string Expect = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

    private static readonly InformationalResponse Hint = new(103, new FieldList().Add("Link", "</a>; rel=preload").Add("Link", "</b>"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_interim_response_leaves_at_once(bool isOffLoop) => Seeds.Run(15, seed =>
    {
        var hops = new Hops();
        var go = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                await exchange.SendAsync(new InformationalResponse(102));
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(Hint);
                await go.Task;
                await exchange.SendAsync(new ResponseBody("content"u8.ToArray()));
            },
            seed);
        var client = server.Connect(Apps.Get + Apps.Get);
        hops.RunAll(server);
        Assert.Equal(
            "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n", client.Received);

        if (isOffLoop)
        {
            SimulatedServer.OffLoop(go.SetResult);
        }
        else
        {
            SimulatedServer.OnLoop(go.SetResult);
        }

        hops.RunAll(server);

        Assert.Equal([102, 103, 200, 102, 103, 200], Responses.Of(client).Select(response => response.Status));
        Assert.Equal(["length 7", "length 7"], Responses.Of(client).Where(response => response.Status == 200).Select(r => r.Framing));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(50_000, false)]
    [InlineData(50_000, true)]
    public void Content_that_is_written_already_stays_behind_the_head(int size, bool isOffLoop) => Seeds.Run(6, seed =>
    {
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                exchange.GetSpan(size)[..size].Fill((byte)'x');
                exchange.Advance(size);
                var lent = exchange.GetMemory(5);
                await exchange.SendAsync(Hint);
                "after"u8.CopyTo(lent.Span);
                exchange.Advance(5);
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(default);
            },
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect(Apps.Get + Apps.Get);

        hops.RunAll(server);

        Assert.Equal([103, 200, 103, 200], Responses.Of(client).Select(response => response.Status));
        Assert.All(
            Responses.Of(client).Where(response => response.Status == 200),
            response => Assert.Equal(new string('x', size) + "after", response.Content));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void To_HTTP_1_0_nothing_is_sent_before_the_response()
    {
        using var server = new SimulatedServer(async exchange =>
        {
            await exchange.SendAsync(Hint);
            await Apps.Answer(exchange, "content");
        });

        var client = server.Connect("GET / HTTP/1.0\r\n\r\n");

        Assert.Equal(200, Assert.Single(Responses.Of(client)).Status);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(99)]
    [InlineData(101)]
    [InlineData(200)]
    [InlineData(-1)]
    public void A_status_that_is_no_interim_one_is_refused(int status)
    {
        Exception? error = null;
        using var server = new SimulatedServer(async exchange =>
        {
            error = await Record.ExceptionAsync(() => exchange.SendAsync(new InformationalResponse(status)).AsTask());
            await Apps.Answer(exchange, "content");
        });

        var client = server.Connect(Apps.Get);

        Assert.IsType<ArgumentOutOfRangeException>(error);
        Assert.Equal(200, Assert.Single(Responses.Of(client)).Status);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(199)]
    public void Other_statuses_below_200_are_sent(int status)
    {
        using var server = new SimulatedServer(async exchange =>
        {
            await exchange.SendAsync(new InformationalResponse(status));
            await Apps.Answer(exchange, "content");
        });

        var client = server.Connect(Apps.Get);

        Assert.Equal([status, 200], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Once_the_head_is_written_there_is_no_place_for_one()
    {
        Exception? error = null;
        using var server = new SimulatedServer(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            await exchange.FlushAsync();
            error = await Record.ExceptionAsync(() => exchange.SendAsync(Hint).AsTask());
            await exchange.SendAsync(default);
        });

        var client = server.Connect(Apps.Get);

        Assert.IsType<InvalidOperationException>(error);
        Assert.Equal(200, Assert.Single(Responses.Of(client)).Status);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_interim_response_announces_no_content()
    {
        Exception? error = null;
        using var server = new SimulatedServer(async exchange =>
        {
            var fields = new FieldList().Add("Content-Length", "5");
            error = await Record.ExceptionAsync(() => exchange.SendAsync(new InformationalResponse(103, fields)).AsTask());
            await Apps.Answer(exchange, "content");
        });

        var client = server.Connect(Apps.Get);

        Assert.IsType<InvalidOperationException>(error);
        Assert.Equal(200, Assert.Single(Responses.Of(client)).Status);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void A_100_is_sent_once_whoever_is_first(bool isApplicationFirst, bool isOffLoop) => Seeds.Run(10, seed =>
    {
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (isOffLoop ? hops.Next() : Task.CompletedTask);
                if (isApplicationFirst)
                {
                    await exchange.SendAsync(new InformationalResponse(100));
                    await Apps.EchoWhole(exchange);
                    return;
                }

                var content = await Apps.ReadAll(exchange);
                await exchange.SendAsync(new InformationalResponse(100));
                await Apps.Answer(exchange, content);
            },
            seed);
        var client = server.Connect(Expect);
        hops.RunAll(server);
        Assert.Equal(Continue, client.Take());

        client.Send("hello" + Apps.Get);
        hops.RunAll(server);

        Assert.Equal("hello", Responses.Of(client).First(response => response.Status == 200).Content);
        server.DemandNothingLeft();
    });

    [Fact]
    public void After_the_applications_100_the_connection_persists()
    {
        using var server = new SimulatedServer(async exchange =>
        {
            await exchange.SendAsync(new InformationalResponse(100));
            await Apps.Answer(exchange, "unread");
        });
        var client = server.Connect(Expect);
        client.Send("hello" + Apps.Get);
        server.Run();

        Assert.Equal([100, 200, 100, 200], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_reads_nothing_stops_an_app_that_sends_hints()
    {
        var sent = 0;
        using var server = new SimulatedServer(async exchange =>
        {
            for (; sent < 10_000; sent++)
            {
                await exchange.SendAsync(Hint);
            }

            await Apps.Answer(exchange, "content");
        });
        var client = server.Connect();
        client.Window = 0;
        client.Send(Apps.Get);
        server.Run();
        Assert.InRange(sent, 1000, 9000);

        client.Window = long.MaxValue;
        server.Run();

        Assert.Equal(10_001, Responses.Of(client).Count);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_ASP_NET_app_sends_early_hints()
    {
        Exception? late = null;
        using var server = HostedDelegate.Serve(async context =>
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers["X-Started"] = "yes";
                return Task.CompletedTask;
            });
            await context.Response.SendEarlyHintsAsync(new(["</a.css>; rel=preload; as=style", "</b.js>; rel=preload"]));
            Assert.False(context.Response.HasStarted);
            await context.Response.WriteAsync("content");
            late = await Record.ExceptionAsync(() => context.Response.SendEarlyHintsAsync("</late>").AsTask());
        });

        var client = server.Connect(Apps.Get);

        Assert.StartsWith(
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nLink: </b.js>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n",
            client.Received,
            StringComparison.Ordinal);
        Assert.Equal("yes", Responses.Of(client)[1].Field("X-Started"));
        Assert.IsType<InvalidOperationException>(late);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_hint_that_would_split_the_response_is_refused()
    {
        Exception? error = null;
        using var server = HostedDelegate.Serve(async context =>
        {
            error = await Record.ExceptionAsync(() => context.Response.SendEarlyHintsAsync("</a>\r\nX: y").AsTask());
            await context.Response.WriteAsync("content");
        });

        var client = server.Connect(Apps.Get);

        Assert.IsType<InvalidOperationException>(error);
        Assert.Equal(200, Assert.Single(Responses.Of(client)).Status);
        server.DemandNothingLeft();
    }
}
