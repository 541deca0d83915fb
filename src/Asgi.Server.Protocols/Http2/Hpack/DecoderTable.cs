// The dynamic table as a decoder needs it (RFC 7541, sections 2.3.2 and 4): bytes in a ring, and where each entry lies in it. Both grow
// with what the peer uses. Called by the decoder.

namespace Asgi.Server.Protocols.Http2.Hpack;

internal sealed class DecoderTable(int sizeMax)
{
    /// <summary>What each entry counts beside its bytes (RFC 7541, 4.1).</summary>
    public const int EntryOverhead = 32;

    private const int InitialBytes = 512;
    private const int InitialEntries = 16;

    // Lengths are powers of two. Positions count on for ever and are masked where they are used, so growing moves no entry's position.
    private byte[] _bytes = [];
    private uint _bytesEnd;
    private Entry[] _entries = [];
    private uint _entriesEnd;

    /// <summary>What the peer's encoder has set the table to.</summary>
    public int SizeMax { get; private set; } = sizeMax;

    /// <summary>The entries with their overhead (RFC 7541, 4.1); never above <see cref="SizeMax"/>.</summary>
    public int Size { get; private set; }

    public int Count { get; private set; }

    /// <summary>The same as long as the entries are; never 0.</summary>
    public ulong Stamp => ((ulong)_entriesEnd << 32) | (1u << 31) | (uint)Count;

    /// <summary>The entry so many places behind the newest, which is at 0.</summary>
    public Entry this[int age] => _entries[(_entriesEnd - 1 - (uint)age) & (uint)(_entries.Length - 1)];

    /// <summary>Sets the size (RFC 7541, 4.3).</summary>
    public void Resize(int sizeMax)
    {
        SizeMax = sizeMax;
        EvictTo(sizeMax);
    }

    /// <summary>Puts an entry in front; one that is larger than the table empties it (RFC 7541, 4.4).</summary>
    public void Add(ReadOnlySpan<byte> nameAndValue, int nameLength, int nameIndex)
    {
        long size = (long)nameAndValue.Length + EntryOverhead;
        if (size > SizeMax)
        {
            Clear();
            return;
        }
        EvictTo(SizeMax - (int)size);
        int used = Size - Count * EntryOverhead;
        if (used + nameAndValue.Length > _bytes.Length)
            GrowBytes(used, nameAndValue.Length);
        if (Count == _entries.Length)
            GrowEntries();

        int start = (int)(_bytesEnd & (uint)(_bytes.Length - 1));
        int first = Math.Min(nameAndValue.Length, _bytes.Length - start);
        nameAndValue[..first].CopyTo(_bytes.AsSpan(start));
        nameAndValue[first..].CopyTo(_bytes);
        _entries[_entriesEnd++ & (uint)(_entries.Length - 1)] =
            new Entry(_bytesEnd, nameLength, nameAndValue.Length - nameLength, nameIndex);
        _bytesEnd += (uint)nameAndValue.Length;
        Size += (int)size;
        Count++;
    }

    public void Clear() => EvictTo(0);

    /// <summary>Copies the first bytes of an entry, which are its name and then its value.</summary>
    public void CopyTo(in Entry entry, int length, Span<byte> target)
    {
        int start = (int)(entry.Start & (uint)(_bytes.Length - 1));
        int first = Math.Min(length, _bytes.Length - start);
        _bytes.AsSpan(start, first).CopyTo(target);
        if (first < length)
            _bytes.AsSpan(0, length - first).CopyTo(target[first..]);
    }

    private void EvictTo(int size)
    {
        while (Size > size)
        {
            Entry oldest = this[Count - 1];
            Size -= oldest.NameLength + oldest.ValueLength + EntryOverhead;
            Count--;
        }
    }

    private void GrowBytes(int used, int more)
    {
        byte[] old = _bytes;
        int length = Math.Max(InitialBytes, old.Length);
        while (length < used + more)
            length *= 2;
        byte[] larger = new byte[length];
        for (uint position = _bytesEnd - (uint)used; position != _bytesEnd; position++)
            larger[position & (uint)(length - 1)] = old[position & (uint)(old.Length - 1)];
        _bytes = larger;
    }

    private void GrowEntries()
    {
        Entry[] old = _entries;
        var larger = new Entry[Math.Max(InitialEntries, old.Length * 2)];
        for (uint position = _entriesEnd - (uint)Count; position != _entriesEnd; position++)
            larger[position & (uint)(larger.Length - 1)] = old[position & (uint)(old.Length - 1)];
        _entries = larger;
    }

    /// <summary>Where an entry lies in the ring, and the first entry of the static table with its name, or 0.</summary>
    public readonly record struct Entry(uint Start, int NameLength, int ValueLength, int NameIndex);
}
