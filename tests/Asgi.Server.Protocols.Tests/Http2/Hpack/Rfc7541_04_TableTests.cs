// RFC 7541, sections 2.3.3, 4 and 6.3: the dynamic table of a decoder, its size and the updates of it.

using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Protocols.Tests.Http2.Hpack;

public class Rfc7541_04_TableTests
{
    // Each entry counts 32 and its bytes: "a: 1" is 34.
    private const string A1 = "4001610131";
    private const string B2 = "4001620132";
    private const string C3 = "4001630133";
    private const int EntrySize = 34;

    [Fact]
    public void The_newest_entry_has_the_index_62()
    {
        HpackDecoder decoder = After(A1 + B2);
        Assert.Equal([("b", "2"), ("a", "1")], decoder.Decode(HpackBlocks.Bytes("bebf")));
        Assert.Same(HpackFault.InvalidIndex, decoder.FaultOf(HpackBlocks.Bytes("c0")));
    }

    [Theory]
    [InlineData("80", "IndexZero")]
    [InlineData("be", "InvalidIndex")]
    [InlineData("ff00", "InvalidIndex")]
    [InlineData("ffffffff7f", "InvalidIndex")]
    [InlineData("7e0131", "InvalidIndex")] // the name of a literal with incremental indexing
    [InlineData("0f2f0131", "InvalidIndex")] // without
    [InlineData("1f2f0131", "InvalidIndex")] // never
    [InlineData("bd", null)]
    public void An_index_has_an_entry(string hex, string? fault) =>
        Assert.Equal(fault, new HpackDecoder().FaultOf(HpackBlocks.Bytes(hex))?.Name);

    [Fact]
    public void A_fault_is_final()
    {
        HpackDecoder decoder = new();
        Assert.Same(HpackFault.IndexZero, decoder.FaultOf([0x80]));
        Assert.Same(HpackFault.IndexZero, decoder.FaultOf([0x82]));
    }

    [Fact]
    public void A_field_that_is_not_indexed_is_not_in_the_table() => Assert.Equal(0, After("0001610131" + "1001610131" + "82").TableSize);

    [Theory]
    [InlineData(3 * EntrySize, "c b a")]
    [InlineData(3 * EntrySize - 1, "c b")]
    [InlineData(EntrySize, "c")]
    [InlineData(EntrySize - 1, "")]
    [InlineData(0, "")]
    public void The_oldest_entries_are_evicted(int size, string names)
    {
        var decoder = new HpackDecoder(size);
        Assert.Equal([("a", "1"), ("b", "2"), ("c", "3")], decoder.Decode(HpackBlocks.Bytes(A1 + B2 + C3)));
        Assert.Equal(names, string.Join(' ', decoder.Table().Select(entry => entry.Name)));
        Assert.InRange(decoder.TableSize, 0, size);
    }

    [Fact] // 4.4
    public void An_entry_larger_than_the_table_empties_it()
    {
        var decoder = new HpackDecoder(2 * EntrySize);
        decoder.Decode(HpackBlocks.Bytes(A1 + B2));
        Assert.Equal(2 * EntrySize, decoder.TableSize);

        // "d" and 36 bytes are 69.
        Assert.Equal([("d", new string('x', 36))], decoder.Decode([.. HpackBlocks.Bytes("40016424"), .. Enumerable.Repeat((byte)'x', 36)]));
        Assert.Equal(0, decoder.TableSize);

        decoder.Decode(HpackBlocks.Bytes(A1));
        Assert.Equal([("a", "1")], decoder.Table());
    }

    [Fact] // 4.4
    public void A_name_may_be_that_of_an_entry_that_it_evicts()
    {
        var decoder = new HpackDecoder(2 * EntrySize);
        decoder.Decode(HpackBlocks.Bytes(A1 + B2));

        // Index 63 is "a"; 33 bytes more leave no other entry.
        Assert.Equal([("a", new string('x', 33))], decoder.Decode([0x7F, 0x00, 33, .. Enumerable.Repeat((byte)'x', 33)]));
        Assert.Equal([("a", new string('x', 33))], decoder.Table());
    }

    [Fact]
    public void The_bytes_of_entries_go_round()
    {
        var decoder = new HpackDecoder();
        for (int i = 0; i < 5000; i++)
        {
            string name = new('n', 1 + i % 7);
            string value = new((char)('a' + i % 26), i * 7 % 300);
            byte[] length = new byte[HpackInteger.SizeMax];
            length = length[..HpackInteger.Write(length, 0, 0x7F, value.Length)];
            byte[] block = [0x40, (byte)name.Length, .. name.Select(c => (byte)c), .. length, .. value.Select(c => (byte)c)];
            Assert.Equal([(name, value)], decoder.Decode(block));
            Assert.Equal([(name, value)], decoder.Decode([0xBE]));
            Assert.InRange(decoder.TableSize, 0, 4096);
        }
        Assert.All(decoder.Table(), entry => Assert.Single(entry.Value.Distinct()));
    }

    [Theory]
    [InlineData("20", 0, "")] // 0
    [InlineData("3f03", EntrySize, "c")] // 31 + 3
    [InlineData("3f02", EntrySize - 1, "")]
    [InlineData("3fe11f", 4096, "c b a")]
    [InlineData("203fe11f", 4096, "")] // 0, then 4096: the smaller evicts
    public void A_size_update_evicts(string hex, int size, string names)
    {
        HpackDecoder decoder = After(A1 + B2 + C3);
        decoder.Decode(HpackBlocks.Bytes(hex));
        Assert.Equal(names, string.Join(' ', decoder.Table().Select(entry => entry.Name)));
        Assert.InRange(decoder.TableSize, 0, size);
    }

    [Theory]
    [InlineData("2082", null)]
    [InlineData("202082", null)]
    [InlineData("20202082", "TooManyTableSizes")]
    [InlineData("3fe11f", null)]
    [InlineData("3fe21f", "TableSizeTooLarge")] // 4097
    [InlineData("3fffffffff7f", "IntegerTooLarge")]
    [InlineData("3f", "Truncated")]
    [InlineData("8220", "TableSizeMisplaced")]
    [InlineData("208220", "TableSizeMisplaced")]
    [InlineData("000161013120", "TableSizeMisplaced")]
    public void A_size_update_stands_at_the_start_at_most_twice_and_within_the_setting(string hex, string? fault) =>
        Assert.Equal(fault, new HpackDecoder().FaultOf(HpackBlocks.Bytes(hex))?.Name);

    [Fact]
    public void Each_block_may_begin_with_size_updates()
    {
        HpackDecoder decoder = After("202082");
        Assert.Null(decoder.FaultOf(HpackBlocks.Bytes("3fe11f82")));
        Assert.Null(decoder.FaultOf(HpackBlocks.Bytes("2082")));
    }

    [Theory]
    [InlineData("3f4582", null)] // 100
    [InlineData("2082", null)]
    [InlineData("203f4582", null)]
    [InlineData("82", "TableSizeMissing")]
    [InlineData("", "TableSizeMissing")]
    [InlineData("3f4682", "TableSizeTooLarge")] // 101
    public void A_smaller_setting_must_be_answered_by_the_next_block(string hex, string? fault)
    {
        HpackDecoder decoder = new() { TableSizeMax = 100 };
        Assert.Equal(fault, decoder.FaultOf(HpackBlocks.Bytes(hex))?.Name);
        if (fault is null)
            Assert.Null(decoder.FaultOf([0x82])); // and only by that one
    }

    [Theory]
    [InlineData("3f453fe11f82", null)] // 100, 4096
    [InlineData("3f4582", null)]
    [InlineData("3fe11f82", "TableSizeMissing")]
    [InlineData("3f463fe11f82", "TableSizeMissing")] // 101, 4096
    [InlineData("82", "TableSizeMissing")]
    public void The_smallest_of_several_settings_must_be_answered(string hex, string? fault)
    {
        HpackDecoder decoder = new() { TableSizeMax = 100 };
        decoder.TableSizeMax = 4096;
        Assert.Equal(fault, decoder.FaultOf(HpackBlocks.Bytes(hex))?.Name);
    }

    [Fact]
    public void A_larger_setting_may_be_used_and_need_not()
    {
        HpackDecoder decoder = new() { TableSizeMax = 8192 };
        Assert.Null(decoder.FaultOf([0x82]));
        Assert.Null(decoder.FaultOf(HpackBlocks.Bytes("3fe13f82"))); // 8192
        Assert.Same(HpackFault.TableSizeTooLarge, decoder.FaultOf(HpackBlocks.Bytes("3fe23f82")));
    }

    [Fact]
    public void A_setting_that_is_not_below_the_size_in_use_needs_no_answer()
    {
        HpackDecoder decoder = After("3f4582"); // 100
        decoder.TableSizeMax = 100;
        Assert.Null(decoder.FaultOf([0x82]));
    }

    private static HpackDecoder After(string hex)
    {
        var decoder = new HpackDecoder();
        decoder.Decode(HpackBlocks.Bytes(hex));
        return decoder;
    }
}
