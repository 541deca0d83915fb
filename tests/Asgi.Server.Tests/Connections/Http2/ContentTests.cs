// Content of requests (RFC 9113, sections 5.2, 6.9 and 8.1): its way to the application, the credit that goes back, its limits and its
// rate.

using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class ContentTests
{
    private const int Step = TimerWheel.StepMilliseconds;

    [Fact]
    public void Content_reaches_the_application_whole() => Seeds.Run(20, seed =>
    {
        using var server = new SimulatedServer(Apps.EchoWhole, seed, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), DataFrame(1, "one"), Post(3), DataFrame(3, "three", end: true), DataFrame(1, "two", end: true));

        Assert.Equal(("onetwo", "three"), (peer[1].Content, peer[3].Content));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Padding_is_no_content_and_trailers_are_told()
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                var content = await new StreamReader(context.Request.Body).ReadToEndAsync();
                await context.Response.WriteAsync($"{content} {context.Request.GetTrailer("x-sum")}");
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), PaddedData(1, "abc", 7), Headers(1, end: true, "x-sum: 6"));

        Assert.Equal("abc 6", peer[1].Content);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Credit_goes_back_when_half_a_window_is_used_and_not_before()
    {
        using var server = new SimulatedServer(Apps.EchoWhole, isHttp2: true);
        var peer = new Http2Peer(server, (4, 1 << 20));
        peer.Send(WindowUpdate(0, 1 << 20), Post(1));
        for (var i = 0; i < 23; i++)
        {
            peer.Send(DataFrame(1, 16_384));
        }

        Assert.DoesNotContain(peer.Told, told => told.StartsWith("WINDOW_UPDATE", StringComparison.Ordinal));
        peer.Send(DataFrame(1, 16_384));
        Assert.Equal("WINDOW_UPDATE 1 393216", Assert.Single(peer.Told));
        for (var i = 0; i < 8; i++)
        {
            peer.Send(DataFrame(1, 16_384));
        }

        Assert.Equal("WINDOW_UPDATE 0 524288", peer.Told.Last());
        peer.Send(DataFrame(1, "", end: true));
        Assert.Equal(32 * 16_384, peer[1].Content.Length);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Content_that_nobody_reads_gives_no_credit_to_its_stream_and_all_of_it_to_the_connection_in_the_end()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1));
        for (var i = 0; i < 32; i++)
        {
            peer.Send(DataFrame(1, 16_384));
        }

        Assert.Empty(peer.Told);
        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();
        Assert.Equal(["HEADERS 1", "DATA 1 1 END", "RST_STREAM 1 0", "WINDOW_UPDATE 0 524288"], peer.Read().Told);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Credit_of_a_stream_that_nobody_reads_any_more_goes_to_the_others_at_once(bool hasReturned)
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await gate.Task;
                await Apps.Answer(exchange, Apps.Repeat("x", 70_000)); // more than its stream may send
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send([Post(1), .. Enumerable.Repeat(DataFrame(1, 16_384), 40)]);
        Assert.DoesNotContain(peer.Told, told => told.StartsWith("WINDOW_UPDATE", StringComparison.Ordinal));

        if (hasReturned)
        {
            SimulatedServer.OffLoop(gate.SetResult);
            server.Run();
        }
        else
        {
            peer.Send(RstStream(1));
        }

        Assert.Contains("WINDOW_UPDATE 0 655360", peer.Read().Told);
        Assert.False(peer[1].IsEnded);
        gate.TrySetResult();
    }

    [Fact]
    public void What_a_cancelled_read_has_shown_stays_as_long_as_the_application_does()
    {
        var (begin, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        string? seen = null;
        using var server = HostedDelegate.Serve(
            async context =>
            {
                if (context.Request.Path == "/other")
                {
                    await gate.Task;
                    return;
                }

                context.Request.BodyReader.CancelPendingRead();
                await begin.Task;
                var read = await context.Request.BodyReader.ReadAsync();
                await gate.Task;
                seen = $"{read.IsCanceled} {System.Text.Encoding.ASCII.GetString(read.Buffer.FirstSpan)}";
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), DataFrame(1, "hello"));
        SimulatedServer.OffLoop(begin.SetResult);
        server.Run();
        peer.Send(RstStream(1));
        peer.Send(Request(3, "POST", "/other", end: false), DataFrame(3, "goodbye"));
        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => seen is not null);

        Assert.Equal("True hello", seen);
    }

    [Fact]
    public void A_complete_response_to_half_a_request_is_followed_by_a_reset_without_error()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), DataFrame(1, "abc"));

        Assert.Equal(["HEADERS 1", "DATA 1 1 END", "RST_STREAM 1 0"], peer.Told);
        peer.Send(DataFrame(1, "late"), Get(3));
        Assert.Equal("/", peer[3].Content);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(10, 200)]
    [InlineData(11, 413)]
    public void The_limit_of_content_holds(int length, int status)
    {
        var limits = new ConnectionLimits { ContentLengthMax = 10 };
        using var server = HostedDelegate.Serve(
            async context => await new StreamReader(context.Request.Body).ReadToEndAsync(), limits: limits, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1, $"content-length: {length}"), DataFrame(1, new string('x', length), end: true));
        peer.Send(Post(3), DataFrame(3, new string('x', length), end: true));
        peer.Send(Get(5));

        Assert.Equal(($"{status}", $"{status}", "200"), (peer[1].Status, peer[3].Status, peer[5].Status));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Who_expects_100_gets_it_when_the_application_reads()
    {
        using var server = new SimulatedServer(Apps.EchoWhole, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1, "expect: 100-continue"));
        Assert.Equal("100", Assert.Single(peer[1].Heads)[":status"]);

        peer.Send(DataFrame(1, "hello", end: true));
        Assert.Equal(("200", "hello"), (peer[1].Status, peer[1].Content));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Who_sends_without_100_gets_none()
    {
        using var server = new SimulatedServer(Apps.EchoWhole, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1, "expect: 100-continue"), DataFrame(1, "hello", end: true));

        Assert.Single(peer[1].Heads);
        Assert.Equal("hello", peer[1].Content);
    }

    [Fact]
    public void A_reset_by_the_client_ends_the_waiting_and_the_token()
    {
        var told = new List<string>();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Disconnected.Register(() => told.Add("token"));
                told.Add((await exchange.ReceiveAsync()).IsDisconnect ? "disconnect" : "content");
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1));
        peer.Send(RstStream(1));

        Assert.Equal(["disconnect", "token"], told.Order());
        peer.Send(RstStream(1));
        Assert.Empty(peer.Told);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_closed_connection_ends_all_its_streams()
    {
        var count = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                var body = await exchange.ReceiveAsync();
                count += body.IsDisconnect && exchange.Disconnected.IsCancellationRequested ? 1 : 0;
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), Post(3), Post(5));
        peer.Client.Reset();
        server.Run();

        Assert.Equal(3, count);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(10_000, 1200, false)]
    [InlineData(10_000, 1020, true)]
    public void Content_that_is_waited_for_has_a_least_rate_of_the_connection(int milliseconds, int bytes, bool isRefused)
    {
        // It is looked at each second, the first time within the second behind the grace; then 100 bytes a second are 1000 to 1100.
        var limits = new ConnectionLimits { RequestRateMin = new DataRate(100, milliseconds), LingeringTimeoutMilliseconds = 0 };
        using var server = new SimulatedServer(Apps.EchoWhole, limits: limits, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1));
        peer.Send(DataFrame(1, bytes));
        server.Advance(milliseconds + 1000 + (10 * Step));

        Assert.Equal(isRefused ? ConnectionEnd.Fin : ConnectionEnd.None, peer.Client.End);
        Assert.Equal(isRefused, peer.Read().Told.Contains("GOAWAY 1 2"));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_whose_window_others_have_used_up_is_not_slow()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await (exchange.Scope.Path == "/hold" ? gate.Task : Task.CompletedTask);
                await Apps.EchoWhole(exchange);
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send([Request(1, "POST", "/hold", end: false), .. Enumerable.Repeat(DataFrame(1, 16_384), 48)]);
        peer.Send([Request(3, "POST", "/hold", end: false), .. Enumerable.Repeat(DataFrame(3, 16_384), 16)]);
        peer.Send(Post(5)); // the window of the connection is 1 MiB
        server.Advance(600_000);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        peer.Send(RstStream(1), RstStream(3), DataFrame(5, "hello", end: true));
        Assert.Equal("hello", peer[5].Content);
        gate.SetResult();
    }

    [Fact]
    public void A_request_may_be_left_out_of_the_rate()
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                var rate = context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>()!;
                Assert.Throws<NotSupportedException>(() => rate.MinDataRate);
                Assert.Throws<NotSupportedException>(() => rate.MinDataRate = new(1, TimeSpan.FromSeconds(2)));
                rate.MinDataRate = null;
                await new StreamReader(context.Request.Body).ReadToEndAsync();
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1));
        server.Advance(60_000);
        Assert.Empty(peer.Read().Told);

        peer.Send(DataFrame(1, "x", end: true));
        Assert.Equal("200", peer[1].Status);
    }
}
