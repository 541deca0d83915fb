// Memory that is said anew for each call: SslStream takes Memory, and what the loop has are addresses of pinned blocks. Whoever still holds
// the Memory of an earlier call reads and writes where it points to now. One thread at a time.
using System.Buffers;

namespace Asgi.Server.Connections;

internal sealed unsafe class PinnedMemory : MemoryManager<byte>
{
    private byte* _start;
    private int _length;

    /// <summary>Points to other bytes, at least as many as before where the memory of a call is still in use.</summary>
    public void Target(byte* start, int length)
    {
        _start = start;
        _length = length;
    }

    /// <summary>Points to bytes, pinned, and gives the memory over all of them.</summary>
    public Memory<byte> Over(byte* start, int length)
    {
        Target(start, length);
        return CreateMemory(length);
    }

    /// <summary>Points nowhere.</summary>
    public void Clear() => Target(null, 0);

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
