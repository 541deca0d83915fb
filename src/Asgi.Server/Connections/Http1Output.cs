// The bytes of HTTP/1 responses on their way from the application's memory to the send buffer, framed without a copy: content is written
// into blocks behind a gap, and the head or the chunk size that belongs before it is written into the gap once it is known.
//
//   block: [handed over)[run: framed, not handed over)[gap][content being written ....)[reserve]
//
// Used by Http1Stream on the thread the application writes on: one at a time. What it closes are ranges for a SendBuffer. The rarer parts
// of a response are in Http1Output.Parts.cs.
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Output(Loop loop) : IClosedRanges
{
    /// <summary>Room for a usual head before content that is written first. A longer head goes to a block of its own.</summary>
    private const int HeadGap = 512;

    /// <summary>Room behind content for the end of a chunk and the last chunk.</summary>
    private const int Reserve = 2 + 5;

    /// <summary>The least room worth lending.</summary>
    private const int ContentRoomMin = 256;

    // Moving so many bytes costs less than another vector in a gathered send.
    private const int MoveMax = 1024;

    private readonly List<OutputRange> _ranges = [];
    private readonly List<OutputRange> _held = [];
    private Block? _block;
    private int _runStart;
    private int _runEnd;
    private int _contentStart = -1;
    private int _contentEnd;
    private bool _hasHead;
    private bool _isChunked;
    private long _length;

    public Memory<byte> GetMemory(int sizeHint)
    {
        var room = Math.Max(sizeHint, 1);
        if (_contentStart >= 0 && _block!.Size - Reserve - _contentEnd < room)
        {
            CloseContent();
        }

        if (_contentStart < 0)
        {
            OpenContent(Math.Max(sizeHint, ContentRoomMin));
        }

        return _block!.Array.AsMemory(_contentEnd, _block.Size - Reserve - _contentEnd);
    }

    public void Advance(int count)
    {
        if (_contentStart < 0 || count > _block!.Size - Reserve - _contentEnd)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, "More was advanced than memory was got.");
        }

        _contentEnd += count;
    }

    /// <summary>Writes a head in front of all content written so far.</summary>
    /// <returns>The field that cannot be sent, and then nothing is written; null when all is well.</returns>
    public string? WriteHead(in ResponseHead head, ResponseFields? fields)
    {
        string? invalid;
        if (_held.Count == 0)
        {
            // In place: into the gap before the content, or, without content, behind the run.
            var isContentOpen = _contentStart >= 0;
            if (!isContentOpen)
            {
                EnsureRun(HeadGap);
            }

            var end = isContentOpen ? _contentStart - ChunkedCoding.MaxPrefixSize : _block!.Size;
            switch (ResponseHeadWriter.TryWrite(_block!.AsSpan(_runEnd, end), head, fields, out var written, out invalid))
            {
                case HeadResult.InvalidField:
                    return invalid;
                case HeadResult.Done:
                    _runEnd += written;
                    BeginContent(head.Chunked);
                    return null;
            }
        }

        var block = WriteHeadApart(head, fields, out var length, out invalid);
        if (block is null)
        {
            return invalid;
        }

        AddHead(block, length);
        BeginContent(head.Chunked);
        return null;
    }

    /// <summary>Content ends here: at a flush, or because its block is full. Chunks do not span blocks.</summary>
    public void CloseContent()
    {
        if (_contentStart < 0)
        {
            return;
        }

        var (start, end) = (_contentStart, _contentEnd);
        _contentStart = -1;
        if (start == end)
        {
            return;
        }

        if (!_hasHead)
        {
            CloseRun(give: false);
            _held.Add(new OutputRange(_block!, start, end, Give: true));
            _block = null;
            return;
        }

        if (_isChunked)
        {
            start -= WritePrefix(_block!, start, end);
            end = WriteChunkEnd(_block!, end);
        }

        CloseGap(start);
        _runEnd = end;
    }

    /// <summary>Appends what is closed to the connection's buffer. Loop thread.</summary>
    public void MoveTo(SendBuffer target)
    {
        if (_ranges.Count > 0)
        {
            foreach (var range in _ranges)
            {
                target.Append(range);
            }

            _ranges.Clear();
        }

        // Most responses are one run.
        if (_runEnd > _runStart && _block is not null)
        {
            target.Append(new OutputRange(_block, _runStart, _runEnd, Give: false));
            _runStart = _runEnd;
        }

        _length = 0;
    }

    public long MoveTo(List<OutputRange> target)
    {
        CloseRun(give: false);
        target.AddRange(_ranges);
        _ranges.Clear();
        var length = _length;
        _length = 0;
        return length;
    }

    /// <summary>Ends the content of a response: the last chunk, where it is chunked.</summary>
    public void EndContent()
    {
        CloseContent();
        if (_isChunked)
        {
            EnsureRun(ChunkedCoding.LastChunk.Length);
            ChunkedCoding.LastChunk.CopyTo(_block!.Array.AsSpan(_runEnd));
            _runEnd += ChunkedCoding.LastChunk.Length;
        }

        BeginMessage();
    }

    /// <summary>Forgets content written before the head.</summary>
    public void DropContent()
    {
        // Only the loop may return a block, so they leave as empty ranges.
        foreach (var range in _held)
        {
            Add(range with { End = range.Start });
        }

        _held.Clear();
        _contentStart = -1;
        BeginMessage();
    }

    /// <summary>Gives the block away: nothing will be written soon. Loop thread.</summary>
    public void Release(SendBuffer target)
    {
        if (_block is not null)
        {
            target.Append(new OutputRange(_block, _runEnd, _runEnd, Give: true));
            _block = null;
        }
    }

    /// <summary>Forgets everything and returns the blocks. Loop thread.</summary>
    public void Clear()
    {
        DropContent();
        foreach (var range in _ranges)
        {
            range.File?.Release();
            if (range.Give)
            {
                loop.Blocks.Return(range.Block);
            }
        }

        _ranges.Clear();
        _length = 0;
        if (_block is not null)
        {
            loop.Blocks.Return(_block);
            _block = null;
        }
    }

    private void BeginMessage()
    {
        _hasHead = false;
        _isChunked = false;
    }

    // The head is written: content written before it gets its framing now.
    private void BeginContent(bool isChunked)
    {
        _hasHead = true;
        _isChunked = isChunked;
        foreach (var range in _held)
        {
            var start = isChunked ? range.Start - WritePrefix(range.Block, range.Start, range.End) : range.Start;
            var end = isChunked ? WriteChunkEnd(range.Block, range.End) : range.End;
            Add(new OutputRange(range.Block, start, end, Give: true));
        }

        _held.Clear();
    }

    private void OpenContent(int room)
    {
        var gap = !_hasHead ? HeadGap : _isChunked ? ChunkedCoding.MaxPrefixSize : 0;
        EnsureRun(gap + room + Reserve);
        _contentStart = _contentEnd = _runEnd + gap;
    }

    // Between the run and the content that follows it lies what is left of the gap.
    private void CloseGap(int contentStart)
    {
        var hole = contentStart - _runEnd;
        if (hole > 0)
        {
            if (_runEnd - _runStart <= MoveMax)
            {
                _block!.AsSpan(_runStart, _runEnd).CopyTo(_block.Array.AsSpan(_runStart + hole));
                _runStart += hole;
            }
            else
            {
                CloseRun(give: false);
                _runStart = contentStart;
            }
        }
    }

    private void CloseRun(bool give)
    {
        if (_block is not null && (give || _runEnd > _runStart))
        {
            Add(new OutputRange(_block, _runStart, _runEnd, give));
            _runStart = _runEnd;
        }
    }

    private void Add(in OutputRange range)
    {
        _ranges.Add(range);
        _length += range.End - range.Start;
    }

    // At least so many bytes behind the run, in this block or the next.
    private void EnsureRun(int size)
    {
        if (_block is not null && _block.Size - _runEnd >= size)
        {
            return;
        }

        CloseRun(give: true);
        _block = Rent(size);
        _runStart = _runEnd = 0;
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

    private static int WritePrefix(Block block, int start, int end) =>
        ChunkedCoding.WritePrefixBefore(block.AsSpan(start - ChunkedCoding.MaxPrefixSize, start), end - start);

    private static int WriteChunkEnd(Block block, int end)
    {
        ChunkedCoding.ChunkEnd.CopyTo(block.Array.AsSpan(end));
        return end + ChunkedCoding.ChunkEnd.Length;
    }
}
