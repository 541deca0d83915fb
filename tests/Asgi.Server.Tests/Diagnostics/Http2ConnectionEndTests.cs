// Why connections of HTTP/2 end: error.type of asgi.server.connection.duration, and the log's word for it.

using Asgi.Server.Diagnostics;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class Http2ConnectionEndTests
{
    /// <summary>A reason, its word, and what a client does for it.</summary>
    public static TheoryData<string, string, string> Ends => new()
    {
        { nameof(ConnectionEndReason.InvalidHandshake), "invalid_handshake", "half a preface" },
        { nameof(ConnectionEndReason.FlowControlWindowExceeded), "flow_control_window_exceeded", "content beyond the window" },
        { nameof(ConnectionEndReason.InvalidStreamId), "invalid_stream_id", "data of the connection" },
        { nameof(ConnectionEndReason.InvalidStreamId), "invalid_stream_id", "a ping of a stream" },
        { nameof(ConnectionEndReason.FrameAfterStreamClose), "frame_after_stream_close", "data of a stream that was passed over" },
        { nameof(ConnectionEndReason.UnknownStream), "unknown_stream", "data of an idle stream" },
        { nameof(ConnectionEndReason.UnexpectedFrame), "unexpected_frame", "a push" },
        { nameof(ConnectionEndReason.UnexpectedFrame), "unexpected_frame", "a continuation of nothing" },
        { nameof(ConnectionEndReason.InvalidFrameLength), "invalid_frame_length", "a short ping" },
        { nameof(ConnectionEndReason.MaxFrameLengthExceeded), "max_frame_length_exceeded", "a frame that is too long" },
        { nameof(ConnectionEndReason.InvalidDataPadding), "invalid_data_padding", "more padding than payload" },
        { nameof(ConnectionEndReason.InvalidSettings), "invalid_settings", "a push setting of 2" },
        { nameof(ConnectionEndReason.SettingsTimeout), "settings_timeout", "no acknowledgement" },
        { nameof(ConnectionEndReason.InvalidWindowUpdateSize), "invalid_window_update_size", "an update by nothing" },
        { nameof(ConnectionEndReason.InvalidWindowUpdateSize), "invalid_window_update_size", "a window that is too large" },
        { nameof(ConnectionEndReason.ErrorReadingHeaders), "error_reading_headers", "a block that is no HPACK" },
        { nameof(ConnectionEndReason.ErrorReadingHeaders), "error_reading_headers", "a block that is too large" },
        { nameof(ConnectionEndReason.ErrorReadingHeaders), "error_reading_headers", "a block in too many pieces" },
        { nameof(ConnectionEndReason.StreamResetLimitExceeded), "stream_reset_limit_exceeded", "resets" },
        { nameof(ConnectionEndReason.FrameLimitExceeded), "frame_limit_exceeded", "pings" },
    };

    /// <summary>The reasons that have a test here.</summary>
    internal static IEnumerable<ConnectionEndReason> Tested =>
        Ends.Select(row => Enum.Parse<ConnectionEndReason>((string)row[0]));

    [Theory]
    [MemberData(nameof(Ends))]
    public void What_the_client_does_is_told_in_the_metric_and_in_the_log(string reason, string errorType, string deed)
    {
        var gate = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(gate.Task), isHttp2: true);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "connection.duration");
        var client = server.Connect();
        foreach (var bytes in Bytes(deed))
        {
            client.Send(bytes);
            server.Run();
        }

        server.Advance(20_000);
        SimulatedServer.OffLoop(gate.SetResult);
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal(errorType, Assert.Single(probe.All).Tags["error.type"]);
        Assert.Contains(
            server.Log.Entries,
            entry => entry.Id.Id is 7 or 8 && entry.Message.EndsWith($" because: {reason}", StringComparison.Ordinal));
    }

    private static byte[][] Bytes(string deed) => deed switch
    {
        "half a preface" => [Join(Preface[..^1], [(byte)'x'])],
        "no acknowledgement" => [Start],
        "content beyond the window" =>
            After([Post(1), Post(3), .. Enumerable.Range(0, 80).Select(n => DataFrame(n % 2 == 0 ? 1u : 3u, 1 << 14))]),
        "data of the connection" => After(DataFrame(0, "a")),
        "a ping of a stream" => After(Ping(streamId: 1)),
        "data of a stream that was passed over" => After(Get(5), DataFrame(3, "a")),
        "data of an idle stream" => After(DataFrame(5, "a")),
        "a push" => After(Get(1), Frame(PushPromise, EndHeaders, 1, 0, 0, 0, 2)),
        "a continuation of nothing" => After(Get(1), Frame(Continuation, EndHeaders, 1)),
        "a short ping" => After(Frame(PingType, 0, 0, 1, 2, 3)),
        "a frame that is too long" => After(Post(1), DataFrame(1, (1 << 14) + 1)),
        "more padding than payload" => After(Post(1), Frame(Data, Padded, 1, 5)),
        "a push setting of 2" => After(Settings((2, 2))),
        "an update by nothing" => After(WindowUpdate(0, 0)),
        "a window that is too large" => After(WindowUpdate(0, int.MaxValue)),
        "a block that is no HPACK" => After(Frame(HeadersType, EndHeaders | EndStream, 1, 0x80)),
        "a block that is too large" =>
            After([Frame(HeadersType, EndStream, 1), .. Enumerable.Repeat(Frame(Continuation, 0, 1, new byte[1 << 14]), 20)]),
        "a block in too many pieces" => After(Frame(HeadersType, EndStream, 1), Repeat(Frame(Continuation, 0, 1), 1000)),
        "resets" => After([.. Enumerable.Range(0, 1000).Select(n => (uint)(2 * n + 1)).Select(id => Join(Get(id), RstStream(id)))]),
        "pings" => After(Repeat(Ping(), 10_000)),
        _ => throw new ArgumentException(deed),
    };

    private static byte[][] After(params byte[][] frames) => [Join(Start, SettingsAck()), .. frames];
}
