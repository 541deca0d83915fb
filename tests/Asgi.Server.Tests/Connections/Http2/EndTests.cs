// How streams and connections of HTTP/2 end (RFC 9113, sections 5.4 and 6.8): errors of the application, resets, the two steps of GOAWAY,
// and what has a deadline.

using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class EndTests
{
    private const int Step = TimerWheel.StepMilliseconds;

    [Fact]
    public void An_error_before_the_start_is_a_500_and_the_connection_goes_on()
    {
        using var server = new SimulatedServer(
            exchange => exchange.Scope.Path == "/" ? throw new InvalidOperationException("x") : Apps.Path(exchange), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Request(3, path: "/good"));

        Assert.Equal(("500", "/good"), (peer[1].Status, peer[3].Content));
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_error_after_the_start_resets_the_stream_behind_what_was_written()
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseBody("half"u8.ToArray(), MoreBody: true));
                throw new InvalidOperationException("x");
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1", "DATA 1 4", "RST_STREAM 1 2"], peer.Told);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_response_that_is_completed_after_a_reset_is_reset()
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                context.Features.Get<IHttpResetFeature>()!.Reset(11);
                await context.Response.WriteAsync("late");
                await context.Response.CompleteAsync();
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["RST_STREAM 1 11"], peer.Told);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(null, 2)]
    [InlineData(7, 7)]
    public void An_application_can_break_its_stream(int? code, uint told)
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                if (code is { } value)
                {
                    context.Features.Get<IHttpResetFeature>()!.Reset(value);
                }
                else
                {
                    context.Abort();
                }

                await Task.Yield();
                await Assert.ThrowsAnyAsync<Exception>(async () =>
                {
                    _ = await context.Request.Body.ReadAsync(new byte[1]);
                });
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), Post(3));
        server.RunUntil(() => peer[1].ResetCode is not null && peer[3].ResetCode is not null);

        Assert.Equal((told, told), (peer[1].ResetCode, peer[3].ResetCode));
        Assert.Equal(ConnectionEnd.None, peer.Client.End);
        server.AbortAll();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_stop_says_so_in_two_steps_and_serves_what_was_on_its_way()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        _ = server.ShutDown();
        server.Run();
        Assert.Equal(["GOAWAY 2147483647 0", "PING"], peer.Read().Told);

        var ping = peer.Frames.Last();
        peer.Send(Get(3), Frame(PingType, Ack, 0, ping.Payload), Get(5));
        Assert.Equal("GOAWAY 3 0", peer.Told.Last());
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => peer[1].IsEnded && peer[3].IsEnded);
        server.Run();
        Assert.Equal(("/", "/"), (peer[1].Content, peer[3].Content));
        Assert.Empty(peer[5].Heads);
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_does_not_answer_the_PING_has_a_second()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        _ = server.ShutDown();
        server.Advance(999);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        server.Advance(1 + Step);
        Assert.Equal("GOAWAY 1 0", peer.Read().Told.Last());
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
    }

    [Fact]
    public void A_silent_connection_ends_at_once_with_the_server()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var client = server.Connect("");
        _ = server.ShutDown();
        server.Run();

        Assert.Equal((ConnectionEnd.Fin, ""), (client.End, client.Received));
    }

    [Fact]
    public void RequestClose_and_the_number_of_requests_end_a_connection_gracefully()
    {
        using var server = HostedDelegate.Serve(
            context =>
            {
                context.Connection.RequestClose();
                return context.Response.WriteAsync("bye");
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        server.Advance(1000 + Step);
        Assert.Equal("bye", peer[1].Content);
        Assert.Contains("GOAWAY 2147483647 0", peer.Told);
        Assert.Equal("GOAWAY 1 0", peer.Told.Last());
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);

        using var limited = new SimulatedServer(Apps.Path, limits: new ConnectionLimits { RequestsMax = 2 }, isHttp2: true);
        peer = new Http2Peer(limited);
        peer.Send(Get(1));
        Assert.DoesNotContain("GOAWAY 2147483647 0", peer.Told);
        peer.Send(Get(3));
        Assert.Contains("GOAWAY 2147483647 0", peer.Told);
    }

    [Fact]
    public void A_fault_of_the_connection_is_told_with_its_reason_and_ends_it()
    {
        var gate = new TaskCompletionSource();
        var isDisconnected = false;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await gate.Task;
                isDisconnected = exchange.Disconnected.IsCancellationRequested;
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), DataFrame(3, "x"), Get(5));

        Assert.StartsWith("GOAWAY 1 1", peer.Told.Last(), StringComparison.Ordinal);
        Assert.True(peer.Frames.Last().Payload.Length > 8);
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
        Assert.Contains(server.Told, entry => entry.Id.Id == 29);
        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();
        Assert.True(isDisconnected);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_fault_of_a_stream_resets_it_and_no_other()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Post(3, "content-length: 5"), DataFrame(3, "123456"));
        Assert.Equal("RST_STREAM 3 1", peer.Told.Last());

        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => peer[1].IsEnded);
        Assert.Equal("/", peer[1].Content);
        Assert.Empty(peer[3].Heads);
        server.AbortAll();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_scheme_that_is_not_the_transports_is_refused_unless_allowed()
    {
        byte[] Of(uint id) => Headers(id, true, ":method: GET", ":scheme: https", ":path: /", ":authority: a");
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Of(1), Get(3));
        Assert.Equal((1u, "/"), (peer[1].ResetCode, peer[3].Content));
        server.DemandNothingLeft();

        using var lenient = new SimulatedServer(
            exchange => Apps.Answer(exchange, exchange.Scope.Scheme),
            limits: new ConnectionLimits { AllowsAlternateSchemes = true },
            isHttp2: true);
        peer = new Http2Peer(lenient);
        peer.Send(Of(1), Get(3));
        Assert.Equal(("https", "http"), (peer[1].Content, peer[3].Content));
    }

    [Fact]
    public void A_head_beyond_the_limits_is_answered_431_without_the_application()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Request(1, "POST", "/", false, [.. Enumerable.Range(0, 101).Select(i => $"x-{i}: y")]), Get(3));

        Assert.Equal(["HEADERS 1 END", "RST_STREAM 1 0", "HEADERS 3", "DATA 3 1 END"], peer.Told);
        Assert.Equal("431", peer[1].Status);
        Assert.Contains(server.Told, entry => entry.Id.Id == 17);
        server.DemandNothingLeft();
    }

    [Fact]
    public void More_streams_than_allowed_are_refused()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send([.. Enumerable.Range(0, 101).Select(i => Get((uint)(1 + (2 * i))))]);

        Assert.Equal(["RST_STREAM 201 7"], peer.Told);
        Assert.Contains(server.Told, entry => entry.Id.Id == 40);
        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => Enumerable.Range(0, 100).All(i => peer[1 + (2 * i)].IsEnded));
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_idle_connection_ends_after_the_keep_alive_timeout_with_GOAWAY()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        server.Advance(20_000);
        peer.Send(Get(1));
        server.Advance(129_999);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        server.Advance(1 + Step);
        Assert.Equal("GOAWAY 1 0", peer.Read().Told.Last());
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
        Assert.Equal(0, server.BlockCount);
    }

    [Fact]
    public void The_keep_alive_timeout_does_not_run_while_the_response_is_taken()
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", 50_000)),
            limits: new ConnectionLimits { KeepAliveTimeoutMilliseconds = 1000 },
            conditions: new NetworkConditions { SendCapacity = 600 },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(WindowUpdate(0, 1 << 20));
        peer.Client.Window = 20_000;
        peer.Send(Get(1));
        server.Advance(3000);

        peer.Client.Window = long.MaxValue;
        server.Run();
        peer.Send(Get(3));
        Assert.Equal((ConnectionEnd.None, 50_000, 50_000), (peer.Client.End, peer[1].Content.Length, peer[3].Content.Length));

        server.Advance(2000 + Step);
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
    }

    [Fact]
    public void A_stream_that_is_open_keeps_the_connection()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        server.Advance(500_000);
        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();

        Assert.Equal("/", peer[1].Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Half_a_preface_and_half_a_block_have_the_time_of_a_head(bool isBlock)
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server, isOpen: isBlock);
        peer.Send(isBlock ? Frame(HeadersType, EndStream, 1, Block(":method: GET")) : Preface[..10]);
        server.Advance(29_999);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        server.Advance(1 + Step);
        Assert.Equal("GOAWAY 0 1", peer.Read().Told.Last());
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
    }

    [Fact]
    public void Settings_must_be_acknowledged_within_10_s()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server, isOpen: false);
        peer.Send(Start);
        server.Advance(9_999);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        server.Advance(1 + Step);
        Assert.Equal("GOAWAY 0 4", peer.Read().Told.Last());
    }

    [Fact]
    public void A_silent_client_is_asked_and_given_up()
    {
        var limits = new ConnectionLimits { KeepAlivePingDelayMilliseconds = 5000, KeepAlivePingTimeoutMilliseconds = 2000 };
        using var server = new SimulatedServer(Apps.Path, limits: limits, isHttp2: true);
        var peer = new Http2Peer(server);
        server.Advance(4_999);
        Assert.Empty(peer.Read().Told);
        server.Advance(1 + Step);
        Assert.Equal(["PING"], peer.Read().Told);

        // Any frame says that it is there.
        peer.Send(WindowUpdate(0, 1));
        server.Advance(4_900);
        Assert.Equal(["PING"], peer.Read().Told);
        server.Advance(100 + Step);
        Assert.Equal(["PING", "PING"], peer.Read().Told);
        server.Advance(2000 - Step - 1);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);
        server.Advance(1 + (2 * Step));
        Assert.Equal(ConnectionEnd.Reset, peer.Client.End);
    }

    [Fact]
    public void A_connection_that_rests_holds_no_block_and_serves_again()
    {
        using var server = new SimulatedServer(Apps.EchoWhole, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), DataFrame(1, "one", end: true));
        server.Advance(1000 + Step);
        Assert.Equal(0, server.BlockCount);

        peer.Send(Post(3), DataFrame(3, "two", end: true));
        Assert.Equal("two", peer[3].Content);
        server.DemandNothingLeft();
    }

    [Fact]
    public void After_FIN_a_request_that_was_whole_is_answered()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        peer.Client.ShutdownSend();
        server.Run();
        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();

        Assert.Equal("/", peer[1].Content);
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void FIN_within_content_is_missed_at_once()
    {
        Exception? error = null;
        using var server = HostedDelegate.Serve(
            async context => error = await Record.ExceptionAsync(() => context.Request.Body.CopyToAsync(Stream.Null)), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Post(1), DataFrame(1, "half"));
        Assert.Null(error);
        peer.Client.ShutdownSend();
        server.Run();

        Assert.NotNull(error);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FIN_behind_a_request_ends_it_when_the_time_of_half_closed_clients_is_over_or_at_once(bool aborts)
    {
        const int Timeout = 10_000;
        var gate = new TaskCompletionSource();
        var isCancelled = false;
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Disconnected.Register(() => isCancelled = true);
                await gate.Task;
            },
            limits: new ConnectionLimits { AbortsOnHalfClose = aborts, HalfCloseTimeoutMilliseconds = Timeout },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        server.Advance(Timeout); // no other deadline is near
        peer.Client.ShutdownSend();
        server.Advance(Timeout - 1);
        Assert.Equal(aborts, isCancelled);

        server.Advance(1 + Step);
        Assert.True(isCancelled);
        SimulatedServer.OffLoop(gate.SetResult);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_PING_that_is_not_ours_does_not_end_the_first_step_of_GOAWAY()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        _ = server.ShutDown();
        server.Run();
        peer.Send(Ping(Ack));
        Assert.Equal("PING", peer.Told.Last());

        server.Advance(1000 + Step);
        Assert.Equal("GOAWAY 1 0", peer.Read().Told.Last());
    }

    [Fact]
    public void A_request_of_HTTP_1_is_answered_in_words()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var client = server.Connect("GET / HT");
        Assert.Equal("", client.Received);
        client.Send("TP/1.1\r\nHost: a\r\n\r\n");
        server.Run();

        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", client.Received, StringComparison.Ordinal);
        Assert.EndsWith("An HTTP/1.x request was sent to an HTTP/2 only endpoint.", client.Received, StringComparison.Ordinal);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Garbage_is_answered_by_GOAWAY()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server, isOpen: false);
        peer.Send("\u0016\u0003\u0001 garbage that is no preface"u8.ToArray());

        Assert.Equal(["SETTINGS", "WINDOW_UPDATE 0 983041", "GOAWAY 0 1"], peer.Frames.Select(frame => frame.ToString()));
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
    }
}
