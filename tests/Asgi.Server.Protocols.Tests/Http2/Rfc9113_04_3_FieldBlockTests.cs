// RFC 9113, sections 4.3 and 6.10: field blocks in fragments, and that all of them are decoded.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_04_3_FieldBlockTests
{
    private const string Usual = "Request 1 GET /| http [host: a] end";

    private static readonly byte[] UsualBlock = Block(":method: GET", ":scheme: http", ":path: /", ":authority: a");

    [Fact]
    public void A_block_may_be_cut_anywhere_within_a_field_too()
    {
        for (int cut = 0; cut <= UsualBlock.Length; cut++)
        {
            var run = new Http2Run(pieceMax: 5);
            run.Receive(
                Start, Frame(HeadersType, EndStream, 1, UsualBlock[..cut]), Frame(Continuation, EndHeaders, 1, UsualBlock[cut..]));

            Assert.Equal(Usual, run.Last);
        }
    }

    [Fact]
    public void Each_fragment_may_be_a_byte_or_none()
    {
        var limits = new Http2Limits { ContinuationsMax = UsualBlock.Length + 1 };
        byte[][] fragments =
        [
            Frame(HeadersType, EndStream, 1), .. UsualBlock.Select(b => Frame(Continuation, 0, 1, b)), Frame(Continuation, EndHeaders, 1),
        ];
        Assert.Equal([Usual], Http2Run.Of(limits, fragments));
    }

    [Fact]
    public void Padding_and_priority_belong_to_the_headers_frame_alone() => Assert.Equal([Usual], Http2Run.Of(
        Frame(HeadersType, EndStream | Padded | PriorityFlag, 1, [2, 0, 0, 0, 3, 16, .. UsualBlock[..9], 0, 0]),
        Frame(Continuation, EndHeaders | Padded | PriorityFlag, 1, UsualBlock[9..])));

    [Fact]
    public void Nothing_may_stand_between_the_fragments()
    {
        byte[][] others =
        [
            Frame(Continuation, EndHeaders, 3), Frame(Continuation, EndHeaders, 0), Ping(), Settings(), SettingsAck(), Get(3), Get(1),
            DataFrame(1, "a"), Priority(1), RstStream(1), WindowUpdate(0, 1), WindowUpdate(1, 1), GoAway(), Frame(0xEE, 0, 0),
            Frame(PushPromise, 0, 1, new byte[4]),
        ];
        foreach (byte[] other in others)
            Assert.Equal(
                ["Fault ProtocolError HeaderBlockInterrupted"],
                Http2Run.Of(Frame(HeadersType, EndStream, 1, UsualBlock[..9]), other));
    }

    [Fact]
    public void While_a_block_is_incomplete_it_has_a_deadline()
    {
        var run = new Http2Run();
        byte[] whole = Get(1);
        run.Receive(Start, whole[..^1]);
        Assert.True(run.Machine.IsMidBlock);
        run.Receive(whole[^1..]);
        Assert.False(run.Machine.IsMidBlock);

        run.Receive(Frame(HeadersType, EndStream, 3, UsualBlock[..9]));
        Assert.True(run.Machine.IsMidBlock);
        run.Receive(Frame(Continuation, 0, 3, UsualBlock[9..]));
        Assert.True(run.Machine.IsMidBlock);
        run.Receive(Frame(Continuation, EndHeaders, 3));
        Assert.False(run.Machine.IsMidBlock);
        Assert.Equal(2, run.Events.Count(line => line.StartsWith("Request", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(new byte[] { 0x80 })]             // index 0
    [InlineData(new byte[] { 0xFF, 0x80 })]       // an integer cut off
    [InlineData(new byte[] { 0x00, 0x05, 0x61 })] // a string cut off
    [InlineData(new byte[] { 0xBE })]             // an entry that the dynamic table does not have
    [InlineData(new byte[] { 0x3F, 0xE2, 0x1F })] // a table of 4097 bytes
    public void What_is_no_hpack_ends_the_connection(byte[] block)
    {
        string last = Http2Run.Of(Frame(HeadersType, EndHeaders, 1, block))[^1];
        Assert.StartsWith("Fault CompressionError ", last, StringComparison.Ordinal);
    }

    // 0x40: a literal that goes into the table, where the next block finds it as 0xBE (RFC 7541, 6.2.1 and 2.3.3).
    private static byte[] Indexed(uint id, params byte[] more) =>
        Frame(HeadersType, EndHeaders | EndStream, id, [.. UsualBlock, 0x40, 1, (byte)'x', 1, (byte)'y', .. more]);

    private static byte[] Finds(uint id) => Frame(HeadersType, EndHeaders | EndStream, id, [.. UsualBlock, 0xBE]);

    [Fact]
    public void Blocks_of_refused_streams_are_decoded()
    {
        var limits = new Http2Limits { MaxStreamsPerConnection = 1 };
        Assert.Equal(
            [
                "Request 1 POST /| http [host: a]", "StreamFault 3 RefusedStream StreamRefused", "StreamReset 1 Cancel",
                "Request 5 GET /| http [host: a|x: y] end",
            ],
            Http2Run.Of(limits, Post(1), Indexed(3), RstStream(1), Finds(5)));
    }

    [Fact]
    public void Blocks_of_malformed_requests_are_decoded_to_the_end() => Assert.Equal(
        ["StreamFault 1 ProtocolError InvalidFieldName", "Request 3 GET /| http [host: a|x: y] end"],
        Http2Run.Of(
            Frame(HeadersType, EndHeaders | EndStream, 1, [.. Block("X: upper case"), 0x40, 1, (byte)'x', 1, (byte)'y']), Finds(3)));

    [Fact]
    public void Blocks_of_closed_streams_are_decoded()
    {
        var run = Http2Run.Play(run =>
        {
            run.Machine.SentReset(run.Open(1));
            run.Receive(Indexed(1), Finds(3));
        });
        Assert.Equal("Request 3 GET /| http [host: a|x: y] end", run.Last);

        Assert.Equal(
            "Request 5 GET /| http [host: a|x: y] end", Http2Run.Of(Get(3), RstStream(3), Indexed(3), Finds(5))[^1]);
    }

    [Fact]
    public void A_smaller_table_of_ours_holds_from_the_acknowledgement()
    {
        var limits = new Http2Limits { HeaderTableSize = 0 };
        Assert.Equal("Request 3 GET /| http [host: a|x: y] end", Http2Run.Of(limits, Indexed(1), Finds(3))[^1]);
        Assert.Equal(
            "Fault CompressionError TableSizeMissing", Http2Run.Of(limits, Indexed(1), SettingsAck(), Finds(3))[^1]);
        Assert.Equal(
            "Request 3 GET /| http [host: a] end",
            Http2Run.Of(limits, Indexed(1), SettingsAck(), Frame(HeadersType, EndHeaders | EndStream, 3, [0x20, .. UsualBlock]))[^1]);
    }
}
