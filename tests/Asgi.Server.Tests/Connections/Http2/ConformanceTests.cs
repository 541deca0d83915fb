// What a server is asked by those who check it from outside: frames that are wrong, or only rare, section by section of RFC 9113 (with
// those of RFC 7540 that it has dropped or renumbered) and RFC 7541, each sent alone after those before it were served.

using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class ConformanceTests
{
    private const string ProtocolError = "GOAWAY 1";
    private const string FlowControlError = "GOAWAY 3";
    private const string StreamClosed = "GOAWAY 5";
    private const string FrameSizeError = "GOAWAY 6";
    private const string CompressionError = "GOAWAY 9";
    private const string Malformed = "RST_STREAM 1 1";
    private const string StreamIsClosed = "RST_STREAM 1 5";
    private const string Answered = "DATA 1 6 END";
    private const string GoesOn = "PING ACK";
    private const int Whole = EndHeaders | EndStream;

    private static readonly byte[] s_usual = Block(":method: GET", ":scheme: http", ":path: /12345", ":authority: a");
    private static readonly byte[] s_get = Frame(HeadersType, Whole, 1, s_usual);
    private static readonly byte[] s_held = Request(1, path: "/held");
    private static readonly byte[] s_begun = Frame(HeadersType, EndStream, 1, s_usual);

    // "x-test: " as a literal whose value is Huffman-coded.
    private static readonly byte[] s_name = [0, 0x85, 0xF2, 0xB2, 0x4A, 0x84, 0xFF];

    private static readonly Dictionary<string, (string Outcome, byte[][] Frames)> s_cases = new()
    {
        // 3.4 to 4.3: frames and field blocks
        ["4.1 unknown type"] = (GoesOn, [Frame(0x16, 0, 0, new byte[8])]),
        ["4.1 undefined flags"] = (GoesOn, [Frame(PingType, 0x16, 0, new byte[8])]),
        ["4.1 reserved bit"] = (GoesOn, [Frame(PingType, 0, 0x8000_0000, new byte[8])]),
        ["4.2 DATA of the largest size"] = ("DATA 1 16384 END", [Post(1), DataFrame(1, 16_384, end: true)]),
        ["4.2 larger DATA"] = (FrameSizeError, [Post(1), DataFrame(1, 16_385, end: true)]),
        ["4.2 larger HEADERS"] = (FrameSizeError, [Frame(HeadersType, Whole, 1, new byte[16_385])]),
        ["4.3 invalid block"] = (CompressionError, [Frame(HeadersType, Whole, 1, 0x40)]),
        ["4.3 PRIORITY within a block"] = (ProtocolError, [s_begun, Priority(1)]),
        ["4.3 another HEADERS within a block"] = (ProtocolError, [s_begun, Get(3)]),

        // 5.1: states
        ["5.1 idle: DATA"] = (ProtocolError, [DataFrame(1, "test", end: true)]),
        ["5.1 idle: RST_STREAM"] = (ProtocolError, [RstStream(1)]),
        ["5.1 idle: WINDOW_UPDATE"] = (ProtocolError, [WindowUpdate(1, 100)]),
        ["5.1 idle: CONTINUATION"] = (ProtocolError, [Frame(Continuation, Whole, 1, s_usual)]),
        ["5.1 idle: PRIORITY"] = (GoesOn, [Priority(1)]),
        ["5.1 half-closed: DATA"] = (StreamIsClosed, [s_held, DataFrame(1, "test", end: true)]),
        ["5.1 half-closed: HEADERS"] = (StreamIsClosed, [s_held, s_get]),
        ["5.1 half-closed: CONTINUATION"] = (ProtocolError, [s_held, Frame(Continuation, Whole, 1, s_usual)]),
        ["5.1 half-closed: WINDOW_UPDATE"] = (GoesOn, [s_held, WindowUpdate(1, 1)]),
        ["5.1 half-closed: PRIORITY"] = (GoesOn, [s_held, Priority(1)]),
        ["5.1 half-closed: RST_STREAM"] = (GoesOn, [s_held, RstStream(1)]),
        ["5.1 reset: DATA"] = (StreamIsClosed, [Post(1), RstStream(1), DataFrame(1, "test", end: true)]),
        ["5.1 reset: HEADERS"] = (StreamIsClosed, [Post(1), RstStream(1), s_get]),
        ["5.1 reset: CONTINUATION"] = (ProtocolError, [Post(1), RstStream(1), Frame(Continuation, Whole, 1, s_usual)]),
        ["5.1 closed: DATA"] = (StreamClosed, [s_get, DataFrame(1, "test", end: true)]),
        ["5.1 closed: HEADERS"] = (StreamClosed, [s_get, s_get]),
        ["5.1 closed: CONTINUATION"] = (ProtocolError, [s_get, Frame(Continuation, Whole, 1, s_usual)]),
        ["5.1 closed: PRIORITY"] = (GoesOn, [s_get, Priority(1)]),
        ["5.1 closed: WINDOW_UPDATE"] = (GoesOn, [s_get, WindowUpdate(1, 1)]),
        ["5.1 closed: RST_STREAM"] = (GoesOn, [s_get, RstStream(1)]),
        ["5.1.1 an even id"] = (ProtocolError, [Get(2)]),
        ["5.1.1 a smaller id"] = (ProtocolError, [Get(5), Get(3)]),
        ["5.1.2 more than may be"] = (
            "RST_STREAM 201 7", [.. Enumerable.Range(0, 101).Select(i => Request((uint)(2 * i + 1), path: "/held"))]),
        ["5.3.1 HEADERS: depends on itself"] = (Malformed, [Prioritized(0x0000_0001)]),
        ["5.3.1 PRIORITY: depends on itself"] = (Malformed, [s_held, Priority(1, 1)]),
        ["5.3.1 PRIORITY, idle: depends on itself"] = (ProtocolError, [Priority(2, 2)]),
        ["5.3 HEADERS with priority"] = (Answered, [Priority(3), Prioritized(0x8000_0003)]),
        ["5.4.1 an error tells the last stream"] = ("GOAWAY 3 1", [s_get, Get(3), Ping(streamId: 1)]),
        ["5.5 unknown type within a block"] = (ProtocolError, [s_begun, Frame(0x16, 0, 0, new byte[8])]),

        // 6.1 to 6.4
        ["6.1 DATA on stream 0"] = (ProtocolError, [Post(1), DataFrame(0, "test")]),
        ["6.1 invalid padding"] = (ProtocolError, [Post(1), Frame(Data, Padded | EndStream, 1, 6, 1, 2, 3, 4)]),
        ["6.1 padding"] = ("DATA 1 4 END", [Post(1), PaddedData(1, "test", 8, end: true)]),
        ["6.2 HEADERS on stream 0"] = (ProtocolError, [Frame(HeadersType, Whole, 0, s_usual)]),
        ["6.2 invalid padding"] = (ProtocolError, [Frame(HeadersType, Padded | Whole, 1, [255, .. s_usual])]),
        ["6.2 padding"] = (Answered, [Frame(HeadersType, Padded | Whole, 1, [2, .. s_usual, 0, 0])]),
        ["6.3 PRIORITY on stream 0"] = (ProtocolError, [Frame(PriorityType, 0, 0, 0, 0, 0, 3, 15)]),
        ["6.3 invalid size"] = ("RST_STREAM 1 6", [s_held, Frame(PriorityType, 0, 1, 0x80, 0, 0, 1)]),
        ["6.4 RST_STREAM on stream 0"] = (ProtocolError, [RstStream(0)]),
        ["6.4 invalid size"] = (FrameSizeError, [s_held, Frame(RstStreamType, 0, 1, 0, 0, 0)]),

        // 6.5: settings
        ["6.5 an acknowledgement with content"] = (FrameSizeError, [Frame(SettingsType, Ack, 0, 0)]),
        ["6.5 SETTINGS on a stream"] = (ProtocolError, [Frame(SettingsType, 0, 1, 0, 3, 0, 0, 0, 100)]),
        ["6.5 invalid size"] = (FrameSizeError, [Frame(SettingsType, 0, 0, 0, 3, 0)]),
        ["6.5.2 ENABLE_PUSH"] = (ProtocolError, [Settings((2, 2))]),
        ["6.5.2 INITIAL_WINDOW_SIZE"] = (FlowControlError, [Settings((4, 0x8000_0000))]),
        ["6.5.2 MAX_FRAME_SIZE, too small"] = (ProtocolError, [Settings((5, 16_383))]),
        ["6.5.2 MAX_FRAME_SIZE, too large"] = (ProtocolError, [Settings((5, 16_777_216))]),
        ["6.5.2 unknown"] = (GoesOn, [Settings((0xFF, 1))]),
        ["6.5.3 the last value counts"] = ("DATA 1 1", [Settings((4, 100), (4, 1)), s_get]),

        // 6.7 to 6.10
        ["6.7 an answer is not answered"] = ("", [Ping(Ack)]),
        ["6.7 PING on a stream"] = (ProtocolError, [Ping(streamId: 1)]),
        ["6.7 invalid size"] = (FrameSizeError, [Frame(PingType, 0, 0, 1, 2, 3, 4, 5, 6)]),
        ["6.8 GOAWAY on a stream"] = (ProtocolError, [Frame(GoAwayType, 0, 1, new byte[8])]),
        ["6.8 invalid size"] = (FrameSizeError, [Frame(GoAwayType, 0, 0, new byte[7])]),
        ["6.8 GOAWAY"] = ("GOAWAY 0", [GoAway()]),
        ["6.9 no increment"] = (ProtocolError, [WindowUpdate(0, 0)]),
        ["6.9 no increment of a stream"] = (Malformed, [s_held, WindowUpdate(1, 0)]),
        ["6.9 invalid size"] = (FrameSizeError, [Frame(WindowUpdateType, 0, 0, 0, 0, 1)]),
        ["6.9.1 a window of one byte"] = ("DATA 1 1", [Settings((4, 1)), s_get]),
        ["6.9.1 too large a window"] = (FlowControlError, [WindowUpdate(0, int.MaxValue), WindowUpdate(0, int.MaxValue)]),
        ["6.9.1 too large a window of a stream"] = (
            "RST_STREAM 1 3", [s_held, WindowUpdate(1, int.MaxValue), WindowUpdate(1, int.MaxValue)]),
        ["6.9.2 a window changes"] = ("DATA 1 1", [Settings((4, 0)), s_get, Settings((4, 1))]),
        ["6.9.2 a window below zero"] = ("DATA 1 1", [Settings((4, 3)), s_get, Settings((4, 2)), WindowUpdate(1, 2)]),
        ["6.10 several CONTINUATION"] = (
            Answered,
            [s_begun, Frame(Continuation, 0, 1, Block("x: y")), Frame(Continuation, EndHeaders, 1, Block("y: z"))]),
        ["6.10 DATA within a block"] = (ProtocolError, [s_begun, Frame(Continuation, 0, 1), DataFrame(1, "test")]),
        ["6.10 CONTINUATION on stream 0"] = (ProtocolError, [s_begun, Frame(Continuation, EndHeaders, 0)]),
        ["6.10 CONTINUATION after HEADERS"] = (ProtocolError, [s_held, Frame(Continuation, EndHeaders, 1)]),
        ["6.10 CONTINUATION after the last"] = (
            ProtocolError, [s_begun, Frame(Continuation, EndHeaders, 1), Frame(Continuation, EndHeaders, 1)]),
        ["6.10 CONTINUATION after DATA"] = (ProtocolError, [Post(1), DataFrame(1, "test"), Frame(Continuation, EndHeaders, 1)]),

        // 7: codes that are unknown
        ["7 GOAWAY"] = ("GOAWAY 0", [GoAway(0xFF)]),
        ["7 RST_STREAM"] = (GoesOn, [s_held, RstStream(1, 0xFF)]),

        // 8: messages
        ["8.1 HEADERS that do not end"] = (Malformed, [Post(1), DataFrame(1, "test"), Headers(1, false, "x-test: ok")]),
        ["8.1 trailers"] = ("HEADERS 1 END", [Post(1), Headers(1, true, "x-test: ok")]),
        ["8.1.1 content-length of one frame"] = (Malformed, [Post(1, "content-length: 1"), DataFrame(1, "test", end: true)]),
        ["8.1.1 content-length of two frames"] = (
            Malformed, [Post(1, "content-length: 1"), DataFrame(1, "t"), DataFrame(1, "est", end: true)]),
        ["8.2.1 upper case"] = (Malformed, [Request(1, fields: "X-TEST: ok")]),
        ["8.2.2 connection"] = (Malformed, [Request(1, fields: "connection: keep-alive")]),
        ["8.2.2 te"] = (Malformed, [Request(1, fields: "te: trailers, deflate;q=0.5")]),
        ["8.2.2 te: trailers"] = (Answered, [Request(1, path: "/12345", fields: "te: trailers")]),
        ["8.3 unknown"] = (Malformed, [Request(1, fields: ":test: ok")]),
        ["8.3 of responses"] = (Malformed, [Headers(1, true, ":status: 200", ":method: GET", ":scheme: http", ":path: /")]),
        ["8.3 in trailers"] = (Malformed, [Post(1), Headers(1, true, ":method: 200")]),
        ["8.3 behind a field"] = (Malformed, [Headers(1, true, "x-test: ok", ":method: GET", ":scheme: http", ":path: /")]),
        ["8.3.1 empty :path"] = (Malformed, [Headers(1, true, ":method: GET", ":scheme: http", ":path: ", ":authority: a")]),
        ["8.3.1 no :method"] = (Malformed, [Headers(1, true, ":scheme: http", ":path: /", ":authority: a")]),
        ["8.3.1 no :scheme"] = (Malformed, [Headers(1, true, ":method: GET", ":path: /", ":authority: a")]),
        ["8.3.1 no :path"] = (Malformed, [Headers(1, true, ":method: GET", ":scheme: http", ":authority: a")]),
        ["8.3.1 two :method"] = (Malformed, [Headers(1, true, ":method: GET", ":scheme: http", ":path: /", ":method: GET")]),
        ["8.3.1 two :scheme"] = (Malformed, [Headers(1, true, ":method: GET", ":scheme: http", ":path: /", ":scheme: http")]),
        ["8.3.1 two :path"] = (Malformed, [Headers(1, true, ":method: GET", ":scheme: http", ":path: /", ":path: /")]),
        ["8.4 PUSH_PROMISE"] = (ProtocolError, [s_held, Frame(PushPromise, EndHeaders, 1, [0, 0, 0, 2, .. s_usual])]),

        // RFC 7541
        ["2.3.3 invalid index"] = (CompressionError, [With(0xC6)]),
        ["2.3.3 invalid index of a name"] = (CompressionError, [With(0x7F, 0x07, 1, (byte)'v')]),
        ["4.2 a size at the end"] = (CompressionError, [With(0x20)]),
        ["5.2 more than 7 bits of padding"] = (CompressionError, [With([.. s_name, 0x84, 0x49, 0x50, 0x9F, 0xFF])]),
        ["5.2 padding of zeros"] = (CompressionError, [With([.. s_name, 0x83, 0x49, 0x50, 0x90])]),
        ["5.2 EOS"] = (CompressionError, [With([.. s_name, 0x87, 0x49, 0x50, 0x9F, 0xFF, 0xFF, 0xFF, 0xD3])]),
        ["5.2 Huffman"] = (Answered, [With([.. s_name, 0x83, 0x49, 0x50, 0x9F])]),
        ["6.1 index 0"] = (CompressionError, [With(0x80)]),
        ["6.3 too large a size"] = (CompressionError, [Frame(HeadersType, Whole, 1, [0x3F, 0xE2, 0x1F, .. s_usual])]),
        ["6.3 two sizes"] = (Answered, [Frame(HeadersType, Whole, 1, [0x20, 0x3F, 0xE1, 0x1F, .. s_usual])]),
    };

    public static TheoryData<string> Cases => new(s_cases.Keys);

    private static byte[] With(params byte[] more) => Frame(HeadersType, Whole, 1, [.. s_usual, .. more]);

    private static byte[] Prioritized(uint dependency) =>
        Frame(HeadersType, PriorityFlag | Whole, 1, [.. UInt32(dependency), 255, .. s_usual]);

    [Theory, MemberData(nameof(Cases))]
    public void What_is_wrong_costs_what_the_RFC_says_and_what_is_rare_costs_nothing(string name)
    {
        var (outcome, frames) = s_cases[name];
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(
            exchange => exchange.Scope.Path == "/held" ? Apps.PathAfter(gate.Task)(exchange)
                : exchange.Scope.Method == "GET" ? Apps.Path(exchange)
                : Apps.EchoWhole(exchange),
            isHttp2: true);
        var peer = new Http2Peer(server);
        foreach (var frame in frames)
        {
            peer.Send(frame);
        }

        var told = peer.Told.LastOrDefault() ?? "";
        if (outcome.StartsWith("GOAWAY", StringComparison.Ordinal))
        {
            Assert.StartsWith("GOAWAY", told);
            Assert.EndsWith(outcome["GOAWAY".Length..], told);
            Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
        }
        else
        {
            // Of the rest the connection hears nothing.
            Assert.Equal(outcome, outcome == GoesOn ? GoesOn : told);
            peer.Send(Ping());
            Assert.Equal((GoesOn, ConnectionEnd.None), (peer.Told.Last(), peer.Client.End));
            Assert.DoesNotContain(peer.Told, line => outcome == GoesOn && line.StartsWith("RST", StringComparison.Ordinal));
        }

        SimulatedServer.OffLoop(gate.SetResult);
        server.AbortAll();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Settings_are_acknowledged()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Settings((4, 100)));
        Assert.Equal(2, peer.Frames.Count(frame => frame.ToString() == "SETTINGS ACK"));
    }

    [Fact]
    public void What_is_no_preface_ends_the_connection()
    {
        using var server = new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server, isOpen: false);
        peer.Send("INVALID CONNECTION PREFACE\r\n\r\n"u8.ToArray());
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
    }
}
