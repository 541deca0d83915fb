// The bytes a connection has to send. Owned by a Connection on its loop's thread; filled by the driver's stream, emptied by one gathered
// send per tick. It borrows ranges of a block that its writer goes on filling, and owns the block once the writer gives it. Between them
// stand parts of files, which the kernel sends without their bytes coming here.
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops.Buffers;

/// <summary>
/// A range of a block to send, or of a file, and then the block is null. <paramref name="Give"/>: the block's ownership comes with its
/// last range.
/// </summary>
internal readonly record struct OutputRange(Block Block, int Start, int End, bool Give)
{
    public OutputRange(FileRange file)
        : this(null!, 0, 0, Give: false) => File = file;

    public FileRange? File { get; }
}

internal sealed class SendBuffer(BlockPool pool)
{
    /// <summary>Ranges one system call should be handed at most: far above what a tick queues, far below IOV_MAX (1024).</summary>
    public const int GatherCountMax = 64;

    // The length is 0 or a power of 2. A usual response is one range.
    private const int InitialCapacity = 1;

    private OutputRange[] _ranges = [];
    private int _first;
    private int _count;

    /// <summary>Unsent bytes that are held in memory; those of files are not.</summary>
    public long Length { get; private set; }

    public bool IsEmpty => _count == 0;

    /// <summary>Files among what is queued.</summary>
    public int FileCount { get; private set; }

    /// <summary>The file whose bytes are to be sent next, or null when memory is.</summary>
    public FileRange? FirstFile => _count > 0 ? _ranges[_first].File : null;

    /// <summary>Queues a range behind the others; one that continues the last in the same block extends it.</summary>
    public void Append(in OutputRange range)
    {
        Length += range.End - range.Start;
        if (range.File is not null)
        {
            FileCount++;
        }
        else if (_count > 0)
        {
            ref var last = ref _ranges[(_first + _count - 1) & (_ranges.Length - 1)];
            if (last.Block == range.Block && last.End == range.Start && !last.Give)
            {
                last = last with { End = range.End, Give = range.Give };
                return;
            }
        }
        else if (range.Start == range.End)
        {
            Drop(range);
            return;
        }

        if (_count == _ranges.Length)
        {
            Grow();
        }

        _ranges[(_first + _count++) & (_ranges.Length - 1)] = range;
    }

    /// <summary>
    /// Fills <paramref name="vectors"/> with the first ranges queued, up to a file. They stay queued until <see cref="Consume"/>.
    /// </summary>
    /// <param name="vectors">As many as one send should be handed.</param>
    /// <param name="isBeforeFile">Whether a file is what follows.</param>
    public unsafe int Gather(Span<IoVector> vectors, out bool isBeforeFile)
    {
        isBeforeFile = false;
        var count = Math.Min(_count, vectors.Length);
        for (var i = 0; i < count; i++)
        {
            ref readonly var range = ref _ranges[(_first + i) & (_ranges.Length - 1)];
            if (range.File is not null)
            {
                isBeforeFile = true;
                return i;
            }

            vectors[i] = new IoVector(range.Block.Pointer + range.Start, range.End - range.Start);
        }

        return count;
    }

    /// <summary>
    /// The first <paramref name="sent"/> bytes, which were gathered, are sent: they leave the buffer, and blocks given with them return to
    /// the pool.
    /// </summary>
    public void Consume(long sent)
    {
        Length -= sent;
        while (_count > 0)
        {
            ref var range = ref _ranges[_first];
            var length = range.End - range.Start;
            if (sent < length)
            {
                range = range with { Start = range.Start + (int)sent };
                return;
            }

            if (range.File is not null)
            {
                return;
            }

            sent -= length;
            Drop(TakeFirst());
        }
    }

    /// <summary>So many bytes of <see cref="FirstFile"/> are sent; with the last the file is let go of.</summary>
    public void ConsumeFile(long sent)
    {
        var file = _ranges[_first].File!;
        file.Consume(sent);
        if (file.Length == 0)
        {
            Drop(TakeFirst());

            // Empty ranges behind it give their blocks with it, as they do behind memory.
            Consume(0);
        }
    }

    /// <summary>Forgets everything queued; given blocks return to the pool.</summary>
    public void Clear()
    {
        while (_count > 0)
        {
            Drop(TakeFirst());
        }

        Length = 0;
    }

    /// <summary>Nothing is queued, and nothing will be soon: the room for ranges is let go of.</summary>
    public void Trim()
    {
        if (_count == 0)
        {
            _ranges = [];
            _first = 0;
        }
    }

    private OutputRange TakeFirst()
    {
        var range = _ranges[_first];
        _ranges[_first] = default;
        _first = (_first + 1) & (_ranges.Length - 1);
        _count--;
        return range;
    }

    private void Drop(in OutputRange range)
    {
        if (range.File is { } file)
        {
            FileCount--;
            file.Release();
        }
        else if (range.Give)
        {
            pool.Return(range.Block);
        }
    }

    private void Grow()
    {
        var grown = new OutputRange[Math.Max(InitialCapacity, _ranges.Length * 2)];
        for (var i = 0; i < _count; i++)
        {
            grown[i] = _ranges[(_first + i) & (_ranges.Length - 1)];
        }

        _ranges = grown;
        _first = 0;
    }
}
