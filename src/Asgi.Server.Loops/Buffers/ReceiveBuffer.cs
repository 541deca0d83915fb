// The bytes a connection has received and nobody has taken yet. Owned by a Connection, filled by its transport, parsed by its driver, all
// on the loop thread. An empty buffer holds no block.
//
//   head block            first block                tail block
//   [head ........][content)  ->  [content ........)  ->  [content ....)[raw ....)[free ....)
//
// raw is what the machine has not parsed; it lies in the tail block only, so a parser always sees one contiguous span. content is decoded
// and unread; it may be borrowed by the application until AdvanceContent. The head is kept until ReleaseMessage: fields are read lazily.
using System.Buffers;
using System.Diagnostics;

namespace Asgi.Server.Loops.Buffers;

internal sealed class ReceiveBuffer(BlockPool pool)
{
    /// <summary>Free bytes below which a receive goes to a new block rather than to the rest of the tail.</summary>
    public const int ReceiveSizeMin = 2048;

    private Block? _head;
    private Block? _first;
    private Block? _tail;
    private int _headEnd;
    private int _rawStart;
    private int _rawEnd;

    /// <summary>Decoded bytes the application has not consumed.</summary>
    public long ContentLength { get; private set; }

    public int RawLength => _rawEnd - _rawStart;

    public bool IsEmpty => _tail is null;

    /// <summary>The bytes to parse, contiguous; the machine may decode in place.</summary>
    public Span<byte> Raw => _tail is null ? [] : _tail.AsSpan(_rawStart, _rawEnd);

    /// <summary>
    /// The array that holds the raw bytes, for a field section to be bound to; valid until ReleaseMessage once it was a head.
    /// </summary>
    public byte[] RawArray => _tail!.Array;

    public int RawStart => _rawStart;

    /// <summary>Room for at least <see cref="ReceiveSizeMin"/> more bytes behind the raw ones. Rents a block where needed.</summary>
    public Span<byte> GetReceiveSpan()
    {
        if (_tail is null)
        {
            _tail = _first = pool.Rent();
            _rawStart = _rawEnd = 0;
        }
        else if (_tail.Size - _rawEnd < ReceiveSizeMin)
        {
            MakeRoom();
        }

        return _tail.AsSpan(_rawEnd, _tail.Size);
    }

    public void Commit(int received) => _rawEnd += received;

    /// <summary>Gives an empty buffer's block back: nothing came although there was room.</summary>
    public void ReleaseIfUnused()
    {
        if (_tail is not null && _head is null && ContentLength == 0 && RawLength == 0)
        {
            pool.Return(_tail);
            _tail = _first = null;
        }
    }

    /// <summary>The first <paramref name="length"/> raw bytes are a request head: keep them until <see cref="ReleaseMessage"/>.</summary>
    public void ConsumeHead(int length)
    {
        Debug.Assert(_head is null && ContentLength == 0);
        _head = _tail!;
        _rawStart += length;
        _headEnd = _rawStart;
        _head.ContentStart = _rawStart;
        _head.SetContentEnd(_rawStart);
    }

    /// <summary>Drops raw bytes that carry nothing: blank lines, a trailer section that was copied.</summary>
    public void SkipRaw(int length)
    {
        _rawStart += length;
        if (_rawStart == _rawEnd && _head is null && ContentLength == 0)
        {
            _rawStart = _rawEnd = 0;
        }
    }

    /// <summary>
    /// The machine used <paramref name="consumed"/> raw bytes and left <paramref name="decoded"/> bytes of content at their start.
    /// </summary>
    public void CommitContent(int consumed, int decoded)
    {
        var tail = _tail!;
        Debug.Assert(_rawStart == tail.ContentEnd, "Content is contiguous within a block: framing between its parts is overwritten.");
        var contentEnd = _rawStart + decoded;
        tail.SetContentEnd(contentEnd);
        ContentLength += decoded;
        if (_rawStart + consumed == _rawEnd)
        {
            // Everything is decoded: framing bytes behind the content become free room again.
            _rawStart = _rawEnd = contentEnd;
        }
        else
        {
            _rawStart += consumed;
        }
    }

    /// <summary>All unread content. Borrowed: valid until <see cref="AdvanceContent"/> or <see cref="ReleaseMessage"/>.</summary>
    public ReadOnlySequence<byte> Content => ContentLength == 0
        ? ReadOnlySequence<byte>.Empty
        : new ReadOnlySequence<byte>(_first!, _first!.ContentStart, _tail!, _tail!.ContentEnd);

    /// <summary>Drops the first <paramref name="consumed"/> bytes of content and returns the blocks they filled.</summary>
    public void AdvanceContent(long consumed)
    {
        Debug.Assert(consumed <= ContentLength);
        ContentLength -= consumed;
        while (consumed > 0)
        {
            var block = _first!;
            var length = Math.Min(consumed, block.ContentEnd - block.ContentStart);
            block.ContentStart += (int)length;
            consumed -= length;
            if (block.ContentStart < block.ContentEnd || block == _tail)
            {
                break;
            }

            _first = block.Next;
            Release(block);
        }

        Rewind();
    }

    /// <summary>Drops all unread content.</summary>
    public void DiscardContent()
    {
        while (_first is not null && _first != _tail)
        {
            var done = _first;
            _first = done.Next;
            Release(done);
        }

        ContentLength = 0;
        if (_tail is not null)
        {
            _tail.ContentStart = _tail.ContentEnd;
            Rewind();
        }
    }

    /// <summary>The message is over: its head and content are dropped, raw bytes of the next one stay.</summary>
    public void ReleaseMessage()
    {
        DiscardContent();
        if (_head is not null && _head != _tail)
        {
            pool.Return(_head);
        }

        _head = null;
        if (_tail is not null && RawLength == 0)
        {
            pool.Return(_tail);
            _tail = _first = null;
            _rawStart = _rawEnd = 0;
        }
        else if (_tail is not null)
        {
            // The next message lies where this one's content would have continued.
            _tail.ContentStart = _rawStart;
            _tail.SetContentEnd(_rawStart);
        }
    }

    /// <summary>Returns every block.</summary>
    public void Clear()
    {
        _rawStart = _rawEnd;
        ReleaseMessage();
    }

    // Once everything is consumed the tail's room is used again from its start: nobody borrows it now.
    private void Rewind()
    {
        if (ContentLength == 0 && _first == _tail && _rawStart == _rawEnd)
        {
            var tail = _tail!;
            _rawStart = _rawEnd = tail == _head ? _headEnd : 0;
            tail.ContentStart = _rawStart;
            tail.SetContentEnd(_rawStart);
        }
    }

    private void MakeRoom()
    {
        var old = _tail!;
        var raw = RawLength;
        if (old != _head && ContentLength == 0 && _rawStart > 0)
        {
            old.AsSpan(_rawStart, _rawEnd).CopyTo(old.Array);
            SetTailRaw(raw);
            if (old.Size - _rawEnd >= ReceiveSizeMin)
            {
                return;
            }
        }

        // An unparsed head, or trailer section, that fills a block moves on whole: parsers see one span.
        var next = raw * 2 > Block.DefaultSize ? pool.RentLarge(raw * 2 + ReceiveSizeMin) : pool.Rent();
        Raw.CopyTo(next.Array);
        _tail = next;
        SetTailRaw(raw);
        if (ContentLength > 0)
        {
            old.Link(next);
        }
        else
        {
            _first = next;
            Release(old);
        }
    }

    private void SetTailRaw(int length)
    {
        _rawStart = 0;
        _rawEnd = length;
        _tail!.ContentStart = 0;
        _tail.SetContentEnd(0);
    }

    private void Release(Block block)
    {
        if (block != _head)
        {
            pool.Return(block);
        }
    }
}
