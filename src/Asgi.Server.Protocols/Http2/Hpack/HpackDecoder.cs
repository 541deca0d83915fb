// Header blocks to field lines (RFC 7541, sections 3.2 and 6). One per connection, called by the HTTP/2 machine for every block in the
// order of arrival, those of refused streams included: each may change the table.

namespace Asgi.Server.Protocols.Http2.Hpack;

/// <param name="tableSizeMax">
/// The SETTINGS_HEADER_TABLE_SIZE in force at the beginning: 4096, whatever we announce, until the peer has acknowledged it.
/// </param>
internal sealed class HpackDecoder(int tableSizeMax = HpackDecoder.InitialTableSize)
{
    /// <summary>The size before any SETTINGS (RFC 9113, 6.5.2).</summary>
    public const int InitialTableSize = 4096;

    // What the first bits of a representation mean (RFC 7541, 6), and the rest of the octet.
    private const int Indexed = 0x80;
    private const int IndexedMask = 0x7F;
    private const int IncrementalIndexing = 0x40;
    private const int IncrementalIndexingMask = 0x3F;
    private const int SizeUpdate = 0x20;
    private const int SizeUpdateMask = 0x1F;
    private const int NeverIndexed = 0x10;
    private const int LiteralMask = 0x0F;

    private const int HuffmanCoded = 0x80;
    private const int StringLengthMask = 0x7F;

    // The smallest size of the settings between two blocks, and the last one (RFC 7541, 4.2).
    private const int SizeUpdatesMax = 2;
    private const int NothingRequired = int.MaxValue;

    private readonly DecoderTable _table = new(tableSizeMax);
    private int _tableSizeMax = tableSizeMax;
    private int _requiredSize = NothingRequired; // the next block has to begin with a size not above it
    private int _sizeUpdates;
    private bool _isPastStart;

    /// <summary>Why a call answered Fault; all later ones do, too.</summary>
    public HpackFault? Fault { get; private set; }

    /// <summary>Bytes of the dynamic table as section 4.1 counts them.</summary>
    public int TableSize => _table.Size;

    /// <summary>Two blocks of the same bytes mean the same where this was the same before them, and not 0.</summary>
    public ulong Stamp => _requiredSize == NothingRequired ? _table.Stamp : 0;

    /// <summary>Our SETTINGS_HEADER_TABLE_SIZE, set when the peer acknowledges it.</summary>
    public int TableSizeMax
    {
        get => _tableSizeMax;
        set
        {
            _tableSizeMax = value;
            if (value < _table.SizeMax)
                _requiredSize = Math.Min(_requiredSize, value);
        }
    }

    /// <summary>Begins a header block: the whole of HEADERS and its CONTINUATIONs.</summary>
    public void BeginBlock()
    {
        _isPastStart = false;
        _sizeUpdates = 0;
    }

    /// <summary>
    /// Reads the next field line of a whole, contiguous header block. Its name and value are appended to <paramref name="into"/>, the value
    /// directly behind the name.
    /// </summary>
    public HpackResult Next(ReadOnlySpan<byte> block, ref int position, FieldBytes into, out HpackField field)
    {
        while (Fault is null)
        {
            if ((uint)position >= (uint)block.Length)
            {
                if (!TryLeaveStart())
                    break;
                field = default;
                return HpackResult.End;
            }
            int first = block[position];
            if (first is >= SizeUpdate and < IncrementalIndexing)
            {
                Fault = ReadSizeUpdate(block, ref position);
                continue;
            }
            if (!_isPastStart && !TryLeaveStart())
                break;
            int start = into.Length;
            Fault = first >= Indexed
                ? ReadIndexed(block, ref position, into, out field)
                : ReadLiteral(block, ref position, into, out field);
            if (Fault is null)
                return HpackResult.Field;
            into.Truncate(start);
        }
        field = default;
        return HpackResult.Fault;
    }

    // Behind the first field line, or at the end, a size can no longer be told.
    private bool TryLeaveStart()
    {
        _isPastStart = true;
        if (_requiredSize != NothingRequired)
            Fault = HpackFault.TableSizeMissing;
        return Fault is null;
    }

    private HpackFault? ReadSizeUpdate(ReadOnlySpan<byte> block, ref int position)
    {
        if (_isPastStart)
            return HpackFault.TableSizeMisplaced;
        if (++_sizeUpdates > SizeUpdatesMax)
            return HpackFault.TooManyTableSizes;
        if (HpackInteger.Read(block, ref position, SizeUpdateMask, out int size) is { } fault)
            return fault;
        if (size > _tableSizeMax)
            return HpackFault.TableSizeTooLarge;
        // Of two sizes the smaller one comes first.
        if (size <= _requiredSize)
            _requiredSize = NothingRequired;
        _table.Resize(size);
        return null;
    }

    private HpackFault? ReadIndexed(ReadOnlySpan<byte> block, ref int position, FieldBytes into, out HpackField field)
    {
        field = default;
        if (HpackInteger.Read(block, ref position, IndexedMask, out int index) is { } fault)
            return fault;
        if (index == 0)
            return HpackFault.IndexZero;
        int start = into.Length;
        if (index <= StaticTable.Count)
        {
            StaticTable.Entry entry = StaticTable.Get(index);
            field = into.TryAppend(entry.NameAndValue)
                ? Tell(start, entry.NameLength, entry.ValueLength, entry.NameIndex)
                : TellTooLong(entry.NameIndex);
            return null;
        }

        int age = index - StaticTable.Count - 1;
        if (age >= _table.Count)
            return HpackFault.InvalidIndex;
        DecoderTable.Entry dynamic = _table[age];
        int length = dynamic.NameLength + dynamic.ValueLength;
        if (length > into.LengthMax - start)
        {
            field = TellTooLong(dynamic.NameIndex);
            return null;
        }
        _table.CopyTo(dynamic, length, into.GetSpan(length));
        into.Advance(length);
        field = Tell(start, dynamic.NameLength, dynamic.ValueLength, dynamic.NameIndex);
        return null;
    }

    private HpackFault? ReadLiteral(ReadOnlySpan<byte> block, ref int position, FieldBytes into, out HpackField field)
    {
        field = default;
        int first = block[position];
        bool isIndexing = first >= IncrementalIndexing;
        int mask = isIndexing ? IncrementalIndexingMask : LiteralMask;
        if (HpackInteger.Read(block, ref position, mask, out int index) is { } fault)
            return fault;

        // A field that is too long for the section may still have to go into the table, so it gets room even then, but no more than that.
        int start = into.Length;
        int room = Math.Max(0, into.LengthMax - start);
        int storedMax = isIndexing ? Math.Max(room, _table.SizeMax) : room;
        int nameIndex = 0;
        fault = index == 0
            ? ReadString(block, ref position, into, storedMax, out int nameLength)
            : ReadName(index, into, storedMax, out nameLength, out nameIndex);
        if (fault is not null)
            return fault;
        fault = ReadString(block, ref position, into, storedMax - (into.Length - start), out int valueLength);
        if (fault is not null)
            return fault;

        long length = (long)nameLength + valueLength;
        if (isIndexing && length <= storedMax)
            _table.Add(into.AsSpan(start, (int)length), nameLength, nameIndex);
        else if (isIndexing)
            _table.Clear(); // larger than the table (RFC 7541, 4.4)
        if (length <= room)
        {
            field = Tell(start, nameLength, valueLength, nameIndex, isNeverIndexed: !isIndexing && (first & NeverIndexed) != 0);
        }
        else
        {
            into.Truncate(start);
            field = TellTooLong(nameIndex);
        }
        return null;
    }

    // The name of an entry. It is copied before the entry can be evicted (RFC 7541, 4.4).
    private HpackFault? ReadName(int index, FieldBytes into, int lengthMax, out int length, out int nameIndex)
    {
        if (index <= StaticTable.Count)
        {
            StaticTable.Entry entry = StaticTable.Get(index);
            (length, nameIndex) = (entry.NameLength, entry.NameIndex);
            if (length <= lengthMax)
            {
                entry.Name.CopyTo(into.GetSpan(length));
                into.Advance(length);
            }
            return null;
        }

        int age = index - StaticTable.Count - 1;
        if (age >= _table.Count)
        {
            (length, nameIndex) = (0, 0);
            return HpackFault.InvalidIndex;
        }
        DecoderTable.Entry dynamic = _table[age];
        (length, nameIndex) = (dynamic.NameLength, dynamic.NameIndex);
        if (length <= lengthMax)
        {
            _table.CopyTo(dynamic, length, into.GetSpan(length));
            into.Advance(length);
        }
        return null;
    }

    // RFC 7541, 5.2. A string beyond the maximum is checked and counted, but not appended.
    private static HpackFault? ReadString(ReadOnlySpan<byte> block, ref int position, FieldBytes into, int lengthMax, out int length)
    {
        length = 0;
        if (position == block.Length)
            return HpackFault.Truncated;
        bool isHuffmanCoded = (block[position] & HuffmanCoded) != 0;
        if (HpackInteger.Read(block, ref position, StringLengthMask, out int size) is { } fault)
            return fault;
        if (size > block.Length - position)
            return HpackFault.Truncated;
        ReadOnlySpan<byte> text = block.Slice(position, size);
        position += size;
        if (isHuffmanCoded)
        {
            int room = Math.Min(HuffmanDecoder.GetLengthMax(size), lengthMax);
            fault = HuffmanDecoder.Decode(text, into.GetSpan(room)[..room], out length);
            if (fault is not null)
                return fault;
        }
        else
        {
            length = size;
            if (length <= lengthMax)
                text.CopyTo(into.GetSpan(length));
        }
        if (length <= lengthMax)
            into.Advance(length);
        return null;
    }

    private static HpackField Tell(int start, int nameLength, int valueLength, int nameIndex, bool isNeverIndexed = false) => new()
    {
        NameStart = start,
        NameLength = nameLength,
        ValueStart = start + nameLength,
        ValueLength = valueLength,
        StaticIndex = nameIndex,
        IsNeverIndexed = isNeverIndexed,
    };

    private static HpackField TellTooLong(int nameIndex) => new() { StaticIndex = nameIndex, IsTooLong = true };
}
