// RFC 9113, section 4 and the sizes of section 6: frame headers, sizes, padding, and where each frame belongs.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_04_FrameTests
{
    [Fact]
    public void Frames_of_unknown_type_are_ignored_with_whatever_they_bear() => Assert.Equal(
        ["Ping 102030405060708"],
        Http2Run.Of(Frame(0x0A, 0xFF, 0, 1, 2, 3), Frame(0xFF, 0, 7), Frame(0x10, 0, 0, new byte[40]), Ping()));

    [Fact]
    public void Undefined_flags_are_ignored() => Assert.Equal(
        ["Request 1 GET /| http [host: a] end", "Ping 102030405060708", "WindowUpdate 0", "StreamReset 1 Cancel"],
        Http2Run.Of(
            Frame(HeadersType, EndHeaders | EndStream | 0xD2, 1, Block(":method: GET", ":scheme: http", ":path: /", ":authority: a")),
            Ping(0xFE), Frame(WindowUpdateType, 0xFF, 0, 0, 0, 1, 0), Frame(RstStreamType, 0xFF, 1, 0, 0, 0, 8)));

    [Fact]
    public void The_reserved_bit_before_a_stream_id_is_ignored() => Assert.Equal(
        ["Request 1 GET /| http [host: a] end", "Settings"],
        Http2Run.Of(Get(0x8000_0001), Frame(SettingsType, 0, 0x8000_0000)));

    [Fact]
    public void A_frame_of_the_announced_size_is_taken_and_one_byte_more_is_not()
    {
        var limits = new Http2Limits { MaxFrameSize = 20_000 };
        var run = Http2Run.Play(run => run.Receive(Post(1), DataFrame(1, 20_000)), limits);
        Assert.Equal("Content 1 20000 bytes", run.Last);

        run = Http2Run.Play(run => run.Receive(Post(1), DataFrame(1, 20_001)), limits);
        Assert.Equal("Fault FrameSizeError FrameTooLarge", run.Last);
    }

    [Fact]
    public void The_size_is_judged_by_the_frame_header_alone()
    {
        var run = new Http2Run();
        run.Receive(Start, [0, 0x40, 1, 0xEE, 0, 0, 0, 0, 0]);

        Assert.Equal("Fault FrameSizeError FrameTooLarge", run.Last);
    }

    public static TheoryData<string, byte[]> WrongSizes => new()
    {
        { "SETTINGS of no whole settings", Frame(SettingsType, 0, 0, 0, 1, 0) },
        { "SETTINGS ACK with a payload", Frame(SettingsType, Ack, 0, 0, 3, 0, 0, 0, 1) },
        { "PING of 7", Frame(PingType, 0, 0, new byte[7]) },
        { "PING of 9", Frame(PingType, 0, 0, new byte[9]) },
        { "GOAWAY of 7", Frame(GoAwayType, 0, 0, new byte[7]) },
        { "WINDOW_UPDATE of 3", Frame(WindowUpdateType, 0, 0, new byte[3]) },
        { "WINDOW_UPDATE of 5 on a stream", Frame(WindowUpdateType, 0, 1, new byte[5]) },
        { "RST_STREAM of 3", Frame(RstStreamType, 0, 1, new byte[3]) },
        { "RST_STREAM of 5", Frame(RstStreamType, 0, 1, new byte[5]) },
        { "padded DATA without Pad Length", Frame(Data, Padded, 1) },
        { "padded HEADERS without Pad Length", Frame(HeadersType, Padded | EndHeaders, 3) },
        { "HEADERS with half a priority", Frame(HeadersType, PriorityFlag | EndHeaders, 3, new byte[4]) },
        { "HEADERS with padding and half a priority", Frame(HeadersType, PriorityFlag | Padded | EndHeaders, 3, new byte[5]) },
        { "PRIORITY of 4 on an idle stream", Frame(PriorityType, 0, 3, new byte[4]) },
    };

    [Theory]
    [MemberData(nameof(WrongSizes))]
    public void A_size_that_does_not_fit_the_type_ends_the_connection(string what, byte[] frame)
    {
        IReadOnlyList<string> events = Http2Run.Of(Post(1), frame);
        Assert.True(events is [_, "Fault FrameSizeError InvalidFrameSize"], $"{what}: {string.Join(", ", events)}");
    }

    [Fact]
    public void A_priority_of_a_wrong_size_ends_the_stream_if_there_is_one() => Assert.Equal(
        ["Request 1 POST /| http [host: a]", "StreamFault 1 FrameSizeError InvalidFrameSize", "Ping 102030405060708"],
        Http2Run.Of(Post(1), Frame(PriorityType, 0, 1, new byte[6]), Ping()));

    public static TheoryData<string, byte[]> OnTheWrongStream => new()
    {
        { "StreamFrameOnConnection", Frame(Data, 0, 0, 1) },
        { "StreamFrameOnConnection", Headers(0, true, ":method: GET") },
        { "StreamFrameOnConnection", Priority(0) },
        { "StreamFrameOnConnection", RstStream(0) },
        { "ConnectionFrameOnStream", Frame(SettingsType, 0, 1) },
        { "ConnectionFrameOnStream", Frame(SettingsType, Ack, 1) },
        { "ConnectionFrameOnStream", Ping(streamId: 1) },
        { "ConnectionFrameOnStream", Frame(GoAwayType, 0, 1, new byte[8]) },
        { "UnexpectedContinuation", Frame(Continuation, EndHeaders, 1) },
        { "UnexpectedContinuation", Frame(Continuation, EndHeaders, 0) },
        { "PushFromClient", Frame(PushPromise, EndHeaders, 1, new byte[4]) },
    };

    [Theory]
    [MemberData(nameof(OnTheWrongStream))]
    public void A_frame_in_the_wrong_place_ends_the_connection(string fault, byte[] frame) =>
        Assert.Equal($"Fault ProtocolError {fault}", Http2Run.Of(Post(1), frame)[^1]);

    [Fact]
    public void Padding_is_no_content() => Assert.Equal(
        ["Request 1 POST /| http [host: a]", "Content 1 'abc' end", "Ping 102030405060708"],
        Http2Run.Of(Post(1), PaddedData(1, "ab", 9), PaddedData(1, "", 200), PaddedData(1, "c", 0, end: true), Ping()));

    [Fact]
    public void Content_that_ends_the_stream_does_so_before_its_padding_has_come()
    {
        var run = new Http2Run();
        byte[] frame = PaddedData(1, "abc", 5, end: true);
        run.Receive(Start, Post(1), frame[..^5]);

        Assert.Equal("Content 1 'abc' end", run.Last);
        Assert.Equal(Http2StreamPhase.HalfClosedRemote, run[1].Phase);
    }

    [Fact]
    public void Padding_as_long_as_the_rest_of_the_frame_is_the_most_there_can_be()
    {
        Assert.Equal("Content 1 '' end", Http2Run.Of(Post(1), Frame(Data, Padded | EndStream, 1, 3, 0, 0, 0))[^1]);
        Assert.Equal("Fault ProtocolError InvalidPadding", Http2Run.Of(Post(1), Frame(Data, Padded, 1, 4, 0, 0, 0))[^1]);

        byte[] block = Block(":method: GET", ":scheme: http", ":path: /", ":authority: a");
        int flags = Padded | PriorityFlag | EndHeaders | EndStream;
        Assert.Equal(
            "Request 1 GET /| http [host: a] end",
            Http2Run.Of(Frame(HeadersType, flags, 1, [3, 0, 0, 0, 0, 0, .. block, 0, 0, 0]))[^1]);
        Assert.Equal(
            "StreamFault 1 ProtocolError MissingPseudoField", Http2Run.Of(Frame(HeadersType, flags, 1, 2, 0, 0, 0, 0, 0, 0, 0))[^1]);
        Assert.Equal("Fault ProtocolError InvalidPadding", Http2Run.Of(Frame(HeadersType, flags, 1, 3, 0, 0, 0, 0, 0, 0, 0))[^1]);
    }

    [Fact]
    public void Priorities_are_ignored_wherever_they_stand() => Assert.Equal(
        ["Request 3 GET /| http [host: a] end", "Request 5 GET /| http [host: a] end"],
        Http2Run.Of(
            Priority(1), Priority(3, dependency: 1), Get(3), Priority(3, 0x8000_0001), Priority(2),
            Frame(HeadersType, PriorityFlag | EndHeaders | EndStream, 5,
                [0x80, 0, 0, 3, 255, .. Block(":method: GET", ":scheme: http", ":path: /", ":authority: a")])));

    [Fact]
    public void Pings_tell_their_eight_bytes() => Assert.Equal(
        ["Ping 102030405060708", "PingAck 102030405060708"], Http2Run.Of(Ping(), Ping(Ack)));

    [Fact]
    public void Goaway_tells_its_code_and_what_is_open_goes_on() => Assert.Equal(
        ["Request 1 POST /| http [host: a]", "GoAway EnhanceYourCalm", "Content 1 'a' end"],
        Http2Run.Of(
            Post(1), Frame(GoAwayType, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0x0B, .. "debug data"u8.ToArray()]), DataFrame(1, "a", end: true)));
}
