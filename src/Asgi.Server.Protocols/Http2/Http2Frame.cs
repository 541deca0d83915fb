// The frame header (RFC 9113, section 4.1), the frame types and flags (section 6). Read by the machine, written by Http2FrameWriter.

using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Asgi.Server.Protocols.Http2;

internal enum Http2FrameType : byte
{
    Data = 0x00,
    Headers = 0x01,
    Priority = 0x02,
    RstStream = 0x03,
    Settings = 0x04,
    PushPromise = 0x05,
    Ping = 0x06,
    GoAway = 0x07,
    WindowUpdate = 0x08,
    Continuation = 0x09,
}

[Flags]
[SuppressMessage("Design", "CA1069", Justification = "A flag means what its frame type says.")]
internal enum Http2FrameFlags : byte
{
    None = 0,

    /// <summary>Of DATA and HEADERS.</summary>
    EndStream = 0x01,

    /// <summary>Of SETTINGS and PING.</summary>
    Ack = 0x01,

    /// <summary>Of HEADERS and CONTINUATION.</summary>
    EndHeaders = 0x04,

    /// <summary>Of DATA and HEADERS.</summary>
    Padded = 0x08,

    /// <summary>Of HEADERS.</summary>
    Priority = 0x20,
}

internal readonly record struct Http2Frame(int Length, Http2FrameType Type, Http2FrameFlags Flags, int StreamId)
{
    /// <summary>Bytes of a frame header.</summary>
    public const int HeaderSize = 9;

    /// <summary>
    /// The largest payload a peer may send before our SETTINGS allow more, and the least that SETTINGS_MAX_FRAME_SIZE may be.
    /// </summary>
    public const int MinMaxPayload = 16 * 1024;

    /// <summary>The largest payload there can be: the length has 24 bits.</summary>
    public const int MaxMaxPayload = (1 << 24) - 1;

    /// <summary>Stream ids and windows have 31 bits; the bit above is reserved and ignored when received.</summary>
    public const uint Bits31 = 0x7FFF_FFFF;

    /// <summary>Reads a frame header; <paramref name="bytes"/> holds at least 9.</summary>
    public static Http2Frame Read(ReadOnlySpan<byte> bytes) => new(
        (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes) >> 8),
        (Http2FrameType)bytes[3],
        (Http2FrameFlags)bytes[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]) & Bits31));

    public bool Has(Http2FrameFlags flag) => (Flags & flag) != 0;
}
