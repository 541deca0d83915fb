// Content of one HTTP/2 response on its way from the application's memory to the loop: blocks filled by the application, handed over as
// ranges. There is no framing in them: which bytes become a DATA frame is decided when the client's windows are known
// (Http2Driver.Sending). Used by Http2Stream on the thread the application writes on: one at a time.
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

internal sealed class Http2Output(Loop loop) : IClosedRanges
{
    /// <summary>The least room worth lending.</summary>
    private const int RoomMin = 256;

    private readonly List<OutputRange> _ranges = [];
    private Block? _block;
    private int _start;
    private int _end;

    public Memory<byte> GetMemory(int sizeHint)
    {
        EnsureRoom(Math.Max(sizeHint, 1));
        return _block!.Array.AsMemory(_end, _block.Size - _end);
    }

    public void Advance(int count)
    {
        if (_block is null || count > _block.Size - _end)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, "More was advanced than memory was got.");
        }

        _end += count;
    }

    /// <summary>Forgets content that was not handed over.</summary>
    public void Drop()
    {
        // Only the loop may return a block, so they leave as empty ranges; of the one in use earlier bytes may be on their way.
        for (var i = 0; i < _ranges.Count; i++)
        {
            _ranges[i] = _ranges[i] with { Start = _ranges[i].End };
        }

        _start = _end;
    }

    /// <summary>Hands over what is written. Loop thread.</summary>
    public void MoveTo(Http2Pending target)
    {
        if (_ranges.Count > 0)
        {
            foreach (var range in _ranges)
            {
                target.Append(range);
            }

            _ranges.Clear();
        }

        if (_end > _start)
        {
            target.Append(new OutputRange(_block!, _start, _end, Give: false));
            _start = _end;
        }
    }

    public long MoveTo(List<OutputRange> target)
    {
        Close(give: false);
        var length = 0L;
        foreach (var range in _ranges)
        {
            length += range.End - range.Start;
        }

        target.AddRange(_ranges);
        _ranges.Clear();
        return length;
    }

    /// <summary>Gives the block away, behind all that was handed over: nothing more will be written. Loop thread.</summary>
    public void Release(Http2Pending target)
    {
        Close(give: true);
        MoveTo(target);
    }

    private void EnsureRoom(int size)
    {
        if (_block is not null && _block.Size - _end >= size)
        {
            return;
        }

        Close(give: true);
        _block = Rent(Math.Max(size, RoomMin));
        _start = _end = 0;
    }

    private void Close(bool give)
    {
        if (_block is null || (_end == _start && !give))
        {
            return;
        }

        _ranges.Add(new OutputRange(_block, _start, _end, give));
        _start = _end;
        if (give)
        {
            _block = null;
            _start = _end = 0;
        }
    }

    private Block Rent(int size)
    {
        if (size > Block.DefaultSize)
        {
            return loop.Blocks.RentLarge(size);
        }

        using var entry = loop.Enter();
        return entry.IsInside ? loop.Blocks.Rent() : loop.Blocks.RentAsStranger();
    }
}
