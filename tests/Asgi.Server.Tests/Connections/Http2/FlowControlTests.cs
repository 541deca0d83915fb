// What leaves, and whose turn it is (RFC 9113, sections 5.2 and 6.9): the windows of stream and connection, fairness, and what waits for
// a client that does not read.

using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class FlowControlTests
{
    [Fact]
    public void No_more_leaves_than_the_window_of_the_stream_allows()
    {
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 100)), isHttp2: true);
        var peer = new Http2Peer(server, (4, 10));
        peer.Send(Get(1));
        Assert.Equal(["HEADERS 1", "DATA 1 10"], peer.Told);

        peer.Send(WindowUpdate(1, 30));
        Assert.Equal("DATA 1 30", peer.Told.Last());

        // 60 are missing: of the settings' change all streams have the difference.
        peer.Send(Settings((4, 69)));
        Assert.Equal("DATA 1 59", peer.Told.Last());
        peer.Send(WindowUpdate(1, 1));
        Assert.Equal("DATA 1 1 END", peer.Told.Last());
        server.DemandNothingLeft();
    }

    [Fact]
    public void No_more_leaves_than_the_window_of_the_connection_allows()
    {
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 40_000)), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Get(3));
        Assert.Equal(65_535, peer[1].Content.Length + peer[3].Content.Length);

        // What needs no window is not kept by it.
        peer.Send(Request(5, "HEAD"));
        Assert.True(peer[5].IsEnded);

        peer.Send(WindowUpdate(0, 14_465));
        Assert.Equal((40_000, 40_000), (peer[1].Content.Length, peer[3].Content.Length));
        Assert.True(peer[1].IsEnded && peer[3].IsEnded);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_empty_window_does_not_keep_the_end_of_a_response()
    {
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, ""), isHttp2: true);
        var peer = new Http2Peer(server, (4, 0));
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1 END"], peer.Told);
    }

    [Fact]
    public void Large_responses_take_turns_frame_by_frame()
    {
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 200_000)), isHttp2: true);
        var peer = new Http2Peer(server, (4, 1 << 20));
        peer.Send(WindowUpdate(0, 1 << 20), Get(1), Get(3), Get(5));

        var turns = peer.Frames.Where(frame => frame.Type == Data).Select(frame => frame.StreamId).ToArray();
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal([1, 3, 5], turns.Skip(3 * i).Take(3).Order()));
        Assert.All([1, 3, 5], id => Assert.Equal(200_000, peer[id].Content.Length));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_small_response_does_not_wait_for_large_ones()
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", exchange.Scope.Path == "/small" ? 10 : 500_000)), isHttp2: true);
        var peer = new Http2Peer(server, (4, 1 << 20));
        peer.Send(WindowUpdate(0, 1 << 20), Get(1), Request(3, path: "/small"));

        var ends = peer.Frames.Where(frame => frame.Ends).Select(frame => frame.StreamId);
        Assert.Equal([3, 1], ends);
    }

    [Fact]
    public void Little_of_a_large_response_stands_before_a_small_one_in_what_the_socket_has_not_taken()
    {
        const int UnsentMax = 64 * 1024;
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", exchange.Scope.Path == "/small" ? 10 : 500_000)),
            limits: new ConnectionLimits { ResponseBufferSizeMax = UnsentMax },
            conditions: new NetworkConditions { SendCapacity = 4096 },
            isHttp2: true);
        var peer = new Http2Peer(server, (4, 1 << 20));
        peer.Send(WindowUpdate(0, 1 << 20));
        peer.Client.Window = 0;
        peer.Send(Get(1));
        peer.Send(Request(3, path: "/small"));
        peer.Client.Window = long.MaxValue;
        server.Run();

        Assert.Equal((500_000, 10), (peer[1].Content.Length, peer[3].Content.Length));
        var before = peer.Frames.TakeWhile(frame => frame.StreamId != 3 || !frame.Ends).Sum(frame => frame.Payload.Length);
        Assert.InRange(before, 0, 4096 + UnsentMax + (2 * 16_384));
    }

    [Fact]
    public void A_flush_waits_while_a_stream_holds_too_much_and_others_go_on() => Seeds.Run(10, seed =>
    {
        var flushes = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                if (exchange.Scope.Path == "/other")
                {
                    await Apps.Path(exchange);
                    return;
                }

                exchange.Send(new ResponseStart(200));
                for (var i = 0; i < 20; i++)
                {
                    await exchange.SendAsync(new ResponseBody(new byte[10_000], MoreBody: true));
                    flushes++;
                }

                await exchange.SendAsync(default);
            },
            seed,
            conditions: NetworkConditions.Of(seed, 500),
            isHttp2: true);
        var peer = new Http2Peer(server, (4, 0));
        peer.Send(Get(1));
        Assert.Equal(6, flushes);

        peer.Send(WindowUpdate(1, 30_000));
        Assert.Equal(6, flushes);
        peer.Send(WindowUpdate(1, 10_000));
        Assert.InRange(flushes, 7, 10);
        peer.Send(Request(5, path: "/other"));
        peer.Send(WindowUpdate(1, 1_000_000), WindowUpdate(0, 1_000_000), WindowUpdate(5, 100));

        Assert.Equal((200_000, "/other", 20), (peer[1].Content.Length, peer[5].Content, flushes));
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_a_client_does_not_read_stays_in_the_streams_and_is_bounded()
    {
        var conditions = new NetworkConditions { SendCapacity = 4096 };
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, Apps.Repeat("x", 300_000)), conditions: conditions, isHttp2: true);
        var peer = new Http2Peer(server, (4, 1 << 20));
        peer.Client.Window = 0;
        peer.Send(WindowUpdate(0, 1 << 20), Get(1));
        Assert.True(server.BlockCount < 30, $"{server.BlockCount} blocks");

        // It makes the server answer and does not read: at some point the server does not read either.
        for (var i = 0; i < 20_000 && peer.Client.UnsentLength == 0; i++)
        {
            peer.Post(Request((uint)(3 + (2 * i)), "HEAD"));
            server.Run();
        }

        Assert.True(peer.Client.UnsentLength > 0);
        peer.Client.Window = long.MaxValue;
        server.Run();
        Assert.Equal(300_000, peer[1].Content.Length);
        Assert.Equal(0, peer.Client.UnsentLength);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(240, false)]
    public void A_window_that_is_opened_too_slowly_resets_the_stream(int bytesPerSecond, bool isReset)
    {
        // Up to 64 KiB count as taken in advance: only then the rate is what the client does.
        const int Seconds = 600;
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 1_000_000)), isHttp2: true);
        var peer = new Http2Peer(server, (4, 0));
        peer.Send(WindowUpdate(0, 1 << 20), Get(1));
        for (var i = 0; i < Seconds && peer[1].ResetCode is null; i++)
        {
            peer.Send(WindowUpdate(1, (uint)bytesPerSecond));
            server.Advance(1000);
        }

        Assert.Equal(isReset ? 11u : null, peer[1].ResetCode);
        peer.Send(WindowUpdate(0, 10), Request(3, "HEAD"));
        Assert.True(peer[3].IsEnded);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_stream_that_has_waited_for_its_window_may_say_nothing_for_long()
    {
        var more = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseBody(new byte[100], MoreBody: true));
                await more.Task;
                await exchange.SendAsync(new ResponseBody(new byte[100]));
            },
            isHttp2: true);
        var peer = new Http2Peer(server, (4, 0));
        peer.Send(Get(1));
        server.Advance(1000);
        peer.Send(WindowUpdate(1, 100));
        server.Advance(3_000_000);
        SimulatedServer.OffLoop(more.SetResult);
        server.Advance(4000);
        peer.Send(WindowUpdate(1, 100));

        Assert.Equal((null, true, 200), (peer[1].ResetCode, peer[1].IsEnded, peer[1].Content.Length));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_connection_window_that_is_not_opened_ends_the_connection()
    {
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 200_000)), isHttp2: true);
        var peer = new Http2Peer(server, (4, 1 << 20));
        peer.Send(Get(1));
        server.Advance(272_000);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        server.Advance(3000);
        Assert.Contains("GOAWAY 1 11", peer.Read().Told);
        server.DemandNothingLeft();
    }
}
