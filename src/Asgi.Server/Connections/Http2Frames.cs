// The frames of a connection on their way to its send buffer: headers, control frames and small content, one behind the other in one block,
// so that what many streams answer in a tick leaves as one range. Loop thread.
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

internal sealed class Http2Frames(Connection connection)
{
    private Block? _block;
    private int _end;

    /// <summary>Room for at least so many bytes, at most a block; what is written there is queued by <see cref="Advance"/>.</summary>
    public Span<byte> GetSpan(int size)
    {
        if (_block is not null && connection.Output.IsEmpty)
        {
            // All of it is sent: the next bytes lie where the cache knows them.
            _end = 0;
        }

        if (_block is null || _block.Size - _end < size)
        {
            Release();
            _block = connection.Loop.Blocks.Rent();
            _end = 0;
        }

        return _block.AsSpan(_end, _block.Size);
    }

    /// <summary>Queues so many bytes of the span got last.</summary>
    public void Advance(int count)
    {
        connection.Output.Append(new OutputRange(_block!, _end, _end + count, Give: false));
        _end += count;
    }

    /// <summary>Gives the block away: nothing will be written soon.</summary>
    public void Release()
    {
        if (_block is not null)
        {
            connection.Output.Append(new OutputRange(_block, _end, _end, Give: true));
            _block = null;
        }
    }

    /// <summary>The connection is closed, its send buffer empty.</summary>
    public void Clear()
    {
        if (_block is not null)
        {
            connection.Loop.Blocks.Return(_block);
            _block = null;
        }
    }
}
