// RFC 9113, section 5.1: every state of a stream with every frame that can come, and with everything that is sent.

using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public sealed class Rfc9113_05_1_StreamStateTests
{
    private const string Nothing = "";
    private const string Idle = "Fault ProtocolError IdleStream";
    private const string StreamClosed = "StreamFault 3 StreamClosed StreamClosed";
    private const string ConnectionClosed = "Fault StreamClosed StreamClosed";

    /// <summary>Brings stream 3 into a state; "Gone" is one that was closed and released.</summary>
    private static void Bring(Http2Run run, string state)
    {
        // A stream above and one below, so that neither the highest id nor a gap decides anything.
        run.Receive(Get(1));
        if (state == "Idle")
            return;
        Http2StreamState stream = run.Open(3);
        run.Receive(Get(5));
        switch (state)
        {
            case "Open":
                break;
            case "HalfClosedLocal":
                run.Machine.SentHeaders(stream, endStream: true);
                break;
            case "HalfClosedRemote":
                run.Receive(DataFrame(3, 0, end: true));
                break;
            case "Closed" or "ClosedGone":
                run.Machine.SentHeaders(stream, endStream: true);
                run.Receive(DataFrame(3, 0, end: true));
                break;
            case "ResetByUs" or "ResetByUsGone":
                run.Machine.SentReset(stream);
                break;
            case "ResetByPeer" or "ResetByPeerGone":
                run.Receive(RstStream(3));
                break;
        }
        if (state.EndsWith("Gone", StringComparison.Ordinal))
            run.Machine.Release(stream);
        else
            Assert.Equal(Enum.Parse<Http2StreamPhase>(state), stream.Phase);
    }

    [Theory]
    // Trailers are what HEADERS are on a stream that is open.
    [InlineData("Idle", "HEADERS", "Request 3 GET /| http [host: a] end")]
    [InlineData("Idle", "DATA", Idle)]
    [InlineData("Idle", "RST_STREAM", Idle)]
    [InlineData("Idle", "WINDOW_UPDATE", Idle)]
    [InlineData("Idle", "PRIORITY", Nothing)]
    [InlineData("Open", "HEADERS", "Trailers 3 [t: u] end")]
    [InlineData("Open", "DATA", "Content 3 'd'")]
    [InlineData("Open", "RST_STREAM", "StreamReset 3 Cancel")]
    [InlineData("Open", "WINDOW_UPDATE", "WindowUpdate 3")]
    [InlineData("Open", "PRIORITY", Nothing)]
    [InlineData("HalfClosedLocal", "HEADERS", "Trailers 3 [t: u] end")]
    [InlineData("HalfClosedLocal", "DATA", "Content 3 'd'")]
    [InlineData("HalfClosedLocal", "RST_STREAM", "StreamReset 3 Cancel")]
    [InlineData("HalfClosedLocal", "WINDOW_UPDATE", Nothing)]
    [InlineData("HalfClosedLocal", "PRIORITY", Nothing)]
    [InlineData("HalfClosedRemote", "HEADERS", StreamClosed)]
    [InlineData("HalfClosedRemote", "DATA", StreamClosed)]
    [InlineData("HalfClosedRemote", "RST_STREAM", "StreamReset 3 Cancel")]
    [InlineData("HalfClosedRemote", "WINDOW_UPDATE", "WindowUpdate 3")]
    [InlineData("HalfClosedRemote", "PRIORITY", Nothing)]
    [InlineData("Closed", "HEADERS", ConnectionClosed)]
    [InlineData("Closed", "DATA", ConnectionClosed)]
    [InlineData("Closed", "RST_STREAM", Nothing)]
    [InlineData("Closed", "WINDOW_UPDATE", Nothing)]
    [InlineData("Closed", "PRIORITY", Nothing)]
    [InlineData("ClosedGone", "HEADERS", ConnectionClosed)]
    [InlineData("ClosedGone", "DATA", ConnectionClosed)]
    [InlineData("ClosedGone", "RST_STREAM", Nothing)]
    [InlineData("ClosedGone", "WINDOW_UPDATE", Nothing)]
    [InlineData("ClosedGone", "PRIORITY", Nothing)]
    [InlineData("ResetByUs", "HEADERS", Nothing)]
    [InlineData("ResetByUs", "DATA", Nothing)]
    [InlineData("ResetByUs", "RST_STREAM", Nothing)]
    [InlineData("ResetByUs", "WINDOW_UPDATE", Nothing)]
    [InlineData("ResetByUs", "PRIORITY", Nothing)]
    [InlineData("ResetByUsGone", "HEADERS", Nothing)]
    [InlineData("ResetByUsGone", "DATA", Nothing)]
    [InlineData("ResetByUsGone", "RST_STREAM", Nothing)]
    [InlineData("ResetByUsGone", "WINDOW_UPDATE", Nothing)]
    [InlineData("ResetByUsGone", "PRIORITY", Nothing)]
    [InlineData("ResetByPeer", "HEADERS", StreamClosed)]
    [InlineData("ResetByPeer", "DATA", StreamClosed)]
    [InlineData("ResetByPeer", "RST_STREAM", Nothing)]
    [InlineData("ResetByPeer", "WINDOW_UPDATE", Nothing)]
    [InlineData("ResetByPeer", "PRIORITY", Nothing)]
    [InlineData("ResetByPeerGone", "HEADERS", StreamClosed)]
    [InlineData("ResetByPeerGone", "DATA", StreamClosed)]
    [InlineData("ResetByPeerGone", "RST_STREAM", Nothing)]
    [InlineData("ResetByPeerGone", "WINDOW_UPDATE", Nothing)]
    [InlineData("ResetByPeerGone", "PRIORITY", Nothing)]
    public void Each_frame_in_each_state(string state, string frame, string expected)
    {
        int before = 0;
        var run = Http2Run.Play(run =>
        {
            Bring(run, state);
            before = run.Events.Count;
            run.Receive(frame switch
            {
                "HEADERS" => state == "Idle" ? Get(3) : Headers(3, true, "t: u"),
                "DATA" => DataFrame(3, "d"),
                "RST_STREAM" => RstStream(3),
                "WINDOW_UPDATE" => WindowUpdate(3, 1),
                _ => Priority(3),
            });
        });
        Assert.Equal(expected.Length > 0 ? [expected] : [], run.Events.Skip(before));

        // What is no fault of the connection leaves it as it was.
        if (!expected.StartsWith("Fault", StringComparison.Ordinal))
        {
            run.Receive(Get(7));
            Assert.Equal("Request 7 GET /| http [host: a] end", run.Last);
        }
    }

    [Theory]
    [InlineData("Open", "HEADERS", Http2StreamPhase.Open)]
    [InlineData("Open", "DATA", Http2StreamPhase.Open)]
    [InlineData("Open", "HEADERS END_STREAM", Http2StreamPhase.HalfClosedLocal)]
    [InlineData("Open", "DATA END_STREAM", Http2StreamPhase.HalfClosedLocal)]
    [InlineData("Open", "RST_STREAM", Http2StreamPhase.ResetByUs)]
    [InlineData("HalfClosedRemote", "HEADERS", Http2StreamPhase.HalfClosedRemote)]
    [InlineData("HalfClosedRemote", "DATA", Http2StreamPhase.HalfClosedRemote)]
    [InlineData("HalfClosedRemote", "HEADERS END_STREAM", Http2StreamPhase.Closed)]
    [InlineData("HalfClosedRemote", "DATA END_STREAM", Http2StreamPhase.Closed)]
    [InlineData("HalfClosedRemote", "RST_STREAM", Http2StreamPhase.ResetByUs)]
    [InlineData("HalfClosedLocal", "HEADERS", null)]
    [InlineData("HalfClosedLocal", "DATA", null)]
    [InlineData("HalfClosedLocal", "RST_STREAM", Http2StreamPhase.ResetByUs)]
    [InlineData("Closed", "HEADERS", null)]
    [InlineData("Closed", "DATA", null)]
    [InlineData("Closed", "RST_STREAM", null)]
    [InlineData("ResetByUs", "HEADERS", null)]
    [InlineData("ResetByUs", "DATA", null)]
    [InlineData("ResetByUs", "RST_STREAM", null)]
    [InlineData("ResetByPeer", "HEADERS", null)]
    [InlineData("ResetByPeer", "DATA", null)]
    [InlineData("ResetByPeer", "RST_STREAM", null)]
    internal void Each_sending_in_each_state(string state, string sent, Http2StreamPhase? expected)
    {
        var run = new Http2Run();
        run.Receive(Start);
        Bring(run, state);
        Http2StreamState stream = run[3];
        Http2StreamPhase before = stream.Phase;
        Exception? thrown = Record.Exception(() =>
        {
            bool end = sent.EndsWith("END_STREAM", StringComparison.Ordinal);
            if (sent.StartsWith("HEADERS", StringComparison.Ordinal))
                run.Machine.SentHeaders(stream, end);
            else if (sent.StartsWith("DATA", StringComparison.Ordinal))
                run.Machine.SentData(stream, 1, end);
            else
                run.Machine.SentReset(stream);
        });
        Assert.Equal(expected is null, thrown is InvalidOperationException);
        Assert.Equal(expected ?? before, stream.Phase);
    }

    [Theory]
    [InlineData("Open", false)]
    [InlineData("HalfClosedLocal", false)]
    [InlineData("HalfClosedRemote", false)]
    [InlineData("Closed", true)]
    [InlineData("ResetByUs", true)]
    [InlineData("ResetByPeer", true)]
    public void Only_closed_streams_are_released_and_only_once(string state, bool canRelease)
    {
        var run = new Http2Run();
        run.Receive(Start);
        Bring(run, state);
        Http2StreamState stream = run[3];
        int count = run.Machine.StreamCount;

        if (canRelease)
        {
            run.Machine.Release(stream);
            Assert.Equal(count - 1, run.Machine.StreamCount);
        }
        Assert.Throws<InvalidOperationException>(() => run.Machine.Release(stream));
    }

    [Fact]
    public void Both_ends_close_a_stream_in_either_order()
    {
        var run = new Http2Run();
        run.Receive(Start);
        Http2StreamState first = run.Open(1);
        Http2StreamState second = run.Open(3, end: true);
        Assert.Equal(2, run.Machine.OpenStreamCount);

        run.Machine.SentHeaders(first, endStream: false);
        run.Machine.SentData(first, 3, endStream: true);
        Assert.Equal(2, run.Machine.OpenStreamCount);
        run.Receive(DataFrame(1, "a", end: true));
        Assert.Equal(Http2StreamPhase.Closed, first.Phase);
        run.Machine.SentHeaders(second, endStream: true);
        Assert.Equal(Http2StreamPhase.Closed, second.Phase);
        Assert.Equal(0, run.Machine.OpenStreamCount);
        Assert.Equal(2, run.Machine.StreamCount);
    }

    [Fact]
    public void A_stream_reset_within_a_data_frame_tells_no_more_of_it()
    {
        var run = new Http2Run();
        byte[] frame = PaddedData(1, "abcdef", 3, end: true);
        run.Receive(Start);
        Http2StreamState stream = run.Open(1);
        run.Receive(frame[..13]);
        Assert.Equal("Content 1 'abc'", run.Last);

        run.Machine.SentReset(stream);
        run.Machine.Release(stream);
        run.Receive(frame[13..], Get(3));
        Assert.Equal(["Content 1 'abc'", "Request 3 GET /| http [host: a] end"], run.Events.Skip(2));
    }

    [Fact]
    public void A_stream_reset_between_the_fragments_of_its_trailers_has_none()
    {
        var run = new Http2Run();
        run.Receive(Start);
        Http2StreamState stream = run.Open(1);
        run.Receive(Frame(HeadersType, EndStream, 1, Block("t: u")));
        run.Machine.SentReset(stream);
        run.Machine.Release(stream);
        run.Receive(Frame(Continuation, EndHeaders, 1), Get(3));

        Assert.Equal("Request 3 GET /| http [host: a] end", run.Last);
        Assert.Equal(3, run.Events.Count);
    }
}
