// Content of one HTTP/2 stream that waits for its turn and for the client's windows. From here it leaves in parts: copied, where that is
// cheaper than another range of a gathered send, or as ranges. Loop thread.
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

internal sealed class Http2Pending(Connection connection)
{
    private OutputRange[] _ranges = [];
    private int _first;
    private int _end;

    // The last block of which a part was handed on without the block: as long as that part may be unsent, the block must not return.
    private Block? _partlySent;

    /// <summary>Bytes that wait.</summary>
    public long Length { get; private set; }

    /// <summary>Adds a range behind the others; one that continues the last in the same block extends it.</summary>
    public void Append(in OutputRange range)
    {
        var length = range.End - range.Start;
        if (_first == _end)
        {
            if (length == 0)
            {
                Return(range);
                return;
            }

            _first = _end = 0;
        }
        else
        {
            ref var last = ref _ranges[_end - 1];
            if (last.Block == range.Block && last.End == range.Start && !last.Give)
            {
                last = last with { End = range.End, Give = range.Give };
                Length += length;
                return;
            }
        }

        if (_end == _ranges.Length)
        {
            MakeRoom();
        }

        _ranges[_end++] = range;
        Length += length;
    }

    /// <summary>Hands on the first <paramref name="count"/> bytes where they lie, behind what the connection has queued.</summary>
    public void Send(int count)
    {
        Length -= count;
        while (count > 0)
        {
            ref var range = ref _ranges[_first];
            var length = range.End - range.Start;
            if (length > count)
            {
                connection.Output.Append(range with { End = range.Start + count, Give = false });
                range = range with { Start = range.Start + count };
                _partlySent = range.Block;
                break;
            }

            count -= length;
            connection.Output.Append(range);
            _partlySent = range.Give ? null : range.Block;
            _ranges[_first++] = default;
        }

        ReturnEmpty();
    }

    /// <summary>Copies the first bytes, as many as <paramref name="target"/> has room for, and lets go of them.</summary>
    public void CopyTo(Span<byte> target)
    {
        Length -= target.Length;
        while (target.Length > 0)
        {
            ref var range = ref _ranges[_first];
            var length = Math.Min(range.End - range.Start, target.Length);
            range.Block.AsSpan(range.Start, range.Start + length).CopyTo(target);
            target = target[length..];
            range = range with { Start = range.Start + length };
            if (range.Start == range.End)
            {
                Return(range);
                _ranges[_first++] = default;
            }
        }

        ReturnEmpty();
    }

    /// <summary>Forgets what waits.</summary>
    public void Drop()
    {
        Length = 0;
        for (; _first < _end; _first++)
        {
            var range = _ranges[_first];
            _ranges[_first] = default;
            Return(range with { Start = range.End });
        }
    }

    /// <summary>The stream is over: nothing of the next one is in the same blocks.</summary>
    public void Reset()
    {
        Drop();
        _partlySent = null;
    }

    // Ranges without bytes, which give blocks, go with the bytes before them.
    private void ReturnEmpty()
    {
        while (_first < _end && _ranges[_first].Start == _ranges[_first].End)
        {
            Return(_ranges[_first]);
            _ranges[_first++] = default;
        }
    }

    // A range without bytes: its block goes back, behind earlier parts of it if those may be unsent.
    private void Return(in OutputRange range)
    {
        if (!range.Give)
        {
            return;
        }

        if (range.Block == _partlySent)
        {
            _partlySent = null;
            connection.Output.Append(range);
        }
        else
        {
            connection.Loop.Blocks.Return(range.Block);
        }
    }

    private void MakeRoom()
    {
        var count = _end - _first;
        var target = count * 2 > _ranges.Length || _ranges.Length == 0 ? new OutputRange[Math.Max(1, _ranges.Length * 2)] : _ranges;
        Array.Copy(_ranges, _first, target, 0, count);
        if (target == _ranges)
        {
            Array.Clear(_ranges, count, _end - count);
        }

        _ranges = target;
        _first = 0;
        _end = count;
    }
}
