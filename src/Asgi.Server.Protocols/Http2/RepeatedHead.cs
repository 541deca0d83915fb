// The head of the last request, for a client that sends the same one again: who polls, or calls a method by gRPC, repeats one block byte by
// byte once its fields are in HPACK's table, and what it means is known. Owned by FieldSectionReader, for one connection.

namespace Asgi.Server.Protocols.Http2;

internal sealed class RepeatedHead
{
    /// <summary>
    /// Bytes of a block that is compared at all: a larger one spells something out, which changes or belongs into the table.
    /// </summary>
    public const int BlockSizeMax = 256;

    private const int None = -1;

    private readonly byte[] _block = new byte[BlockSizeMax];
    private readonly Http2RequestHead _head = new();
    private int _size = None;
    private ulong _stamp;
    private bool _endStream;
    private bool _isKept;

    // The block under way is the last one, whose head was not kept.
    private bool _isSecond;

    /// <summary>Fills a head as the last one was, when block and table are the same.</summary>
    /// <param name="block">The whole block.</param>
    /// <param name="endStream">Whether the request has no content: what is well formed depends on it.</param>
    /// <param name="stamp">The decoder's before the block.</param>
    /// <param name="head">The head to fill, cleared.</param>
    /// <returns>False: the block is to be read.</returns>
    public bool TryTake(ReadOnlySpan<byte> block, bool endStream, ulong stamp, Http2RequestHead head)
    {
        bool isSame = stamp == _stamp && endStream == _endStream && block.Length == _size && block.SequenceEqual(_block.AsSpan(0, _size));
        _isSecond = isSame && !_isKept;
        if (!isSame || !_isKept)
            return false;
        _head.CopyTo(head);
        return true;
    }

    /// <summary>A head was read that can be served. It is kept when it comes for the second time, so that others cost no copy.</summary>
    /// <param name="block">The block.</param>
    /// <param name="endStream">As before.</param>
    /// <param name="stampBefore">The decoder's before the block; 0: the block had to begin with something else.</param>
    /// <param name="stamp">The decoder's behind it: a block that changes the table does not mean the same again.</param>
    /// <param name="head">What it means.</param>
    public void Note(ReadOnlySpan<byte> block, bool endStream, ulong stampBefore, ulong stamp, Http2RequestHead head)
    {
        if (_isSecond)
        {
            head.CopyTo(_head);
            _isKept = true;
            return;
        }

        _isKept = false;
        _size = None;
        if (block.Length > BlockSizeMax || stamp != stampBefore || stamp == 0)
            return;
        block.CopyTo(_block);
        (_size, _stamp, _endStream) = (block.Length, stamp, endStream);
    }
}
