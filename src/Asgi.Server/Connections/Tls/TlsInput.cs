// The ciphertext of a connection that was received and not decrypted yet, cut into records by their headers (RFC 8446, section 5.1). Owned
// by a TlsWire: filled on the thread of the loop; read by whoever has the wire at the time. An empty one holds no block.
using System.Buffers.Binary;
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

internal sealed class TlsInput(BlockPool pool)
{
    public const int HeaderLength = 5;

    /// <summary>
    /// Bytes of a record behind its header: what TLS 1.2 allows (RFC 5246, section 6.2.3), which is more than what TLS 1.3 does.
    /// </summary>
    public const int FragmentLengthMax = 16 * 1024 + 2048;

    // Room below which a receive goes to a new block.
    private const int ReceiveSizeMin = 2048;

    private Block? _first;
    private Block? _last;
    private int _length;
    private int _recordLength;

    /// <summary>Bytes that were received and not read.</summary>
    public int Length => _length;

    /// <summary>Whether a record is here from its header to its end, or what was not read of one.</summary>
    public bool HasRecord => (_recordLength != 0 || TryMeasure()) && _length >= _recordLength;

    /// <summary>Whether the next record says that it is longer than records may be: it is not waited for.</summary>
    public bool IsOverlong => (_recordLength != 0 || TryMeasure()) && _recordLength > HeaderLength + FragmentLengthMax;

    /// <summary>The length of the record to be read next, with its header, or of what is left of it. While it is here.</summary>
    public int RecordLength => Math.Min(_recordLength, _length);

    /// <summary>Bytes read since the connection began. Whoever has the wire.</summary>
    public long ReadCount { get; private set; }

    /// <summary>Room for the next receive, pinned. Loop thread.</summary>
    public Span<byte> GetReceiveSpan()
    {
        if (_last is null || _last.Size - _last.ContentEnd < ReceiveSizeMin)
        {
            var block = pool.Rent();
            block.SetContentEnd(0);
            if (_last is null)
            {
                _first = block;
            }
            else
            {
                _last.Link(block);
            }

            _last = block;
        }

        return _last.AsSpan(_last.ContentEnd, _last.Size);
    }

    /// <summary>So many bytes were received into the last span. Loop thread.</summary>
    public void Commit(int length)
    {
        _last!.SetContentEnd(_last.ContentEnd + length);
        _length += length;
    }

    /// <summary>Adds bytes that were received elsewhere. Loop thread.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var room = GetReceiveSpan();
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Commit(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>
    /// Reads of the next record, which is there, and never beyond it: what follows may be for somebody else. The blocks that are empty
    /// then stay until <see cref="Trim"/>. Whoever has the wire.
    /// </summary>
    public int Read(Span<byte> target)
    {
        target = target[..Math.Min(target.Length, Math.Min(_recordLength, _length))];
        var read = CopyTo(target);
        ReadCount += read;
        _length -= read;
        _recordLength -= read;
        var left = read;
        for (var block = _first; left > 0; block = block.Next)
        {
            var count = Math.Min(left, block!.ContentEnd - block.ContentStart);
            block.ContentStart += count;
            left -= count;
        }

        return read;
    }

    /// <summary>The first bytes, which stay.</summary>
    /// <returns>How many they are.</returns>
    public int CopyTo(Span<byte> target)
    {
        var copied = 0;
        for (var block = _first; block is not null && copied < target.Length; block = block.Next)
        {
            var part = block.AsSpan(block.ContentStart, block.ContentEnd);
            part = part[..Math.Min(part.Length, target.Length - copied)];
            part.CopyTo(target[copied..]);
            copied += part.Length;
        }

        return copied;
    }

    /// <summary>Returns the blocks that nothing is left in. Loop thread, while nobody else has the wire.</summary>
    public void Trim()
    {
        while (_first is { } block && block.ContentStart == block.ContentEnd)
        {
            _first = block.Next;
            pool.Return(block);
        }

        _last = _first is null ? null : _last;
    }

    /// <summary>Forgets everything. Loop thread, while nobody else has the wire.</summary>
    public void Clear()
    {
        while (_first is { } block)
        {
            _first = block.Next;
            pool.Return(block);
        }

        _last = null;
        _length = _recordLength = 0;
    }

    private bool TryMeasure()
    {
        if (_length < HeaderLength)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        CopyTo(header);
        _recordLength = HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        return true;
    }
}
