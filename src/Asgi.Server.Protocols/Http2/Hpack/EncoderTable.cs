// The dynamic table as an encoder needs it (RFC 7541, sections 2.3.2 and 4): found by name and value, and taken back with a block that did
// not fit. It holds the application's strings, so nothing is copied. Called by the encoder.

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal sealed class EncoderTable
{
    /// <summary>What <see cref="Find"/> answers for a field the table does not hold.</summary>
    public const long NotFound = 0;

    private const int InitialSlots = 16;
    private const uint Buckets = 64;

    // A block can put so many entries into the table: what it evicts is kept until it is sent, and this bounds how much.
    private const int AddedMax = 64;

    // Entries are numbered from 1 on as they come. Those from _oldest to _end are in the table; those from _markOldest on are still there.
    // Chains lead from newer to older entries and end at the first one that is gone, so nothing is unlinked.
    private Slot[] _slots = [];
    private readonly long[] _byField = new long[Buckets];
    private readonly long[] _byName = new long[Buckets];
    private long _end = 1;
    private long _oldest = 1;
    private long _markEnd = 1;
    private long _markOldest = 1;
    private int _markSize;

    /// <summary>What the peer allows and we use.</summary>
    public int SizeMax { get; private set; } = HpackDecoder.InitialTableSize;

    /// <summary>The entries with their overhead (RFC 7541, 4.1); never above <see cref="SizeMax"/>.</summary>
    public int Size { get; private set; }

    /// <summary>The index on the wire of an entry that is in the table.</summary>
    public int GetIndex(long number) => StaticTable.Count + (int)(_end - number);

    public bool Contains(long number) => number >= _oldest && number < _end;

    /// <summary>Sets the size (RFC 7541, 4.3). Between blocks only: it cannot be taken back.</summary>
    public void Resize(int sizeMax)
    {
        SizeMax = sizeMax;
        EvictTo(sizeMax);
        Mark();
    }

    /// <summary>What is in the table now is right: the last block is on its way.</summary>
    public void Mark()
    {
        _markEnd = _end;
        _markOldest = _oldest;
        _markSize = Size;
    }

    /// <summary>Makes the table what it was at the mark.</summary>
    public void Rollback()
    {
        while (_end > _markEnd)
        {
            ref Slot slot = ref SlotOf(--_end);
            _byField[slot.Hash % Buckets] = slot.NextOfField;
            _byName[slot.NameHash % Buckets] = slot.NextOfName;
            slot = default;
        }
        _oldest = _markOldest;
        Size = _markSize;
    }

    /// <summary>The entry of a field; its name is compared without regard to case.</summary>
    public long Find(string name, string value, uint hash)
    {
        for (long number = _byField[hash % Buckets]; number >= _oldest; number = SlotOf(number).NextOfField)
        {
            ref Slot slot = ref SlotOf(number);
            if (slot.Hash == hash && slot.Value == value && EqualsName(slot.Name, name))
                return number;
        }
        return NotFound;
    }

    /// <summary>The newest entry of a name.</summary>
    public long FindName(string name)
    {
        uint hash = HashOf(name);
        for (long number = _byName[hash % Buckets]; number >= _oldest; number = SlotOf(number).NextOfName)
        {
            ref Slot slot = ref SlotOf(number);
            if (slot.NameHash == hash && EqualsName(slot.Name, name))
                return number;
        }
        return NotFound;
    }

    /// <summary>
    /// Whether an entry of so many bytes may be put in. One that takes half of the table is not worth what it evicts.
    /// </summary>
    public bool Takes(int length) =>
        length <= SizeMax / 2 - DecoderTable.EntryOverhead && _end - _markEnd < AddedMax;

    /// <summary>Puts an entry in front that <see cref="Takes"/> was asked about.</summary>
    /// <param name="name">The name, in any case: no two entries differ in the case of their names alone.</param>
    /// <param name="value">Null for an entry that only its owner knows of.</param>
    /// <param name="valueLength">Bytes of the value.</param>
    /// <param name="hash">That of name and value.</param>
    /// <returns>The number of the entry.</returns>
    public long Add(string name, string? value, int valueLength, uint hash)
    {
        int size = name.Length + valueLength + DecoderTable.EntryOverhead;
        Debug.Assert(size <= SizeMax);
        EvictTo(SizeMax - size);
        if (_end - _markOldest == _slots.Length)
            Grow();

        uint nameHash = HashOf(name);
        ref long ofField = ref _byField[hash % Buckets];
        ref long ofName = ref _byName[nameHash % Buckets];
        SlotOf(_end) = new Slot(name, value, ofField, ofName, hash, nameHash, size);
        ofField = ofName = _end;
        Size += size;
        return _end++;
    }

    /// <summary>
    /// The hash of a field. All characters of usual values count, and of long ones the beginning and the end: who makes many values meet
    /// gains nothing, as the table is small.
    /// </summary>
    public static uint HashOf(string name, string value)
    {
        const int Sampled = 32;
        ReadOnlySpan<char> text = value;
        ulong hash = HashOf(name) + ((ulong)text.Length << 32);
        if (text.Length > 2 * Sampled)
        {
            hash = Mix(hash, text[..Sampled]);
            text = text[^Sampled..];
        }
        hash = Mix(hash, text);
        return (uint)(hash ^ hash >> 32);
    }

    private static ulong Mix(ulong hash, ReadOnlySpan<char> text)
    {
        const ulong Multiplier = 0x9E3779B97F4A7C15;
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(text);
        while (bytes.Length >= sizeof(ulong))
        {
            hash = ulong.RotateLeft((hash ^ MemoryMarshal.Read<ulong>(bytes)) * Multiplier, 29);
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (byte rest in bytes)
            hash = hash * 31 + rest;
        return ulong.RotateLeft(hash * Multiplier, 29);
    }

    // Names differ in their lengths and in a few letters; what is left to the comparison costs little.
    private static uint HashOf(string name)
    {
        const uint IgnoreCase = 0x20;
        if (name.Length == 0)
            return 0;
        uint hash = (uint)name.Length * 31 + (name[0] | IgnoreCase);
        hash = hash * 31 + (name[name.Length / 2] | IgnoreCase);
        return hash * 31 + (name[^1] | IgnoreCase);
    }

    private static bool EqualsName(string a, string b) =>
        ReferenceEquals(a, b) || (a.Length == b.Length && Ascii.EqualsIgnoreCase(a, b));

    private ref Slot SlotOf(long number) => ref _slots[(int)number & (_slots.Length - 1)];

    private void EvictTo(int size)
    {
        while (Size > size)
            Size -= SlotOf(_oldest++).Size;
    }

    private void Grow()
    {
        Slot[] old = _slots;
        var larger = new Slot[Math.Max(InitialSlots, old.Length * 2)];
        for (long number = _markOldest; number < _end; number++)
            larger[(int)number & (larger.Length - 1)] = old[(int)number & (old.Length - 1)];
        _slots = larger;
    }

    private readonly record struct Slot(
        string Name, string? Value, long NextOfField, long NextOfName, uint Hash, uint NameHash, int Size);
}
