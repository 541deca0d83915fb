// Responses as frames (RFC 9113, sections 8.1 and 6.9): what stands in HEADERS, what in DATA, where END_STREAM is, and how many sends it
// takes.

using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class ResponseTests
{
    [Fact]
    public void The_server_begins_with_its_settings_and_a_larger_window_once_the_client_has_begun()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server, isOpen: false);
        server.Run();
        Assert.Equal("", peer.Client.Received);

        peer.Send(Preface, Settings());

        Assert.Equal(["SETTINGS", "WINDOW_UPDATE 0 983041", "SETTINGS ACK"], peer.Frames.Select(frame => frame.ToString()));
        Assert.Equal(
            [(3, 100u), (4, 786_432u), (6, 32_768u), (8, 1u)],
            peer.Frames[0].Payload.Chunk(6).Select(entry => ((int)entry[1], new Http2Received(0, 0, 0, entry).UInt32At(2))));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_whole_response_is_HEADERS_and_one_DATA_that_ends_the_stream() => Seeds.Run(20, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Request(1, path: "/hello"));

        Assert.Equal(["HEADERS 1", "DATA 1 6 END"], peer.Told);
        Assert.Equal("200", peer[1].Status);
        Assert.Equal("6", peer[1].Head["content-length"]);
        Assert.Equal(SimulatedServer.Date, peer[1].Head["date"]);
        Assert.Equal("/hello", peer[1].Content);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("GET", 200)]
    [InlineData("GET", 204)]
    [InlineData("GET", 304)]
    [InlineData("HEAD", 200)]
    public void Without_content_HEADERS_ends_the_stream(string method, int status)
    {
        using var server = new SimulatedServer(exchange => Apps.AnswerStatus(exchange, status), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Request(1, method));

        Assert.Equal(["HEADERS 1 END"], peer.Told);
        Assert.Equal($"{status}", peer[1].Status);
    }

    [Fact]
    public void A_status_without_content_ends_the_stream_when_it_is_flushed()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(204));
                await exchange.FlushAsync();
                await gate.Task;
                await exchange.SendAsync(default);
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1 END"], peer.Told);
        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();
        Assert.Equal(["HEADERS 1 END"], peer.Read().Told);
        server.DemandNothingLeft();
    }

    [Fact]
    public void HEAD_gets_the_length_and_no_content()
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, "hello", new FieldList().Add("Content-Length", "5")), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Request(1, "HEAD"));

        Assert.Equal(["HEADERS 1 END"], peer.Told);
        Assert.Equal("5", peer[1].Head["content-length"]);
    }

    [Fact]
    public void Content_that_is_flushed_goes_at_once_and_the_end_follows()
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseBody("one"u8.ToArray(), MoreBody: true));
                await gate.Task;
                await exchange.SendAsync(default);
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        Assert.Equal(["HEADERS 1", "DATA 1 3"], peer.Told);

        SimulatedServer.OffLoop(gate.SetResult);
        server.Run();
        Assert.Equal(["HEADERS 1", "DATA 1 3", "DATA 1 0 END"], peer.Read().Told);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_end_that_comes_in_the_same_tick_leaves_with_the_content()
    {
        using var server = HostedDelegate.Serve(context => context.Response.WriteAsync("hello"), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1", "DATA 1 5 END"], peer.Told);
        Assert.DoesNotContain("content-length", peer[1].Head.Keys);
    }

    [Fact]
    public void Large_content_goes_in_frames_of_16_KiB() => Seeds.Run(20, seed =>
    {
        var content = Apps.Repeat("0123456789abcdef", 3000);
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, content), seed, conditions: NetworkConditions.Of(seed, 500), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(content, peer[1].Content);
        Assert.True(peer[1].IsEnded);
        Assert.All(peer[1].DataLengths, length => Assert.True(length <= 16 * 1024));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Many_small_responses_leave_in_one_send_of_one_range()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send([.. Enumerable.Range(0, 32).Select(i => Get((uint)(1 + (2 * i))))]);
        var (sends, ranges) = (peer.Client.SendCount, peer.Client.RangeCount);

        peer.Send([.. Enumerable.Range(32, 32).Select(i => Get((uint)(1 + (2 * i))))]);

        Assert.Equal((1, 1), (peer.Client.SendCount - sends, peer.Client.RangeCount - ranges));
        Assert.All(Enumerable.Range(0, 64), i => Assert.Equal("/", peer[1 + (2 * i)].Content));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Trailers_end_the_stream_without_being_announced()
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                Assert.True(context.Response.SupportsTrailers());
                await context.Response.WriteAsync("hello");
                context.Response.AppendTrailer("grpc-status", "0");
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1", "DATA 1 5", "HEADERS 1 END"], peer.Told);
        Assert.Equal("0", peer[1].Trailers!["grpc-status"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Trailers_of_a_response_to_HEAD_are_taken_and_dropped(bool isBefore)
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                Assert.True(context.Response.SupportsTrailers());
                if (isBefore)
                {
                    context.Response.AppendTrailer("a", "b");
                }

                await context.Response.WriteAsync("hello");
                if (!isBefore)
                {
                    context.Response.AppendTrailer("a", "b");
                }
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Request(1, "HEAD"), Get(3));

        Assert.Equal(["HEADERS 1 END", "HEADERS 3", "DATA 3 5", "HEADERS 3 END"], peer.Told);
        Assert.Equal("200", peer[1].Status);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Trailers_alone_follow_the_head()
    {
        using var server = HostedDelegate.Serve(
            context =>
            {
                context.Response.AppendTrailer("grpc-status", "5");
                return Task.CompletedTask;
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1", "HEADERS 1 END"], peer.Told);
        Assert.Equal(("200", "5"), (peer[1].Status, peer[1].Trailers!["grpc-status"]));
        Assert.DoesNotContain("content-length", peer[1].Head.Keys);
    }

    [Fact]
    public void Trailers_go_with_a_length_too()
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                context.Response.ContentLength = 5;
                context.Response.AppendTrailer("a", "b");
                await context.Response.WriteAsync("hello");
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1", "DATA 1 5", "HEADERS 1 END"], peer.Told);
        Assert.Equal("b", peer[1].Trailers!["a"]);
    }

    [Fact]
    public void Connection_specific_fields_are_removed_with_a_warning()
    {
        using var server = HostedDelegate.Serve(
            context =>
            {
                context.Response.Headers.Connection = "close";
                context.Response.Headers.TransferEncoding = "chunked";
                context.Response.Headers["X-A"] = "b";
                return context.Response.WriteAsync("hello");
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal("hello", peer[1].Content);
        Assert.Equal("b", peer[1].Head["x-a"]);
        Assert.DoesNotContain("connection", peer[1].Head.Keys);
        Assert.DoesNotContain("transfer-encoding", peer[1].Head.Keys);
        Assert.Contains(server.Told, entry => entry.Id.Id == 41);
    }

    [Fact]
    public void Interim_responses_come_before_the_response()
    {
        using var server = new SimulatedServer(
            async exchange =>
            {
                await exchange.SendAsync(new InformationalResponse(103, new FieldList().Add("Link", "</a>")));
                await Apps.Path(exchange);
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(["HEADERS 1", "HEADERS 1", "DATA 1 1 END"], peer.Told);
        Assert.Equal(["103", "200"], peer[1].Heads.Select(head => head[":status"]));
        Assert.Equal("</a>", peer[1].Heads[0]["link"]);
    }

    [Fact]
    public void Interim_responses_and_content_of_another_thread_keep_their_order()
    {
        var hop = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await hop.Task;
                await exchange.SendAsync(new InformationalResponse(103, new FieldList().Add("Link", "</a>")));
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseBody("one"u8.ToArray(), MoreBody: true));
                await exchange.SendAsync(new ResponseBody("two"u8.ToArray()));
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        SimulatedServer.OffLoop(hop.SetResult);
        server.Run();

        Assert.Equal(["103", "200"], peer[1].Heads.Select(head => head[":status"]));
        Assert.Equal("onetwo", peer[1].Content);
        Assert.True(peer[1].IsEnded);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_head_larger_than_a_frame_is_continued()
    {
        var value = Apps.Repeat("~", 40_000);
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, "x", new FieldList().Add("a", value)), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));

        Assert.Equal(value, peer[1].Head["a"]);
        Assert.Equal(["HEADERS 1", "CONTINUATION 1"], peer.Told.Take(2));
        Assert.Equal("x", peer[1].Content);
        server.DemandNothingLeft();
    }

    // RFC 7541, section 4.2: the smallest size since the last block is told, and then the last.
    [Fact]
    public void A_table_that_shrinks_and_grows_in_one_SETTINGS_is_told_so()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        peer.Send(Settings((1, 0), (1, 4096)), Get(3));

        var block = peer.Frames.Last(frame => frame.Type == HeadersType).Payload;
        Assert.Equal("203FE11F88", Convert.ToHexString(block.AsSpan(0, 5)));
        Assert.Equal("/", peer[3].Content);
    }

    [Fact]
    public void A_file_is_sent()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, Apps.Repeat("0123456789", 5_000));
        using var server = HostedDelegate.Serve(context => context.Response.SendFileAsync(path), isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1));
        server.RunUntil(() => peer[1].IsEnded);
        File.Delete(path);

        Assert.Equal(Apps.Repeat("0123456789", 5_000), peer[1].Content);
    }
}
