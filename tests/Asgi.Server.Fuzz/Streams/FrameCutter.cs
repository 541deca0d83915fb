// Cuts what one side has sent into frames (RFC 9113, section 4.1), however it comes. Called by the judge, for both directions.

using System.Buffers.Binary;

namespace Asgi.Server.Fuzz.Streams;

internal sealed record CutFrame(int Type, int Flags, int StreamId, byte[] Payload)
{
    public bool Has(int flag) => (Flags & flag) != 0;

    public uint UInt32At(int index) => BinaryPrimitives.ReadUInt32BigEndian(Payload.AsSpan(index));

    public override string ToString() => $"type {Type} flags {Flags} stream {StreamId}, {Payload.Length} bytes";
}

internal sealed class FrameCutter
{
    private byte[] _rest = [];

    /// <summary>The bytes of a frame that is not whole yet.</summary>
    public byte[] Rest => _rest;

    public List<CutFrame> Cut(ReadOnlySpan<byte> bytes)
    {
        byte[] all = [.. _rest, .. bytes];
        var frames = new List<CutFrame>();
        int start = 0;
        while (all.Length - start >= 9)
        {
            int end = start + 9 + (all[start] << 16 | all[start + 1] << 8 | all[start + 2]);
            if (end > all.Length)
                break;
            int id = BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(start + 5)) & int.MaxValue;
            frames.Add(new CutFrame(all[start + 3], all[start + 4], id, all[(start + 9)..end]));
            start = end;
        }
        _rest = all[start..];
        return frames;
    }
}
