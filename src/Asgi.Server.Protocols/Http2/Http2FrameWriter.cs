// Frames as a server sends them (RFC 9113, section 6). Called by the driver on its loop; no state. Every function writes at the front of
// its span, which must be large enough, and gives the number of bytes.

using System.Buffers.Binary;

namespace Asgi.Server.Protocols.Http2;

internal static class Http2FrameWriter
{
    public const int PingSize = Http2Frame.HeaderSize + 8;
    public const int RstStreamSize = Http2Frame.HeaderSize + 4;
    public const int WindowUpdateSize = Http2Frame.HeaderSize + 4;
    public const int SettingsAckSize = Http2Frame.HeaderSize;

    /// <summary>GOAWAY without debug data.</summary>
    public const int GoAwaySize = Http2Frame.HeaderSize + 8;

    /// <summary>The most that <see cref="WriteServerPreface"/> can need.</summary>
    public const int ServerPrefaceSizeMax = Http2Frame.HeaderSize + 6 * Http2Settings.EntrySize + WindowUpdateSize;

    /// <summary>
    /// The header of a frame. For DATA, HEADERS and CONTINUATION the payload of <paramref name="length"/> bytes follows, by the caller.
    /// </summary>
    public static int WriteHeader(Span<byte> target, int length, Http2FrameType type, Http2FrameFlags flags, int streamId)
    {
        // The type fills the byte below the 24 bits of the length.
        BinaryPrimitives.WriteUInt32BigEndian(target, ((uint)length << 8) | (byte)type);
        target[4] = (byte)flags;
        BinaryPrimitives.WriteInt32BigEndian(target[5..], streamId);
        return Http2Frame.HeaderSize;
    }

    /// <summary>
    /// The preface of a server (3.4): SETTINGS with what differs from the defaults of the RFC, and WINDOW_UPDATE that raises the
    /// connection's window to <see cref="Http2Limits.InitialConnectionWindowSize"/>.
    /// </summary>
    public static int WriteServerPreface(Span<byte> target, Http2Limits limits)
    {
        int end = Http2Frame.HeaderSize;
        end += WriteSetting(target[end..], Http2Setting.MaxConcurrentStreams, limits.MaxStreamsPerConnection);
        end += WriteSetting(target[end..], Http2Setting.InitialWindowSize, limits.InitialStreamWindowSize);
        end += WriteSetting(target[end..], Http2Setting.MaxHeaderListSize, limits.MaxRequestHeadersTotalSize);
        if (limits.HeaderTableSize != Http2Settings.DefaultHeaderTableSize)
            end += WriteSetting(target[end..], Http2Setting.HeaderTableSize, limits.HeaderTableSize);
        if (limits.MaxFrameSize != Http2Frame.MinMaxPayload)
            end += WriteSetting(target[end..], Http2Setting.MaxFrameSize, limits.MaxFrameSize);
        if (limits.AllowsExtendedConnect)
            end += WriteSetting(target[end..], Http2Setting.EnableConnectProtocol, 1);
        WriteHeader(target, end - Http2Frame.HeaderSize, Http2FrameType.Settings, Http2FrameFlags.None, 0);

        int growth = limits.InitialConnectionWindowSize - Http2Settings.DefaultInitialWindowSize;
        return growth > 0 ? end + WriteWindowUpdate(target[end..], 0, growth) : end;
    }

    public static int WriteSettingsAck(Span<byte> target) => WriteHeader(target, 0, Http2FrameType.Settings, Http2FrameFlags.Ack, 0);

    public static int WritePing(Span<byte> target, ulong opaque, bool isAck)
    {
        WriteHeader(target, 8, Http2FrameType.Ping, isAck ? Http2FrameFlags.Ack : Http2FrameFlags.None, 0);
        BinaryPrimitives.WriteUInt64BigEndian(target[Http2Frame.HeaderSize..], opaque);
        return PingSize;
    }

    public static int WriteRstStream(Span<byte> target, int streamId, Http2ErrorCode code)
    {
        WriteHeader(target, 4, Http2FrameType.RstStream, Http2FrameFlags.None, streamId);
        BinaryPrimitives.WriteUInt32BigEndian(target[Http2Frame.HeaderSize..], (uint)code);
        return RstStreamSize;
    }

    /// <param name="target">Where to write.</param>
    /// <param name="lastStreamId">The highest stream that was or may be processed.</param>
    /// <param name="code">Why.</param>
    /// <param name="debugData">For who reads traces; nothing secret.</param>
    public static int WriteGoAway(Span<byte> target, int lastStreamId, Http2ErrorCode code, ReadOnlySpan<byte> debugData = default)
    {
        WriteHeader(target, 8 + debugData.Length, Http2FrameType.GoAway, Http2FrameFlags.None, 0);
        BinaryPrimitives.WriteInt32BigEndian(target[Http2Frame.HeaderSize..], lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(target[(Http2Frame.HeaderSize + 4)..], (uint)code);
        debugData.CopyTo(target[GoAwaySize..]);
        return GoAwaySize + debugData.Length;
    }

    /// <param name="target">Where to write.</param>
    /// <param name="streamId">The stream, or 0 for the connection.</param>
    /// <param name="increment">1 to 2^31-1.</param>
    public static int WriteWindowUpdate(Span<byte> target, int streamId, int increment)
    {
        WriteHeader(target, 4, Http2FrameType.WindowUpdate, Http2FrameFlags.None, streamId);
        BinaryPrimitives.WriteInt32BigEndian(target[Http2Frame.HeaderSize..], increment);
        return WindowUpdateSize;
    }

    private static int WriteSetting(Span<byte> target, Http2Setting setting, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)setting);
        BinaryPrimitives.WriteInt32BigEndian(target[2..], value);
        return Http2Settings.EntrySize;
    }
}
