// Header blocks through the decoder and the encoder, as lists of fields. Text is Latin-1, so each character is a byte. Called by tests.

using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Xunit;

namespace Asgi.Server.Testing.Hpack;

internal static class HpackBlocks
{
    private const int LargeSection = 1 << 20;

    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    /// <summary>The fields of a block that must be right. A field that does not fit is called too long and nothing else.</summary>
    public static (string Name, string Value)[] Decode(this HpackDecoder decoder, ReadOnlySpan<byte> block, int lengthMax = LargeSection)
    {
        (string, string)[] fields = Read(decoder, block, lengthMax, out HpackFault? fault);
        Assert.Null(fault);
        return fields;
    }

    /// <summary>Why a block is refused; null if it is not.</summary>
    public static HpackFault? FaultOf(this HpackDecoder decoder, ReadOnlySpan<byte> block)
    {
        Read(decoder, block, LargeSection, out HpackFault? fault);
        return fault;
    }

    /// <summary>The entries of the dynamic table, the newest first. Asking for them does not change it.</summary>
    public static (string Name, string Value)[] Table(this HpackDecoder decoder)
    {
        var entries = new List<(string, string)>();
        Span<byte> block = stackalloc byte[HpackInteger.SizeMax];
        var into = new FieldBytes(LargeSection);
        for (int size = 0; size < decoder.TableSize; size += into.Length + DecoderTable.EntryOverhead)
        {
            into.Clear();
            int length = HpackInteger.Write(block, 0x80, 0x7F, StaticTable.Count + 1 + entries.Count);
            decoder.BeginBlock();
            int position = 0;
            Assert.Equal(HpackResult.Field, decoder.Next(block[..length], ref position, into, out HpackField field));
            entries.Add(TextOf(into, field));
        }
        return [.. entries];
    }

    private static (string Name, string Value)[] Read(
        HpackDecoder decoder, ReadOnlySpan<byte> block, int lengthMax, out HpackFault? fault)
    {
        var into = new FieldBytes(lengthMax);
        var fields = new List<(string, string)>();
        int position = 0;
        decoder.BeginBlock();
        HpackResult result;
        while ((result = decoder.Next(block, ref position, into, out HpackField field)) == HpackResult.Field)
            fields.Add(field.IsTooLong ? ("too", "long") : TextOf(into, field));
        fault = decoder.Fault;
        Assert.Equal(result == HpackResult.Fault, fault is not null);
        if (result == HpackResult.End)
            Assert.Equal(block.Length, position);
        Assert.InRange(into.Length, 0, lengthMax);
        return [.. fields];
    }

    private static (string Name, string Value) TextOf(FieldBytes bytes, in HpackField field) => (
        Encoding.Latin1.GetString(bytes.AsSpan(field.NameStart, field.NameLength)),
        Encoding.Latin1.GetString(bytes.AsSpan(field.ValueStart, field.ValueLength)));
}
