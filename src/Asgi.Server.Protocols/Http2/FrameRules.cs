// What the header of a frame alone tells: sizes, stream ids, the order of frames (RFC 9113, sections 4.2, 5.1.1 and 6). Asked by the
// machine before the payload is there, possibly several times for a frame; no state.

using System.Buffers.Binary;

namespace Asgi.Server.Protocols.Http2;

internal static class FrameRules
{
    /// <summary>Bytes of a dependency and a weight.</summary>
    public const int PrioritySize = 5;

    private const int PadLengthSize = 1;

    /// <summary>Bytes before the content or the fragment in the payload of DATA and HEADERS.</summary>
    public static int GetPrefixSize(in Http2Frame frame) =>
        (frame.Has(Http2FrameFlags.Padded) ? PadLengthSize : 0)
        + (frame.Type == Http2FrameType.Headers && frame.Has(Http2FrameFlags.Priority) ? PrioritySize : 0);

    /// <summary>
    /// Whether a priority names the stream itself (RFC 7540, 5.3.1). RFC 9113 has dropped that with the rest of the scheme, but clients of
    /// the older one may count on the answer, and no sound one sends it.
    /// </summary>
    public static bool DependsOnItself(int id, ReadOnlySpan<byte> priority) =>
        (BinaryPrimitives.ReadUInt32BigEndian(priority) & Http2Frame.Bits31) == id;

    /// <summary>Null for a frame that may come; a fault is one of the connection.</summary>
    public static Http2Fault? Judge(in Http2Frame frame, HeaderBlock block, Http2Limits limits)
    {
        if (frame.Length > limits.MaxFrameSize)
            return Http2Faults.FrameTooLarge;
        if (block.StreamId != 0)
        {
            return frame.Type != Http2FrameType.Continuation || frame.StreamId != block.StreamId
                ? Http2Faults.HeaderBlockInterrupted
                : block.Judge(frame.Length);
        }
        switch (frame.Type)
        {
            case Http2FrameType.Data:
                return OnStream(frame) ?? AtLeast(frame, GetPrefixSize(frame));
            case Http2FrameType.Headers:
                return OnStream(frame)
                    ?? AtLeast(frame, GetPrefixSize(frame))
                    ?? (frame.Length > limits.HeaderBlockSizeMax ? Http2Faults.HeaderBlockTooLarge : null);
            case Http2FrameType.Priority:
                return OnStream(frame); // its size is a matter of the stream (6.3)
            case Http2FrameType.RstStream:
                return OnStream(frame) ?? Exactly(frame, 4);
            case Http2FrameType.Settings:
                return OnConnection(frame) ?? JudgeSettings(frame);
            case Http2FrameType.PushPromise:
                return Http2Faults.PushFromClient;
            case Http2FrameType.Ping:
                return OnConnection(frame) ?? Exactly(frame, 8);
            case Http2FrameType.GoAway:
                return OnConnection(frame) ?? AtLeast(frame, 8);
            case Http2FrameType.WindowUpdate:
                return Exactly(frame, 4);
            case Http2FrameType.Continuation:
                return Http2Faults.UnexpectedContinuation;
            default:
                return null;
        }
    }

    /// <summary>
    /// One is needed whole, so it may be no larger than every frame may be: that is room for each setting there could be, many times.
    /// </summary>
    private static Http2Fault? JudgeSettings(in Http2Frame frame)
    {
        if (frame.Has(Http2FrameFlags.Ack))
            return Exactly(frame, 0);
        if (frame.Length % Http2Settings.EntrySize != 0)
            return Http2Faults.InvalidFrameSize;
        return frame.Length > Http2Frame.MinMaxPayload ? Http2Faults.TooManySettings : null;
    }

    private static Http2Fault? OnStream(in Http2Frame frame) => frame.StreamId == 0 ? Http2Faults.StreamFrameOnConnection : null;

    private static Http2Fault? OnConnection(in Http2Frame frame) => frame.StreamId != 0 ? Http2Faults.ConnectionFrameOnStream : null;

    private static Http2Fault? Exactly(in Http2Frame frame, int size) => frame.Length != size ? Http2Faults.InvalidFrameSize : null;

    private static Http2Fault? AtLeast(in Http2Frame frame, int size) => frame.Length < size ? Http2Faults.InvalidFrameSize : null;
}
