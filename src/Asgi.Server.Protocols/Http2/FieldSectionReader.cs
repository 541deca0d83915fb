// Field blocks to what they mean (RFC 9113, section 8): the head of a request, a trailer section, or nothing for a stream nobody serves.
// Every block is decoded to its end whatever is wrong with it, since the blocks to come depend on it (4.3). Owned by the machine.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Protocols.Http2;

internal enum FieldSectionResult
{
    Done,

    /// <summary>The stream is to be reset.</summary>
    StreamFault,

    /// <summary>The connection is to be closed.</summary>
    ConnectionFault,
}

internal sealed class FieldSectionReader(Http2Limits limits)
{
    // A field counts for so much beside its bytes (6.5.2).
    private const int FieldOverhead = 32;

    private readonly HpackDecoder _decoder = new();
    private readonly HeadReader _head = new(limits);
    private FieldBytes? _scratch;
    private RepeatedHead? _last;
    private long _size;
    private int _count;

    /// <summary>Why the last section was refused.</summary>
    public Http2Fault? Fault { get; private set; }

    // A section of twice the limit ends the connection, so no more bytes than these are ever kept.
    private int StorageMax => HeadReader.PrefixSize + 2 * limits.MaxRequestHeadersTotalSize;

    /// <summary>
    /// Reads the head of a request. One that is too large for us and no larger than twice that is Done, with the fault to be answered in
    /// it.
    /// </summary>
    public FieldSectionResult ReadHead(ReadOnlySpan<byte> block, Http2RequestHead head, bool endStream)
    {
        Begin();
        head.HasContent = !endStream;
        head.Storage.LengthMax = StorageMax;
        ulong stamp = _decoder.Stamp;
        _last ??= new RepeatedHead();
        if (_last.TryTake(block, endStream, stamp, head))
            return FieldSectionResult.Done;
        _head.Begin(head);

        Http2Fault? malformed = null;
        int position = 0;
        int kept = head.Storage.Length;
        while (TryRead(block, ref position, head.Storage, out HpackField field))
        {
            bool isPseudo = HeadReader.IsPseudo(head, field);
            if (!isPseudo)
                head.Fault ??= JudgeSize(field);
            // What the answer depends on is at the front, and is taken in even where the section is too large.
            if (malformed is null && (isPseudo || head.Fault is null))
            {
                malformed = _head.Add(field, isPseudo);
                kept = head.Storage.Length;
            }
            else
            {
                head.Storage.Truncate(kept);
            }
        }
        if (Fault is not null)
            return FieldSectionResult.ConnectionFault;
        FieldSectionResult result = DoneOr(malformed ?? _head.End());
        if (result == FieldSectionResult.Done && head.Fault is null)
            _last.Note(block, endStream, stamp, _decoder.Stamp, head);
        return result;
    }

    /// <summary>Reads a trailer section, which has no pseudo-fields (8.1), and limits of its own.</summary>
    public FieldSectionResult ReadTrailers(ReadOnlySpan<byte> block, Http2StreamState stream)
    {
        Begin();
        FieldBytes bytes = stream.TrailerBytes;
        bytes.LengthMax = StorageMax;

        Http2Fault? fault = null;
        int position = 0;
        while (TryRead(block, ref position, bytes, out HpackField field))
        {
            ReadOnlySpan<byte> name = bytes.AsSpan(field.NameStart, field.NameLength);
            fault ??= name.StartsWith((byte)':') ? Http2Faults.MisplacedPseudoField
                : JudgeSize(field) is not null ? Http2Faults.TrailersTooLarge
                : FieldRules.Judge(name, bytes.AsSpan(field.ValueStart, field.ValueLength), limits.AllowsAnyEncoding);
            if (fault is null)
                stream.Trailers.Add(field.NameStart, field.NameLength, field.ValueStart, field.ValueLength);
        }
        if (stream.HasTrailers)
            stream.Trailers.Bind(bytes.Array, 0);
        return Fault is not null ? FieldSectionResult.ConnectionFault : DoneOr(fault);
    }

    /// <summary>The peer knows our SETTINGS: its encoder goes by them from now on.</summary>
    public void SettingsAcknowledged() => _decoder.TableSizeMax = limits.HeaderTableSize;

    /// <summary>Reads a block for the sake of those to come.</summary>
    public FieldSectionResult Skip(ReadOnlySpan<byte> block)
    {
        Begin();
        _scratch ??= new FieldBytes(StorageMax);
        int position = 0;
        while (TryRead(block, ref position, _scratch, out _))
            _scratch.Clear();
        return Fault is null ? FieldSectionResult.Done : FieldSectionResult.ConnectionFault;
    }

    /// <summary>Lets go of the storage between blocks. The table of the decoder stays: it belongs to the connection.</summary>
    public void DropScratch()
    {
        _scratch = null;
        _last = null;
    }

    private void Begin()
    {
        Fault = null;
        _size = 0;
        _count = 0;
        _decoder.BeginBlock();
    }

    private FieldSectionResult DoneOr(Http2Fault? fault)
    {
        Fault = fault;
        return fault is null ? FieldSectionResult.Done : FieldSectionResult.StreamFault;
    }

    /// <summary>The next field line. False at the end of the block, and where <see cref="Fault"/> says that the connection ends.</summary>
    private bool TryRead(ReadOnlySpan<byte> block, ref int position, FieldBytes into, out HpackField field)
    {
        switch (_decoder.Next(block, ref position, into, out field))
        {
            case HpackResult.Field:
                break;
            case HpackResult.Fault:
                Fault = Http2Faults.Compression(_decoder.Fault!);
                return false;
            default:
                return false;
        }
        _size += field.NameLength + field.ValueLength + FieldOverhead;
        bool isPseudo = field.NameLength > 0 && into.Array[field.NameStart] == ':';
        if (!isPseudo)
            _count++;
        if (!field.IsTooLong && _size <= 2L * limits.MaxRequestHeadersTotalSize && _count <= 2L * limits.MaxRequestHeaderCount)
            return true;
        // A bomb: a block of few bytes may name a long field of the table again and again.
        Fault = Http2Faults.HeaderBlockTooLarge;
        return false;
    }

    private HttpFault? JudgeSize(in HpackField field) =>
        _count > limits.MaxRequestHeaderCount ? Http2Faults.TooManyFieldLines
            : _size > limits.MaxRequestHeadersTotalSize
                || Math.Max(field.NameLength, field.ValueLength) > limits.MaxRequestHeaderFieldSize ? Http2Faults.FieldSectionTooLarge
            : null;
}
