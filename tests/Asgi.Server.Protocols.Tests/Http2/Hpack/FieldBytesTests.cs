// What the decoder tells of fields beside their text: the static entry of the name, and fields that are too long for the section.

using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Protocols.Tests.Http2.Hpack;

public class FieldBytesTests
{
    private const int TableSize = 4096;

    [Theory]
    [InlineData("82", 2)]
    [InlineData("83", 2)] // :method: POST
    [InlineData("87", 6)] // :scheme: https
    [InlineData("8e", 8)] // :status: 500
    [InlineData("be", 4)] // of the table, put there by way of index 5
    [InlineData("bf", 0)]
    [InlineData("7e0131", 4)]
    [InlineData("0f100131", 31)]
    [InlineData("0001610131", 0)]
    public void The_first_static_entry_of_a_name_is_told(string hex, int index)
    {
        var decoder = new HpackDecoder();
        decoder.Decode(HpackBlocks.Bytes("4001610131 45022f61"));
        int position = 0;
        decoder.BeginBlock();
        Assert.Equal(HpackResult.Field, decoder.Next(HpackBlocks.Bytes(hex), ref position, new FieldBytes(100), out HpackField field));
        Assert.Equal(index, field.StaticIndex);
    }

    [Theory]
    [InlineData("82", 10)] // :method: GET
    [InlineData("4001610976616c756531323334", 10)]
    [InlineData("0001610976616c756531323334", 10)]
    [InlineData("40016187ee3a2d2ff084ff", -1)]
    [InlineData("5806707269766174", -1)]
    [InlineData("be", 2)]
    public void A_field_fits_or_is_too_long(string hex, int length)
    {
        byte[] block = HpackBlocks.Bytes(hex);
        (string Name, string Value)[] whole = Prepared().Decode(block);
        length = length < 0 ? whole[0].Name.Length + whole[0].Value.Length : length;
        Assert.Equal(length, whole[0].Name.Length + whole[0].Value.Length);

        HpackDecoder fitting = Prepared();
        HpackDecoder tooLong = Prepared();
        Assert.Equal(whole, fitting.Decode(block, length));
        Assert.Equal([("too", "long")], tooLong.Decode(block, length - 1));
        Assert.Equal([("too", "long")], Prepared().Decode(block, lengthMax: 0));
        // The table does not care.
        Assert.Equal(fitting.Table(), tooLong.Table());
    }

    [Fact]
    public void Fields_behind_one_that_is_too_long_are_told()
    {
        byte[] block = HpackBlocks.Bytes("4001610976616c756531323334 4001620132 bf");
        Assert.Equal([("too", "long"), ("b", "2"), ("too", "long")], new HpackDecoder().Decode(block, lengthMax: 8));
    }

    [Theory]
    [InlineData(TableSize - 33, true)] // "a" and 32
    [InlineData(TableSize - 32, false)]
    public void What_is_too_long_for_the_section_may_be_right_for_the_table(int valueLength, bool isInTable)
    {
        foreach (bool isHuffmanCoded in new[] { false, true })
        {
            var decoder = new HpackDecoder();
            decoder.Decode(HpackBlocks.Bytes("4001620132"));
            Assert.Equal([("too", "long")], decoder.Decode(Literal(valueLength, isHuffmanCoded), lengthMax: 10));
            Assert.Equal(isInTable ? [("a", new string('e', valueLength))] : [], decoder.Table());
        }
    }

    [Fact]
    public void A_large_block_of_fields_that_are_too_long_takes_no_more_than_the_table_may_need()
    {
        var into = new FieldBytes(100);
        var decoder = new HpackDecoder();
        foreach (byte[] block in new[] { Literal(200_000, true), Literal(200_000, false), Literal(TableSize - 33, true) })
        {
            int position = 0;
            decoder.BeginBlock();
            Assert.Equal(HpackResult.Field, decoder.Next(block, ref position, into, out HpackField field));
            Assert.True(field.IsTooLong);
        }
        Assert.Equal(0, into.Length);
        Assert.InRange(into.Array.Length, TableSize - 32, 2 * TableSize);
    }

    [Fact]
    public void A_field_that_does_not_end_leaves_nothing()
    {
        var into = new FieldBytes(2);
        int position = 0;
        Assert.Equal(HpackResult.Fault, new HpackDecoder().Next([0x61], ref position, into, out _)); // "date", and no value
        Assert.Equal(0, into.Length);
    }

    [Fact]
    public void Bytes_grow_up_to_the_maximum()
    {
        var bytes = new FieldBytes(1000);
        for (int i = 0; i < 10; i++)
            Assert.True(bytes.TryAppend(Encoding.ASCII.GetBytes(new string((char)('0' + i), 100))));
        Assert.False(bytes.TryAppend("x"u8));
        Assert.True(bytes.TryAppend([]));
        Assert.Equal(string.Concat(Enumerable.Range(0, 10).Select(i => new string((char)('0' + i), 100))),
            Encoding.ASCII.GetString(bytes.AsSpan(0, bytes.Length)));

        bytes.Clear();
        Assert.Equal(0, bytes.Length);
        Assert.True(bytes.TryAppend("x"u8));
    }

    private static HpackDecoder Prepared()
    {
        var decoder = new HpackDecoder();
        decoder.Decode(HpackBlocks.Bytes("4001620132"));
        return decoder;
    }

    // A name "a" and a value of so many "e", which have five bits.
    private static byte[] Literal(int valueLength, bool isHuffmanCoded)
    {
        byte[] value = Encoding.ASCII.GetBytes(new string('e', valueLength));
        byte[] coded = new byte[HuffmanEncoder.GetLength(value)];
        HuffmanEncoder.Encode(value, coded);
        byte[] text = isHuffmanCoded ? coded : value;
        byte[] length = new byte[HpackInteger.SizeMax];
        length = length[..HpackInteger.Write(length, isHuffmanCoded ? 0x80 : 0, 0x7F, text.Length)];
        return [0x40, 1, (byte)'a', .. length, .. text];
    }
}
