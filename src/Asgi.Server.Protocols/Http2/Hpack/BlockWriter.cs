// The representations of a header block as they are written (RFC 7541, sections 5 and 6). After the first thing that does not fit nothing
// is written any more. Used by the encoder.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal ref struct BlockWriter(Span<byte> target)
{
    private const int HuffmanCoded = 0x80;
    private const int StringLengthMask = 0x7F;

    private readonly Span<byte> _target = target;

    public int Length { get; private set; }

    public bool IsTooSmall { get; private set; }

    /// <summary>An indexed field (6.1).</summary>
    public void WriteIndexed(int index) => WriteInteger(0x80, 0x7F, index);

    /// <summary>A table size update (6.3).</summary>
    public void WriteTableSize(int size) => WriteInteger(0x20, 0x1F, size);

    /// <summary>The beginning of a literal (6.2), whose name follows when <paramref name="nameIndex"/> is 0, and then its value.</summary>
    public void WriteLiteral(Indexing indexing, int nameIndex)
    {
        switch (indexing)
        {
            case Indexing.Incremental:
                WriteInteger(0x40, 0x3F, nameIndex);
                break;
            case Indexing.Never:
                WriteInteger(0x10, 0x0F, nameIndex);
                break;
            default:
                WriteInteger(0x00, 0x0F, nameIndex);
                break;
        }
    }

    /// <summary>The name of a literal, in lower case (RFC 9113, 8.2).</summary>
    public void WriteName(string name)
    {
        const int UsualMax = 128;
        Span<byte> lower = name.Length <= UsualMax ? stackalloc byte[UsualMax] : new byte[name.Length];
        Ascii.ToLower(name, lower, out int length);
        WriteString(lower[..length]);
    }

    /// <summary>A string (5.2) in the shorter of its two forms.</summary>
    public void WriteString(scoped ReadOnlySpan<byte> text)
    {
        int codeLength = HuffmanEncoder.GetLength(text);
        bool isCoded = codeLength < text.Length;
        Span<byte> room = BeginString(isCoded, isCoded ? codeLength : text.Length);
        if (IsTooSmall)
            return;
        if (isCoded)
            HuffmanEncoder.Encode(text, room);
        else
            text.CopyTo(room);
    }

    /// <summary>The same for a value in ASCII. False for one that may not be sent, whether there is room or not.</summary>
    public bool TryWriteValue(scoped ReadOnlySpan<char> value)
    {
        int codeLength = HuffmanEncoder.GetLength(value);
        if (codeLength < 0)
            return false;
        bool isCoded = codeLength < value.Length;
        Span<byte> room = BeginString(isCoded, isCoded ? codeLength : value.Length);
        if (IsTooSmall)
            return true;
        if (!isCoded)
            return FieldText.TryNarrow(value, room);
        HuffmanEncoder.Encode(value, room);
        return true;
    }

    private Span<byte> BeginString(bool isCoded, int length)
    {
        WriteInteger(isCoded ? HuffmanCoded : 0, StringLengthMask, length);
        if (length > _target.Length - Length)
            IsTooSmall = true;
        if (IsTooSmall)
            return default;
        Span<byte> room = _target.Slice(Length, length);
        Length += length;
        return room;
    }

    private void WriteInteger(int pattern, int mask, int value)
    {
        if (IsTooSmall)
            return;
        if (value < mask && Length < _target.Length)
        {
            _target[Length++] = (byte)(pattern | value);
            return;
        }
        Span<byte> octets = stackalloc byte[HpackInteger.SizeMax];
        octets = octets[..HpackInteger.Write(octets, pattern, mask, value)];
        if (octets.TryCopyTo(_target[Length..]))
            Length += octets.Length;
        else
            IsTooSmall = true;
    }
}
