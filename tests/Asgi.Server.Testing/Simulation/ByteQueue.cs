// Bytes on their way, first in, first out. Used by the simulated network only.

namespace Asgi.Server.Testing.Simulation;

internal sealed class ByteQueue
{
    private byte[] _bytes = new byte[256];
    private int _start;
    private int _end;

    public int Length => _end - _start;

    public void Enqueue(ReadOnlySpan<byte> bytes)
    {
        MakeRoom(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_end));
        _end += bytes.Length;
    }

    public int Dequeue(Span<byte> target)
    {
        var count = Math.Min(target.Length, Length);
        _bytes.AsSpan(_start, count).CopyTo(target);
        _start += count;
        return count;
    }

    public void MoveTo(ByteQueue target, int count)
    {
        target.Enqueue(_bytes.AsSpan(_start, count));
        _start += count;
    }

    public ReadOnlySpan<byte> Peek(int start) => _bytes.AsSpan(_start + start, Length - start);

    public void Clear() => _start = _end = 0;

    private void MakeRoom(int count)
    {
        if (_bytes.Length - _end >= count)
        {
            return;
        }

        var length = Length;
        var target = length + count > _bytes.Length / 2 ? new byte[Math.Max(_bytes.Length * 2, length + count)] : _bytes;
        _bytes.AsSpan(_start, length).CopyTo(target);
        (_bytes, _start, _end) = (target, 0, length);
    }
}
