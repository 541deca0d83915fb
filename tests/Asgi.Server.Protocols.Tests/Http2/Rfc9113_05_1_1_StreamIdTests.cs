// RFC 9113, sections 5.1.1, 5.1.2 and 6.8: which ids a client may use, how many streams there may be, and what GOAWAY does to both.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_05_1_1_StreamIdTests
{
    private const string UnexpectedId = "Fault ProtocolError UnexpectedStreamId";

    [Fact]
    public void Ids_may_be_left_out_up_to_the_last_there_is() => Assert.Equal(
        ["Request 5 GET /| http [host: a] end", $"Request {int.MaxValue} GET /| http [host: a] end"],
        Http2Run.Of(Get(5), Get(int.MaxValue)));

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(int.MaxValue - 1)]
    public void A_client_opens_no_even_stream(uint id) => Assert.Equal(UnexpectedId, Http2Run.Of(Get(1), Get(id))[^1]);

    [Theory]
    [InlineData("DATA")]
    [InlineData("RST_STREAM")]
    [InlineData("WINDOW_UPDATE")]
    public void Even_streams_are_idle_for_ever(string frame)
    {
        byte[] bytes = frame switch
        {
            "DATA" => DataFrame(2, "a"),
            "RST_STREAM" => RstStream(2),
            _ => WindowUpdate(2, 1),
        };
        Assert.Equal("Fault ProtocolError IdleStream", Http2Run.Of(Get(5), bytes)[^1]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void An_id_that_was_left_out_is_not_opened_later(uint id) => Assert.Equal(UnexpectedId, Http2Run.Of(Get(5), Get(id))[^1]);

    [Fact]
    public void An_id_that_was_left_out_is_closed_for_other_frames()
    {
        Assert.Equal("Fault StreamClosed StreamClosed", Http2Run.Of(Get(5), DataFrame(3, "a"))[^1]);
        Assert.Single(Http2Run.Of(Get(5), RstStream(3), WindowUpdate(1, 1)));
    }

    [Fact]
    public void Nothing_is_gathered_for_an_id_that_cannot_be() =>
        Assert.Equal([UnexpectedId], Http2Run.Of(Frame(HeadersType, 0, 2, Block(":method: GET"))));

    [Fact]
    public void As_many_streams_as_announced_are_open_and_one_more_is_refused()
    {
        var limits = new Http2Limits { MaxStreamsPerConnection = 3 };
        var run = Http2Run.Play(
            run =>
            {
                run.Receive(Post(1), Get(3), Post(5));
                Assert.Equal(3, run.Machine.OpenStreamCount);
                run.Receive(Post(7));
                Assert.Equal("StreamFault 7 RefusedStream StreamRefused", run.Last);
                Assert.Equal(3, run.Machine.OpenStreamCount);
                // What the client sent before it knew is ignored.
                run.Receive(DataFrame(7, "abc", end: true));
                Assert.Equal("StreamFault 7 RefusedStream StreamRefused", run.Last);
            },
            limits);

        run.Machine.SentHeaders(run[3], endStream: true);
        run.Receive(Get(9));
        Assert.Equal("Request 9 GET /| http [host: a] end", run.Last);
        Assert.Equal(9, run.Machine.LastStreamId);
    }

    [Fact]
    public void What_was_on_its_way_to_as_many_streams_as_there_may_be_is_ignored()
    {
        var run = new Http2Run(new Http2Limits { MaxStreamsPerConnection = 1000 });
        run.Receive(Start);
        for (uint id = 1; id < 2000; id += 2)
            run.Open(id);
        foreach (var stream in run.Streams.ToArray())
        {
            run.Machine.SentReset(stream);
            run.Release(stream);
        }
        for (uint id = 1; id < 2000; id += 2)
            run.Receive(DataFrame(id, "a", end: true));
        Assert.Equal("Request 1999 GET /| http [host: a]", run.Last);
    }

    [Fact]
    public void Streams_that_are_reset_and_still_in_use_have_a_limit_too()
    {
        var limits = new Http2Limits { MaxStreamsPerConnection = 2 };
        var run = new Http2Run(limits);
        run.Receive(Start);
        for (uint id = 1; id <= 7; id += 2)
            run.Receive(Get(id), RstStream(id));
        Assert.Equal((0, 4), (run.Machine.OpenStreamCount, run.Machine.StreamCount));

        run.Receive(Get(9));
        Assert.Equal("StreamFault 9 RefusedStream StreamRefused", run.Last);
        run.Machine.Release(run[3]);
        run.Receive(Get(11));
        Assert.Equal("Request 11 GET /| http [host: a] end", run.Last);
    }

    [Fact]
    public void A_record_serves_a_later_stream_with_its_attachment_and_nothing_else()
    {
        var run = new Http2Run();
        run.Receive(Start, Post(1, "content-length: 3", "expect: 100-continue", "cookie: a", "cookie: b"));
        run.Receive(DataFrame(1, "abc"), Headers(1, true, "t: u"));
        Http2StreamState first = run[1];
        object attachment = first.Attachment = new();
        run.Machine.SentData(first, 5, endStream: true);
        run.Machine.Release(first);

        run.Receive(Post(3));
        Assert.Same(first, run[3]);
        Assert.Same(attachment, run[3].Attachment);
        Assert.Equal("Request 3 POST /| http [host: a]", run.Last);
        Assert.Equal((0, false, 0, 65_535), (run[3].ContentBytes, run[3].HasTrailers, run[3].UnconsumedBytes, run[3].SendWindow));
        Assert.Null(run[3].Head.ContentLength);
        Assert.False(run[3].Head.ExpectContinue);
    }

    [Fact]
    public void Storage_is_let_go_of_only_between_streams()
    {
        var run = new Http2Run();
        run.Receive(Start, Get(1));
        run.Machine.DropScratch();
        Assert.Equal(1, run.Machine.StreamCount);
        Http2StreamState first = run[1];
        run.Machine.SentHeaders(first, endStream: true);
        run.Machine.Release(first);
        run.Machine.DropScratch();
        run.Receive(Get(3));
        Assert.NotSame(first, run[3]);
    }

    [Fact]
    public void Any_pattern_of_ids_is_found_again()
    {
        // Ids that share a slot in a table of any size, opened and released in an order that leaves holes.
        const int Seed = 20261121;
        var random = new Random(Seed);
        var run = new Http2Run();
        run.Receive(Start);
        var open = new List<uint>();
        uint id = 1;
        for (int i = 0; i < 4000; i++)
        {
            if (open.Count < 100 && random.Next(2) == 0)
            {
                run.Receive(Get(id));
                open.Add(id);
                id += 2u * (uint)(random.Next(3) == 0 ? 64 * random.Next(1, 40) : 1);
            }
            else if (open.Count > 0)
            {
                uint closing = open[random.Next(open.Count)];
                open.Remove(closing);
                run.Machine.SentHeaders(run[(int)closing], endStream: true);
                run.Machine.Release(run[(int)closing]);
            }
            Assert.Equal(open.Count, run.Machine.StreamCount);
            foreach (uint some in open)
            {
                run.Receive(WindowUpdate(some, 1000));
                Assert.True(run.Last == $"WindowUpdate {some}", $"seed {Seed}, step {i}: {run.Last}");
            }
        }
    }

    [Fact]
    public void After_the_second_goaway_streams_above_it_are_ignored_and_those_below_go_on()
    {
        var run = new Http2Run();
        run.Receive(Start, Post(1), Post(3));
        Assert.Equal(3, run.Machine.FinishGoAway());

        run.Receive(Post(5), DataFrame(5, "abc"), Headers(5, true, "t: u"), RstStream(5), WindowUpdate(5, 1), DataFrame(3, "d"), Ping());
        Assert.Equal(["Content 3 'd'", "Ping 102030405060708"], run.Events.Skip(3));
        Assert.Equal(3, run.Machine.LastStreamId);
        Assert.Equal(3, run.Machine.FinishGoAway());
        run.Receive(DataFrame(7, "a"));
        Assert.Equal("Fault ProtocolError IdleStream", run.Last);
    }

    [Fact]
    public void What_is_ignored_after_goaway_still_counts_for_table_and_windows()
    {
        var run = new Http2Run();
        run.Receive(Start, Post(1));
        run.Machine.FinishGoAway();
        int window = run.Machine.ConnectionReceiveWindow;
        byte[] block = Block(":method: GET", ":scheme: http", ":path: /", ":authority: a");
        run.Receive(Frame(HeadersType, EndHeaders, 3, [.. block, 0x40, 1, (byte)'x', 1, (byte)'y']), DataFrame(3, "abc"));
        Assert.Equal((window - 3, 3), (run.Machine.ConnectionReceiveWindow, run.Machine.ConnectionCredit));

        run.Receive(Frame(HeadersType, EndHeaders | EndStream, 1, 0xBE));
        Assert.Equal("Trailers 1 [x: y] end", run.Last);
    }
}
