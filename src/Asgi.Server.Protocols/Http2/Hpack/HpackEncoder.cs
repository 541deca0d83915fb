// Field lines to header blocks (RFC 7541, sections 6 and 7), and the last guard against what must not be sent. One per connection, called
// by the driver on its loop, in the order the blocks go out.

using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal enum BlockResult
{
    Done,

    /// <summary>The target is too small; nothing counts as written, and the table is as it was.</summary>
    TooSmall,

    /// <summary>A name, a value or the status may not be sent (<see cref="HpackEncoder.Invalid"/>); nothing counts as written.</summary>
    InvalidField,
}

/// <summary>The values of the fields that the server adds, each empty where it adds none. Valid, as the server made them.</summary>
internal readonly struct DefaultFieldValues
{
    public ReadOnlyMemory<byte> Date { get; init; }

    public ReadOnlyMemory<byte> Server { get; init; }
}

internal sealed class HpackEncoder
{
    /// <summary>The most that is used of what the peer allows: a larger table finds little more in responses.</summary>
    public const int TableSizeLimit = HpackDecoder.InitialTableSize;

    private const string StatusName = ":status";
    private const int StatusMax = 9999;
    private const int CachedStatusMin = 100;
    private const int CachedStatusMax = 599;
    private const int NothingPending = int.MaxValue;

    // Fields that were seen once, by their hash.
    private const int SeenSize = 32;

    private static readonly string?[] StatusTexts = new string?[CachedStatusMax - CachedStatusMin + 1];

    private readonly EncoderTable _table = new();
    private readonly uint[] _seen = new uint[SeenSize];
    private DefaultField _date = new("date", StaticTable.Date);
    private DefaultField _server = new("server", StaticTable.Server);
    private byte[] _bytes = [];
    private int _announcedSize = HpackDecoder.InitialTableSize;
    private int _smallestSize = NothingPending; // of the settings since the last block

    /// <summary>The peer's SETTINGS_HEADER_TABLE_SIZE; no more than 4096 is used of it. The next block says so to the peer.</summary>
    public int TableSizeMax
    {
        get => _table.SizeMax;
        set
        {
            int size = Math.Min(value, TableSizeLimit);
            if (size == _table.SizeMax)
                return;
            _smallestSize = Math.Min(_smallestSize, size);
            _table.Resize(size);
        }
    }

    /// <summary>Whether fields are put into the dynamic table. Set before the first block.</summary>
    public bool UsesDynamicTable { get; set; } = true;

    /// <summary>After InvalidField: the name of the field, or "status-code".</summary>
    public string? Invalid { get; private set; }

    /// <summary>Bytes of the dynamic table as section 4.1 counts them.</summary>
    public int TableSize => _table.Size;

    /// <summary>The name of the first field that must not be sent, or null. No state: any thread.</summary>
    public static string? FindInvalid(FieldSource fields) => FieldValueText.FindInvalid(fields);

    /// <summary>
    /// Encodes the head of a response into one block, or does nothing. <paramref name="written"/> is 0 unless Done. What the fields throw
    /// is thrown on.
    /// </summary>
    public BlockResult EncodeResponse(
        Span<byte> target, int status, long? contentLength, FieldSource? fields, in DefaultFieldValues defaults, out int written)
    {
        Debug.Assert(contentLength is null or >= 0);
        BlockWriter block = BeginBlock(target);
        if (!TryEncodeStatus(ref block, status))
            return EndBlock(block, out written);
        if (!defaults.Date.IsEmpty)
            EncodeDefault(ref block, ref _date, defaults.Date.Span);
        if (!defaults.Server.IsEmpty)
            EncodeDefault(ref block, ref _server, defaults.Server.Span);
        if (contentLength is { } length)
            EncodeContentLength(ref block, length);
        if (fields is not null)
            EncodeFields(ref block, fields);
        return EndBlock(block, out written);
    }

    /// <summary>Encodes a trailer section into one block, or does nothing. <paramref name="written"/> is 0 unless Done.</summary>
    public BlockResult EncodeTrailers(Span<byte> target, FieldSource fields, out int written)
    {
        BlockWriter block = BeginBlock(target);
        EncodeFields(ref block, fields);
        return EndBlock(block, out written);
    }

    // The sizes the table has had since the last block: the smallest, for it has evicted, and the last (RFC 7541, 4.2).
    private BlockWriter BeginBlock(Span<byte> target)
    {
        Invalid = null;
        var block = new BlockWriter(target);
        if (_smallestSize != NothingPending)
        {
            bool wasSmaller = _smallestSize < Math.Min(_table.SizeMax, _announcedSize);
            if (wasSmaller)
                block.WriteTableSize(_smallestSize);
            if (wasSmaller || _table.SizeMax != _announcedSize)
                block.WriteTableSize(_table.SizeMax);
        }
        return block;
    }

    private BlockResult EndBlock(in BlockWriter block, out int written)
    {
        if (Invalid is null && !block.IsTooSmall)
        {
            _table.Mark();
            _announcedSize = _table.SizeMax;
            _smallestSize = NothingPending;
            written = block.Length;
            return BlockResult.Done;
        }
        Rollback();
        written = 0;
        return Invalid is null ? BlockResult.TooSmall : BlockResult.InvalidField;
    }

    private void Rollback()
    {
        _table.Rollback();
        _date.Forget(_table);
        _server.Forget(_table);
    }

    private bool TryEncodeStatus(ref BlockWriter block, int status)
    {
        int index = status switch
        {
            200 => StaticTable.Status200,
            204 => StaticTable.Status204,
            206 => StaticTable.Status206,
            304 => StaticTable.Status304,
            400 => StaticTable.Status400,
            404 => StaticTable.Status404,
            500 => StaticTable.Status500,
            _ => 0,
        };
        if (index != 0)
        {
            block.WriteIndexed(index);
            return true;
        }
        if (status is < 0 or > StatusMax)
        {
            Invalid = "status-code";
            return false;
        }
        string text = TextOf(status);
        uint hash = EncoderTable.HashOf(StatusName, text);
        if (!TryEncodeIndexed(ref block, StatusName, text, hash))
            EncodeLiteral(ref block, StatusName, text, hash, StaticTable.Status200, Indexing.Incremental);
        return true;
    }

    // Whoever comes first makes it; another thread may make it again.
    private static string TextOf(int status)
    {
        if (status is < CachedStatusMin or > CachedStatusMax)
            return status.ToString(CultureInfo.InvariantCulture);
        return StatusTexts[status - CachedStatusMin] ??= status.ToString(CultureInfo.InvariantCulture);
    }

    private static void EncodeContentLength(ref BlockWriter block, long length)
    {
        const int DigitsMax = 20;
        Span<byte> digits = stackalloc byte[DigitsMax];
        Utf8Formatter.TryFormat(length, digits, out int count);
        block.WriteLiteral(Indexing.Without, StaticTable.ContentLength);
        block.WriteString(digits[..count]);
    }

    private void EncodeDefault(ref BlockWriter block, ref DefaultField field, ReadOnlySpan<byte> value)
    {
        bool isSame = field.Has(value);
        if (isSame && _table.Contains(field.Entry))
        {
            block.WriteIndexed(_table.GetIndex(field.Entry));
            return;
        }
        // As with all fields: the first value, and any other one when it comes a second time. A Date of a quiet connection is not kept.
        bool isIndexing = UsesDynamicTable && (isSame || !field.HasValue) && _table.Takes(field.Name.Length + value.Length);
        block.WriteLiteral(isIndexing ? Indexing.Incremental : Indexing.Without, field.StaticIndex);
        block.WriteString(value);
        field.Set(value, isIndexing ? _table.Add(field.Name, value: null, value.Length, hash: 0) : EncoderTable.NotFound);
    }

    // Fields may be the application's own code, and throw: then nothing is sent, and the table must not have what the peer's has not.
    private void EncodeFields(ref BlockWriter block, FieldSource fields)
    {
        try
        {
            EncodeLines(ref block, fields);
        }
        catch
        {
            Rollback();
            throw;
        }
    }

    private void EncodeLines(ref BlockWriter block, FieldSource fields)
    {
        FieldCursor cursor = default;
        while (Invalid is null && !block.IsTooSmall && fields.Next(ref cursor))
        {
            string name = cursor.Name;
            string value = cursor.Value ?? string.Empty;
            // A pseudo-header field in the table is not the application's.
            if (string.IsNullOrEmpty(name) || name[0] == ':')
                Invalid = name ?? string.Empty;
            else if (cursor.Encoding is { } encoding)
                EncodeText(ref block, name, value, encoding);
            else
                EncodeField(ref block, name, value);
        }
    }

    private void EncodeField(ref BlockWriter block, string name, string value)
    {
        // What is in the table has been checked when it was put there.
        uint hash = 0;
        if (UsesDynamicTable && TryEncodeIndexed(ref block, name, value, hash = EncoderTable.HashOf(name, value)))
            return;
        FieldRule? rule = FieldRules.Find(name);
        if (rule is null && !Grammar.IsToken(name))
        {
            Invalid = name;
            return;
        }
        if (rule is not { Indexing: Indexing.Omitted })
            EncodeLiteral(ref block, name, value, hash, rule?.StaticIndex ?? 0, rule?.Indexing ?? Indexing.Incremental);
    }

    private bool TryEncodeIndexed(ref BlockWriter block, string name, string value, uint hash)
    {
        if (!UsesDynamicTable)
            return false;
        long entry = _table.Find(name, value, hash);
        if (entry == EncoderTable.NotFound)
            return false;
        block.WriteIndexed(_table.GetIndex(entry));
        return true;
    }

    // A name without an entry gets one with its first value; another value must be seen twice, so what never comes again evicts nothing.
    private void EncodeLiteral(ref BlockWriter block, string name, string value, uint hash, int staticIndex, Indexing indexing)
    {
        long sameName = UsesDynamicTable && indexing == Indexing.Incremental ? _table.FindName(name) : EncoderTable.NotFound;
        if (indexing == Indexing.Incremental && !(UsesDynamicTable && _table.Takes(name.Length + value.Length)
            && (sameName == EncoderTable.NotFound || WasSeen(hash))))
        {
            indexing = Indexing.Without;
        }

        int nameIndex = staticIndex != 0 || sameName == EncoderTable.NotFound ? staticIndex : _table.GetIndex(sameName);
        WriteNamed(ref block, indexing, nameIndex, name);
        if (!block.TryWriteValue(value))
            Invalid = name;
        else if (indexing == Indexing.Incremental && !block.IsTooSmall)
            _table.Add(name, value, value.Length, hash);
    }

    private bool WasSeen(uint hash)
    {
        ref uint seen = ref _seen[hash % SeenSize];
        if (seen == hash)
            return true;
        seen = hash;
        return false;
    }

    // Not for the table, which knows strings and not what became of them.
    private void EncodeText(ref BlockWriter block, string name, string value, Encoding encoding)
    {
        FieldRule? rule = FieldRules.Find(name);
        if (rule is { Indexing: Indexing.Omitted })
            return;
        if ((rule is null && !Grammar.IsToken(name)) || !FieldValueText.TryGetBytes(value, encoding, ref _bytes, out int length))
        {
            Invalid = name;
            return;
        }
        Indexing indexing = rule is { Indexing: Indexing.Never } ? Indexing.Never : Indexing.Without;
        WriteNamed(ref block, indexing, rule?.StaticIndex ?? 0, name);
        block.WriteString(_bytes.AsSpan(0, length));
    }

    private static void WriteNamed(ref BlockWriter block, Indexing indexing, int nameIndex, string name)
    {
        block.WriteLiteral(indexing, nameIndex);
        if (nameIndex == 0)
            block.WriteName(name);
    }

    /// <summary>A field whose value the server makes, with the entry it has in the table, if any.</summary>
    private struct DefaultField(string name, int staticIndex)
    {
        private byte[] _value = [];
        private int _length;

        public readonly string Name => name;

        public readonly int StaticIndex => staticIndex;

        public long Entry { get; private set; } = EncoderTable.NotFound;

        public readonly bool HasValue => _length > 0;

        public readonly bool Has(ReadOnlySpan<byte> value) => value.SequenceEqual(_value.AsSpan(0, _length));

        public void Set(ReadOnlySpan<byte> value, long entry)
        {
            if (value.Length > _value.Length)
                _value = new byte[value.Length];
            value.CopyTo(_value);
            _length = value.Length;
            Entry = entry;
        }

        /// <summary>After a rollback the number may become another entry's.</summary>
        public void Forget(EncoderTable table)
        {
            if (!table.Contains(Entry))
                Entry = EncoderTable.NotFound;
        }
    }
}
