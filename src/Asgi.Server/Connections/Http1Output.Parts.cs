// The rarer parts of a response: heads with a block of their own, files, trailers. Used by Http1Stream as the rest is.
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Protocols.Http1;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Output
{
    /// <summary>The largest chunk a file is sent as: some recipients hold the size of a chunk in 32 bits.</summary>
    public const int FileChunkMax = 1024 * 1024 * 1024;

    /// <summary>Writes a part of a file, framed, behind the content written so far.</summary>
    /// <returns>The last of its ranges: when that is sent, all is.</returns>
    public FileRange AddFile(SafeFileHandle handle, long offset, long length, bool ownsHandle)
    {
        CloseContent();
        while (_isChunked && length > FileChunkMax)
        {
            AddFileRange(new FileRange(handle, offset, FileChunkMax, ownsHandle: false));
            offset += FileChunkMax;
            length -= FileChunkMax;
        }

        var last = new FileRange(handle, offset, length, ownsHandle);
        AddFileRange(last);
        return last;
    }

    /// <summary>Writes a head to a block of its own, for <see cref="AddHead"/>, or to be returned.</summary>
    /// <returns>The block, or null when <paramref name="invalid"/> names what cannot be sent.</returns>
    public Block? WriteHeadApart(in ResponseHead head, ResponseFields? fields, out int length, out string? invalid)
    {
        for (var size = Block.DefaultSize; ; size *= 2)
        {
            // Returned on whichever thread this is by then: the loop's own blocks may not be.
            var block = size > Block.DefaultSize ? loop.Blocks.RentLarge(size) : loop.Blocks.RentAsStranger();
            switch (ResponseHeadWriter.TryWrite(block.Array, head, fields, out length, out invalid))
            {
                case HeadResult.Done:
                    return block;
                case HeadResult.InvalidField:
                    loop.Blocks.Return(block);
                    return null;
            }

            loop.Blocks.Return(block);
        }
    }

    /// <summary>Adds a head behind what is closed, and so before content that waits for its head.</summary>
    public void AddHead(Block block, int length)
    {
        CloseRun(give: false);
        Add(new OutputRange(block, 0, length, Give: true));
    }

    /// <summary>Ends chunked content with a trailer section, in the place of <see cref="EndContent"/>'s last chunk.</summary>
    /// <returns>The field that cannot be sent, and then nothing is written; null when all is well.</returns>
    public string? WriteTrailers(ResponseFields trailers)
    {
        CloseContent();
        for (var size = HeadGap; ; size *= 2)
        {
            EnsureRun(size);
            switch (ResponseHeadWriter.TryWriteTrailers(_block!.AsSpan(_runEnd, _block.Size), trailers, out var written, out var invalid))
            {
                case HeadResult.InvalidField:
                    return invalid;
                case HeadResult.Done:
                    _runEnd += written;
                    _isChunked = false;
                    return null;
            }
        }
    }

    private void AddFileRange(FileRange file)
    {
        if (_isChunked)
        {
            EnsureRun(ChunkedCoding.MaxPrefixSize);
            _runEnd += ChunkedCoding.WritePrefix(_block!.AsSpan(_runEnd, _block.Size), (int)file.Length);
        }

        CloseRun(give: false);
        _ranges.Add(new OutputRange(file));
        if (_isChunked)
        {
            EnsureRun(ChunkedCoding.ChunkEnd.Length);
            _runEnd = WriteChunkEnd(_block!, _runEnd);
        }
    }
}
