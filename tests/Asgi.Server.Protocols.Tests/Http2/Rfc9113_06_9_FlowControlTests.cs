// RFC 9113, sections 5.2 and 6.9: windows both ways, at their limits and one past them.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_06_9_FlowControlTests
{
    private const ushort InitialWindowSize = 4;

    private static readonly Http2Limits Small = new()
    {
        InitialStreamWindowSize = 70_000, InitialConnectionWindowSize = 100_000, MaxFrameSize = 100_000,
    };

    // What we send

    [Fact]
    public void Both_windows_begin_at_65535_and_shrink_by_what_is_sent()
    {
        var run = new Http2Run();
        run.Receive(Start);
        Http2StreamState stream = run.Open(1);
        Http2StreamState other = run.Open(3);
        Assert.Equal((65_535, 65_535), (stream.SendWindow, run.Machine.ConnectionSendWindow));
        Assert.Equal(16_384, run.Machine.GetSendable(stream));

        for (int i = 0; i < 3; i++)
            run.Machine.SentData(stream, 16_384, endStream: false);
        Assert.Equal(16_383, run.Machine.GetSendable(stream));
        run.Machine.SentData(stream, 16_383, endStream: false);
        Assert.Equal((0, 0), (run.Machine.GetSendable(stream), run.Machine.GetSendable(other)));
        Assert.Equal((0, 65_535, 0), (stream.SendWindow, other.SendWindow, run.Machine.ConnectionSendWindow));

        Assert.Throws<InvalidOperationException>(() => run.Machine.SentData(stream, 1, endStream: false));
        Assert.Throws<InvalidOperationException>(() => run.Machine.SentData(other, 1, endStream: false));
        run.Machine.SentData(stream, 0, endStream: true);
        Assert.Equal(0, run.Machine.GetSendable(stream));

        run.Receive(WindowUpdate(0, 10));
        Assert.Equal("WindowUpdate 0", run.Last);
        Assert.Equal(10, run.Machine.GetSendable(other));
    }

    [Fact]
    public void A_frame_is_no_larger_than_the_peer_takes()
    {
        var run = new Http2Run();
        run.Receive(Start, Settings((5, 20_000)));
        Assert.Equal(20_000, run.Machine.GetSendable(run.Open(1)));
    }

    [Fact]
    public void A_window_may_grow_to_2_31_1_and_not_beyond()
    {
        var run = Http2Run.Play(run =>
        {
            run.Receive(Post(1), WindowUpdate(1, int.MaxValue - 65_535), WindowUpdate(0, int.MaxValue - 65_535));
            Assert.Equal((int.MaxValue, int.MaxValue), (run[1].SendWindow, run.Machine.ConnectionSendWindow));
            run.Receive(WindowUpdate(1, 1));
            Assert.Equal("StreamFault 1 FlowControlError WindowTooLarge", run.Last);
            run.Receive(WindowUpdate(0, 1));
        });
        Assert.Equal("Fault FlowControlError WindowTooLarge", run.Last);
    }

    [Fact]
    public void An_increment_of_0_is_an_error_of_the_stream_or_the_connection()
    {
        Assert.Equal("StreamFault 1 ProtocolError EmptyWindowUpdate", Http2Run.Of(Post(1), WindowUpdate(1, 0))[^1]);
        Assert.Equal("StreamFault 1 ProtocolError EmptyWindowUpdate", Http2Run.Of(Post(1), WindowUpdate(1, 0x8000_0000))[^1]);
        Assert.Equal("Fault ProtocolError EmptyWindowUpdate", Http2Run.Of(WindowUpdate(0, 0))[^1]);
        Assert.Equal("Fault ProtocolError EmptyWindowUpdate", Http2Run.Of(WindowUpdate(0, 0x8000_0000))[^1]);
    }

    [Fact]
    public void The_reserved_bit_of_an_increment_is_ignored()
    {
        var run = new Http2Run();
        run.Receive(Start, WindowUpdate(0, 0x8000_0005));
        Assert.Equal(65_540, run.Machine.ConnectionSendWindow);
    }

    [Fact]
    public void A_change_of_the_initial_size_moves_the_windows_of_all_streams_and_not_of_the_connection()
    {
        var run = new Http2Run();
        run.Receive(Start);
        Http2StreamState first = run.Open(1);
        Http2StreamState second = run.Open(3, end: true);
        run.Machine.SentData(first, 16_000, endStream: false);

        run.Receive(Settings((InitialWindowSize, 20_000)));
        Assert.Equal((4_000, 20_000, 49_535), (first.SendWindow, second.SendWindow, run.Machine.ConnectionSendWindow));
        Assert.Equal(20_000, run.Open(5).SendWindow);
    }

    [Fact]
    public void A_window_may_become_negative_and_sends_again_when_it_is_above_zero()
    {
        var run = new Http2Run();
        run.Receive(Start);
        Http2StreamState stream = run.Open(1);
        run.Machine.SentData(stream, 16_000, endStream: false);

        run.Receive(Settings((InitialWindowSize, 0)));
        Assert.Equal((-16_000, 0), (stream.SendWindow, run.Machine.GetSendable(stream)));
        Assert.Throws<InvalidOperationException>(() => run.Machine.SentData(stream, 1, endStream: false));
        run.Receive(WindowUpdate(1, 16_000));
        Assert.Equal((0, 0), (stream.SendWindow, run.Machine.GetSendable(stream)));
        run.Receive(WindowUpdate(1, 1));
        Assert.Equal(1, run.Machine.GetSendable(stream));
        // Only what carries content needs a window.
        run.Receive(Settings((InitialWindowSize, 0), (InitialWindowSize, 0)));
        run.Machine.SentData(stream, 0, endStream: true);
    }

    [Fact]
    public void A_negative_window_lets_an_empty_frame_end_the_stream()
    {
        var run = new Http2Run();
        run.Receive(Start);
        Http2StreamState stream = run.Open(1, end: true);
        run.Machine.SentData(stream, 16_000, endStream: false);
        run.Receive(Settings((InitialWindowSize, 100)));
        Assert.True(stream.SendWindow < 0);
        run.Machine.SentData(stream, 0, endStream: true);
        Assert.Equal(Http2StreamPhase.Closed, stream.Phase);
    }

    [Fact]
    public void A_change_that_takes_a_window_beyond_2_31_1_ends_the_connection()
    {
        byte[] almost = WindowUpdate(1, int.MaxValue - 65_535 - 10);
        Assert.Equal("Settings", Http2Run.Of(Post(1), almost, Settings((InitialWindowSize, 65_545)))[^1]);
        Assert.Equal("Fault FlowControlError WindowTooLarge", Http2Run.Of(Post(1), almost, Settings((InitialWindowSize, 65_546)))[^1]);
    }

    [Fact]
    public void A_stream_that_is_closed_has_no_window_to_move() => Assert.Equal(
        "Settings",
        Http2Run.Of(Post(1), WindowUpdate(1, int.MaxValue - 65_535), RstStream(1), Settings((InitialWindowSize, 65_536)))[^1]);

    // What we receive

    [Fact]
    public void A_stream_may_send_its_window_and_not_one_byte_more()
    {
        var run = Http2Run.Play(run => run.Receive(Post(1), DataFrame(1, 70_000)), Small);
        Assert.Equal("Content 1 70000 bytes", run.Last);

        run = Http2Run.Play(
            run =>
            {
                run.Receive(Post(1), DataFrame(1, 70_001), Get(3));
                Assert.Equal(100_000, run.Machine.ConnectionReceiveWindow + run.Machine.ConnectionCredit);
            },
            Small);
        Assert.Equal(
            ["Request 1 POST /| http [host: a]", "StreamFault 1 FlowControlError WindowExceeded", "Request 3 GET /| http [host: a] end"],
            run.Events.Skip(1));
    }

    [Fact]
    public void The_connection_may_send_its_window_and_not_one_byte_more()
    {
        byte[][] most = [Post(1), Post(3), DataFrame(1, 60_000), DataFrame(3, 40_000)];
        var run = Http2Run.Play(run => run.Receive(most), Small);
        Assert.Equal(0, run.Machine.ConnectionReceiveWindow);
        run = Http2Run.Play(run => run.Receive([.. most, DataFrame(3, 1)]), Small);
        Assert.Equal("Fault FlowControlError WindowExceeded", run.Last);
    }

    [Fact]
    public void Windows_are_never_smaller_than_what_every_client_may_assume()
    {
        // Until SETTINGS are acknowledged a stream may send 65535; a connection may always.
        var limits = new Http2Limits { InitialStreamWindowSize = 10, InitialConnectionWindowSize = 10, MaxFrameSize = 100_000 };
        var run = Http2Run.Play(run => run.Receive(Post(1), DataFrame(1, 65_535)), limits);
        Assert.Equal("Content 1 65535 bytes", run.Last);

        run = Http2Run.Play(run => run.Receive(SettingsAck(), Post(1), DataFrame(1, 10), DataFrame(1, 1)), limits);
        Assert.Equal("StreamFault 1 FlowControlError WindowExceeded", run.Last);
    }

    [Fact]
    public void What_is_consumed_is_given_back_at_half_a_window()
    {
        var run = new Http2Run(Small);
        run.Receive(Start, Post(1), DataFrame(1, 60_000));
        Http2StreamState stream = run[1];
        Assert.Equal(60_000, stream.UnconsumedBytes);

        Assert.Equal((0, 0), run.Machine.Consumed(stream, 34_999));
        Assert.Equal((35_000, 0), run.Machine.Consumed(stream, 1));
        Assert.Equal((0, 0), run.Machine.Consumed(stream, 14_999));
        Assert.Equal((0, 50_000), run.Machine.Consumed(stream, 1));
        Assert.Equal(0, run.Machine.TakeConnectionIncrement());
        Assert.Equal(90_000, run.Machine.ConnectionReceiveWindow);

        run.Receive(DataFrame(1, 45_000));
        Assert.StartsWith("Content 1", run.Last, StringComparison.Ordinal);
        run.Receive(DataFrame(1, 1));
        Assert.Equal("StreamFault 1 FlowControlError WindowExceeded", run.Last);
    }

    [Fact]
    public void No_more_is_consumed_than_came()
    {
        var run = new Http2Run();
        run.Receive(Start, Post(1), DataFrame(1, "abc"));
        Assert.Throws<ArgumentOutOfRangeException>(() => run.Machine.Consumed(run[1], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => run.Machine.Consumed(run[1], -1));
        run.Machine.Consumed(run[1], 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => run.Machine.Consumed(run[1], 1));
    }

    [Fact]
    public void A_stream_that_has_ended_is_given_nothing_back()
    {
        var run = new Http2Run(Small);
        run.Receive(Start, Post(1), DataFrame(1, 70_000, end: true));
        Assert.Equal((0, 70_000), run.Machine.Consumed(run[1], 70_000));
    }

    [Fact]
    public void Padding_counts_and_is_consumed_by_having_come()
    {
        var run = new Http2Run(Small);
        run.Receive(Start, Post(1), PaddedData(1, "abc", 255));
        Assert.Equal((99_741, 256, 3), (run.Machine.ConnectionReceiveWindow, run.Machine.ConnectionCredit, run[1].UnconsumedBytes));

        // 298 frames of 256 bytes: more than the window of the stream, were it not given back.
        int given = 0;
        for (int i = 0; i < 99; i++)
        {
            run.Receive(PaddedData(1, "a", 255), PaddedData(1, "a", 255), PaddedData(1, "a", 255));
            given += run.Machine.Consumed(run[1], 3).StreamIncrement;
        }
        Assert.StartsWith("Content 1", run.Last, StringComparison.Ordinal);
        Assert.Equal(2, given / 35_000);
    }

    [Fact]
    public void Content_that_nobody_consumed_is_given_back_when_the_stream_is_released()
    {
        var run = new Http2Run(Small);
        run.Receive(Start, Post(1), DataFrame(1, 60_000), RstStream(1));
        Assert.Equal(0, run.Machine.TakeConnectionIncrement());
        run.Machine.Release(run[1]);
        Assert.Equal(60_000, run.Machine.TakeConnectionIncrement());
        Assert.Equal(100_000, run.Machine.ConnectionReceiveWindow);
    }

    [Fact]
    public void Data_of_a_stream_that_we_reset_counts_for_the_connection_and_is_given_back()
    {
        var run = Http2Run.Play(
            run =>
            {
                run.Receive(Post(1), DataFrame(1, 10_000));
                run.Machine.SentReset(run[1]);
                run.Machine.Release(run[1]);
                run.Receive(DataFrame(1, 60_000));
            },
            Small);
        Assert.Equal(70_000, run.Machine.TakeConnectionIncrement());
        Assert.Equal(100_000, run.Machine.ConnectionReceiveWindow);

        // The window of the stream is used up: a client that had not heard of the reset could send no more.
        run.Receive(DataFrame(1, 1));
        Assert.Equal("Fault FlowControlError WindowExceeded", run.Last);
    }

    [Fact]
    public void Data_of_a_refused_stream_is_given_back_as_far_as_its_window_went()
    {
        Http2Limits limits = Small with { MaxStreamsPerConnection = 1 };
        var run = new Http2Run(limits);
        run.Receive(Start, Get(1), Post(3), DataFrame(3, 70_000));
        Assert.Equal(70_000, run.Machine.TakeConnectionIncrement());
        run.Receive(DataFrame(3, 1));
        Assert.Equal("Fault FlowControlError WindowExceeded", run.Last);
    }

    [Fact]
    public void The_rest_of_a_frame_whose_stream_is_reset_is_given_back()
    {
        var run = new Http2Run(Small);
        byte[] frame = DataFrame(1, 60_000);
        run.Receive(Start, Post(1), frame[..10_009]);
        run.Machine.Consumed(run[1], 10_000);
        run.Machine.SentReset(run[1]);
        Assert.Equal(60_000, run.Machine.TakeConnectionIncrement());
        run.Receive(frame[10_009..]);
        Assert.Equal((100_000, 0), (run.Machine.ConnectionReceiveWindow, run.Machine.ConnectionCredit));
    }
}
