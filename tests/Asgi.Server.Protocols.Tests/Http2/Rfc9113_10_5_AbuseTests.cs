// RFC 9113, section 10.5: frames that are legal one by one, each kind at its limit and one past it, and what they count for.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_10_5_AbuseTests
{
    private const int Max = 5;

    private static readonly Http2Limits Limits = new()
    {
        AbuseWindowMilliseconds = 1000, StreamResetsMax = Max, StreamFaultsMax = Max, SettingsMax = Max, PingsMax = Max,
        EmptyDataFramesMax = Max, PrioritiesMax = Max, UnknownFramesMax = Max, TinyWindowUpdatesMax = Max, ContinuationsMax = Max,
        MaxRequestHeadersTotalSize = 1000, MaxRequestHeaderCount = 10, MaxRequestLineSize = 100,
    };

    private static readonly byte[] Usual = Block(":method: GET", ":scheme: http", ":path: /", ":authority: a");

    private static Http2Run Begin(Http2Limits? limits = null)
    {
        var run = new Http2Run(limits ?? Limits);
        run.Receive(Start, Post(1));
        return run;
    }

    private static bool HasFault(Http2Run run, string fault) => run.Last == $"Fault EnhanceYourCalm {fault}";

    /// <summary>The n-th frame of a kind; the SETTINGS of the preface are one already.</summary>
    private static byte[] Frame(string kind, int n) => kind switch
    {
        "reset" => [.. Get((uint)(2 * n + 3)), .. RstStream((uint)(2 * n + 3))],
        "reset of a closed stream" => RstStream(1),
        "malformed" => Headers((uint)(2 * n + 3), true, "X: y"),
        "data after a reset" => n == 1 ? [.. RstStream(1), .. DataFrame(1, "a")] : DataFrame(1, "a"),
        "content-length" => [.. Post((uint)(2 * n + 3), "content-length: 1"), .. DataFrame((uint)(2 * n + 3), "ab")],
        "window error" => [.. Get((uint)(2 * n + 3)), .. WindowUpdate((uint)(2 * n + 3), int.MaxValue)],
        "settings" => Settings(),
        "settings ack" => SettingsAck(),
        "ping" => Ping(),
        "ping ack" => Ping(Ack),
        "empty data" => DataFrame(1, ""),
        "padding" => PaddedData(1, "", 3),
        "priority" => Priority((uint)n),
        "unknown" => Http2Bytes.Frame(0x77, 0, 0, 1, 2, 3),
        "goaway" => GoAway(),
        "tiny update" => WindowUpdate(0, 255),
        "tiny update of a stream" => WindowUpdate(1, 1),
        _ => throw new ArgumentException(kind),
    };

    public static TheoryData<string, string, int> Kinds => new()
    {
        { "reset", "TooManyResets", 0 },
        { "reset of a closed stream", "TooManyResets", 0 },
        { "malformed", "TooManyResets", 0 },
        { "data after a reset", "TooManyResets", 1 },
        { "window error", "TooManyStreamFaults", 0 },
        { "content-length", "TooManyStreamFaults", 0 },
        { "settings", "TooManySettings", 1 },
        { "settings ack", "TooManySettings", 1 },
        { "ping", "TooManyPings", 0 },
        { "ping ack", "TooManyPings", 0 },
        { "empty data", "TooManyEmptyDataFrames", 0 },
        { "padding", "TooManyEmptyDataFrames", 0 },
        { "priority", "TooManyPriorities", 0 },
        { "unknown", "TooManyUnknownFrames", 0 },
        { "goaway", "TooManyUnknownFrames", 0 },
        { "tiny update", "TooManyTinyWindowUpdates", 0 },
        { "tiny update of a stream", "TooManyTinyWindowUpdates", 0 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void As_many_as_the_limit_in_a_span_of_time_and_not_one_more(string kind, string fault, int before)
    {
        Http2Run run = Begin();
        int n = 1;
        for (; n <= Max - before; n++)
            run.Receive(Frame(kind, n));
        Assert.Null(run.Machine.Fault?.Code == Http2ErrorCode.EnhanceYourCalm ? run.Last : null);

        // The span begins with the connection: one millisecond before its end the count stands, and with the end it is gone.
        Http2Run later = Begin();
        for (n = 1; n <= Max - before; n++)
            later.Receive(Frame(kind, n));
        run.Now = 999;
        run.Receive(Frame(kind, n));
        Assert.True(HasFault(run, fault), $"{kind}: {run.Last}");

        later.Now = 1000;
        for (; n <= 2 * Max - before; n++)
            later.Receive(Frame(kind, n));
        Assert.DoesNotContain(later.Events, line => line.StartsWith("Fault", StringComparison.Ordinal));
        later.Receive(Frame(kind, n));
        Assert.True(HasFault(later, fault), $"{kind}: {later.Last}");
    }

    [Fact]
    public void Streams_that_are_refused_count_as_resets()
    {
        Http2Run run = Begin(Limits with { MaxStreamsPerConnection = 1 });
        for (uint i = 0; i < Max; i++)
            run.Receive(Get(3 + 2 * i));
        Assert.Equal("StreamFault 11 RefusedStream StreamRefused", run.Last);
        run.Receive(Get(13));
        Assert.True(HasFault(run, "TooManyResets"));
    }

    [Fact]
    public void Streams_opened_after_goaway_count_as_resets()
    {
        Http2Run run = Begin();
        run.Machine.FinishGoAway();
        for (uint i = 0; i < Max; i++)
            run.Receive(Get(3 + 2 * i));
        Assert.DoesNotContain(run.Events, line => line.StartsWith("Fault", StringComparison.Ordinal));
        run.Receive(Get(13));
        Assert.True(HasFault(run, "TooManyResets"));
    }

    [Fact]
    public void Blocks_of_closed_streams_count_as_frames_that_change_nothing()
    {
        Http2Run run = Begin();
        run.Machine.SentReset(run[1]);
        for (int i = 0; i < Max; i++)
            run.Receive(Headers(1, false, "t: u"));
        // Its end may have been on its way.
        run.Receive(Headers(1, true, "t: u"));
        Assert.DoesNotContain(run.Events, line => line.StartsWith("Fault", StringComparison.Ordinal));
        run.Receive(Headers(1, true, "t: u"));
        Assert.True(HasFault(run, "TooManyUnknownFrames"));
    }

    [Fact]
    public void Empty_data_of_closed_streams_counts_whether_it_ends_them_or_not()
    {
        Http2Run run = Begin();
        run.Machine.SentReset(run[1]);
        // The first may have been on its way.
        for (int i = 0; i < Max + 1; i++)
            run.Receive(DataFrame(1, "", end: true));
        Assert.DoesNotContain(run.Events, line => line.StartsWith("Fault", StringComparison.Ordinal));
        run.Receive(DataFrame(1, "", end: true));
        Assert.True(HasFault(run, "TooManyEmptyDataFrames"));
    }

    [Fact]
    public void The_end_of_each_stream_that_we_reset_may_be_on_its_way()
    {
        Http2Run run = Begin();
        for (uint id = 3; id < 200; id += 2)
        {
            run.Machine.SentReset(run.Open(id));
            run.Receive(DataFrame(id, "", end: true));
        }
        Assert.Equal("Request 199 GET /| http [host: a]", run.Last);
    }

    [Fact]
    public void Each_response_that_is_complete_forgives_a_reset()
    {
        Http2Run run = Begin();
        for (uint id = 3; id < 400; id += 4)
        {
            run.Machine.SentHeaders(run.Open(id, end: true), endStream: true);
            run.Release(run[(int)id]);
            run.Receive(Get(id + 2), RstStream(id + 2));
            run.Release(run[(int)id + 2]);
        }
        Assert.Equal("StreamReset 401 Cancel", run.Last);

        // Of a stream that is over, too: some clients end each like that.
        for (int i = 1; i < Max; i++)
            run.Receive(RstStream(3, 0));
        Assert.DoesNotContain(run.Events, line => line.StartsWith("Fault", StringComparison.Ordinal));
        run.Receive(RstStream(3, 0));
        Assert.True(HasFault(run, "TooManyResets"));
    }

    [Fact]
    public void Content_is_never_too_many_frames()
    {
        Http2Run run = Begin();
        for (int i = 0; i < 100; i++)
            run.Receive(DataFrame(1, "a"));
        Assert.Equal("Content 1 100 bytes", run.Last);
    }

    [Fact]
    public void Large_window_updates_are_not_counted()
    {
        Http2Run run = Begin();
        for (int i = 0; i < 100; i++)
            run.Receive(WindowUpdate(0, 256), WindowUpdate(1, 256));
        Assert.Equal("WindowUpdate 1", run.Last);
    }

    [Fact]
    public void Each_data_frame_forgives_a_ping_and_two_tiny_window_updates()
    {
        Http2Run run = Begin();
        for (int i = 0; i < 1000; i++)
        {
            run.Machine.SentData(run[1], 13, endStream: false);
            run.Receive(Ping(), WindowUpdate(0, 13), WindowUpdate(1, 13));
        }
        Assert.Equal("WindowUpdate 1", run.Last);
        for (int i = 0; i < Max - 1; i++)
            run.Receive(Ping());
        Assert.Equal("Ping 102030405060708", run.Last);
        run.Receive(Ping());
        Assert.True(HasFault(run, "TooManyPings"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    public void Content_in_crumbs_forgives_nothing(int window)
    {
        Http2Run run = Begin();
        run.Receive(Settings((4, 0)));
        int crumbs = 0;
        for (; crumbs < 100 && run.Machine.GetSendable(run[1]) is var sendable && (sendable > 0 || crumbs == 0); crumbs++)
        {
            if (sendable > 0)
                run.Machine.SentData(run[1], sendable, endStream: false);
            run.Receive(WindowUpdate(1, (uint)window));
            if (run.Last.StartsWith("Fault", StringComparison.Ordinal))
                break;
        }
        Assert.Equal(Max, crumbs);
        Assert.True(HasFault(run, "TooManyTinyWindowUpdates"));
    }

    [Fact]
    public void A_block_has_a_limited_number_of_fragments()
    {
        byte[] first = Http2Bytes.Frame(HeadersType, EndStream, 3, Usual);
        byte[] more = Http2Bytes.Frame(Continuation, 0, 3);
        Http2Run run = Begin();
        run.Receive(first, Repeat(more, Max - 1), Http2Bytes.Frame(Continuation, EndHeaders, 3));
        Assert.Equal("Request 3 GET /| http [host: a] end", run.Last);

        run = Begin();
        run.Receive(first, Repeat(more, Max));
        Assert.False(HasFault(run, "TooManyContinuations"));
        run.Receive(Http2Bytes.Frame(Continuation, EndHeaders, 3));
        Assert.True(HasFault(run, "TooManyContinuations"));
    }

    [Fact]
    public void Larger_limits_allow_the_fragments_they_need()
    {
        var limits = new Http2Limits { MaxRequestHeadersTotalSize = 400_000, MaxRequestHeaderFieldSize = 400_000 };
        byte[] block = [.. Usual, .. Block($"x: {new string('y', 390_000)}")];
        byte[][] fragments = [.. block.Chunk(16_384)];
        Http2Run run = Begin(limits);
        run.Receive(Http2Bytes.Frame(HeadersType, EndStream, 3, fragments[0]));
        for (int i = 1; i < fragments.Length; i++)
            run.Receive(Http2Bytes.Frame(Continuation, i == fragments.Length - 1 ? EndHeaders : 0, 3, fragments[i]));
        Assert.StartsWith("Request 3 GET /| http [host: a|x: yyy", run.Last, StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_is_not_gathered_beyond_its_limit()
    {
        byte[] first = Http2Bytes.Frame(HeadersType, EndStream, 3, new byte[1500]);
        Http2Run run = Begin();
        run.Receive(first, Http2Bytes.Frame(Continuation, 0, 3, new byte[500]));
        Assert.Equal("Request 1 POST /| http [host: a]", run.Last);
        run.Receive(Http2Bytes.Frame(Continuation, 0, 3, 0));
        Assert.True(HasFault(run, "HeaderBlockTooLarge"));

        // The frame header alone tells.
        run = Begin();
        run.Receive(Http2Bytes.Frame(HeadersType, EndStream | EndHeaders, 3, new byte[2001])[..9]);
        Assert.True(HasFault(run, "HeaderBlockTooLarge"));
    }

    // :method, :scheme, :path and :authority of Request are 7+3+7+4+5+1+10+1 = 38 bytes, and 32 for each: 166.
    private const int Rest = 1000 - 166;

    [Theory]
    [InlineData(Rest, null)]
    [InlineData(Rest + 1, "431 FieldSectionTooLarge")]
    [InlineData(Rest + 1000, "431 FieldSectionTooLarge")]
    [InlineData(Rest + 1001, "Fault EnhanceYourCalm HeaderBlockTooLarge")]
    public void A_section_that_is_too_large_is_answered_and_one_of_twice_the_size_is_not(int size, string? outcome)
    {
        // Of this size by the measure of 6.5.2: name, value and 32.
        string told = Assert.Single(Http2Run.Of(Limits, Request(1, fields: $"x: {new string('y', size - 33)}")));
        if (outcome is null)
            Assert.StartsWith("Request 1 GET /| http [host: a|x: yyy", told, StringComparison.Ordinal);
        else
            Assert.Equal(outcome[0] == 'F' ? outcome : $"Request 1 GET /| http [host: a] {outcome} end", told);
    }

    [Theory]
    [InlineData(10, null)]
    [InlineData(11, "431 TooManyFieldLines")]
    [InlineData(20, "431 TooManyFieldLines")]
    [InlineData(21, "Fault EnhanceYourCalm HeaderBlockTooLarge")]
    public void A_section_of_too_many_lines_is_answered_and_one_of_twice_as_many_is_not(int count, string? outcome)
    {
        string told = Assert.Single(Http2Run.Of(Limits, Request(1, fields: [.. Enumerable.Range(0, count).Select(i => $"x{i}: ")])));
        if (outcome is ['F', ..])
            Assert.Equal(outcome, told);
        else
            Assert.EndsWith(outcome is null ? "|x9: ] end" : $"|x9: ] {outcome} end", told, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_or_a_value_has_a_limit_of_its_own()
    {
        Http2Limits limits = Limits with { MaxRequestHeaderFieldSize = 20 };
        string Told(string field) => Assert.Single(Http2Run.Of(limits, Request(1, fields: field)));

        Assert.DoesNotContain("431", Told($"{new string('n', 20)}: {new string('v', 20)}"), StringComparison.Ordinal);
        Assert.Contains("431 FieldSectionTooLarge", Told($"{new string('n', 21)}: v"), StringComparison.Ordinal);
        Assert.Contains("431 FieldSectionTooLarge", Told($"n: {new string('v', 21)}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(85, false)]
    [InlineData(86, true)]
    public void Method_and_target_have_the_limit_of_a_request_line(int length, bool isTooLong)
    {
        // 3 of GET, and the 12 around them.
        string told = Assert.Single(Http2Run.Of(Limits, Request(1, path: "/" + new string('p', length - 1))));
        Assert.Equal(isTooLong, told.Contains("414 RequestLineTooLong", StringComparison.Ordinal));
        Assert.StartsWith("Request 1 GET /ppp", told, StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_makes_the_section_too_large_is_a_target_that_is_too_long() => Assert.Contains(
        "414 RequestLineTooLong",
        Assert.Single(Http2Run.Of(Limits, Request(1, path: "/" + new string('p', 1500)))),
        StringComparison.Ordinal);

    [Fact]
    public void A_request_that_is_malformed_besides_is_not_answered() => Assert.Equal(
        ["StreamFault 1 ProtocolError InvalidPath"],
        Http2Run.Of(Limits, Request(1, path: "x", fields: [.. Enumerable.Range(0, 11).Select(i => $"x{i}: ")])));

    [Fact]
    public void The_connection_goes_on_after_a_section_that_was_too_large()
    {
        byte[] large = Http2Bytes.Frame(HeadersType, EndHeaders | EndStream, 1,
            [.. Usual, .. Block($"x: {new string('y', 900)}"), 0x40, 1, (byte)'k', 1, (byte)'v']);
        byte[] next = Http2Bytes.Frame(HeadersType, EndHeaders | EndStream, 3,
            [.. Usual, 0xBE]);
        Assert.Equal("Request 3 GET /| http [host: a|k: v] end", Http2Run.Of(Limits, large, next)[^1]);
    }

    [Fact]
    public void A_bomb_of_repeated_indexes_ends_the_connection()
    {
        // One field of 101 bytes in the table, named again and again by one byte each.
        byte[] value = [.. Enumerable.Repeat((byte)'v', 100)];
        byte[] literal = [0x40, 1, (byte)'x', 100, .. value];
        byte[] Bomb(int count) => Http2Bytes.Frame(HeadersType, EndHeaders | EndStream, 1,
            [.. Usual, .. literal, .. Enumerable.Repeat((byte)0xBE, count)]);

        // 166 and 133 for each: the seventh is beyond 1000, the fourteenth beyond 2000.
        Assert.DoesNotContain("431", Http2Run.Of(Limits, Bomb(5))[0], StringComparison.Ordinal);
        Assert.Contains("431", Http2Run.Of(Limits, Bomb(6))[0], StringComparison.Ordinal);
        Assert.Contains("431", Http2Run.Of(Limits, Bomb(12))[0], StringComparison.Ordinal);
        Assert.Equal("Fault EnhanceYourCalm HeaderBlockTooLarge", Http2Run.Of(Limits, Bomb(13))[0]);
        Assert.Equal("Fault EnhanceYourCalm HeaderBlockTooLarge", Http2Run.Of(Limits with { MaxStreamsPerConnection = 0 }, Bomb(13))[0]);
    }

    [Fact]
    public void Trailers_have_the_same_limits()
    {
        string Told(params string[] trailers)
        {
            Http2Run run = Begin();
            run.Receive(Headers(1, true, trailers));
            return run.Last;
        }

        Assert.StartsWith("Trailers 1", Told($"x: {new string('y', 967)}"), StringComparison.Ordinal);
        Assert.Equal("StreamFault 1 EnhanceYourCalm TrailersTooLarge", Told($"x: {new string('y', 968)}"));
        Assert.Equal("Fault EnhanceYourCalm HeaderBlockTooLarge", Told($"x: {new string('y', 1968)}"));
        Assert.StartsWith("Trailers 1", Told([.. Enumerable.Repeat("x: ", 10)]), StringComparison.Ordinal);
        Assert.Equal("StreamFault 1 EnhanceYourCalm TrailersTooLarge", Told([.. Enumerable.Repeat("x: ", 11)]));
    }
}
