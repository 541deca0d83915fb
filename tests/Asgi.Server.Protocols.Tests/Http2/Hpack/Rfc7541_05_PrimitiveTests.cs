// RFC 7541, section 5: integers and strings, at their limits and one past them.

using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Protocols.Tests.Http2.Hpack;

public class Rfc7541_05_PrimitiveTests
{
    private const int LargestInteger = 0x1F + (1 << 28) - 1;

    [Theory]
    [InlineData(0, "00")]
    [InlineData(30, "1e")]
    [InlineData(31, "1f00")]
    [InlineData(31 + 127, "1f7f")]
    [InlineData(31 + 128, "1f8001")]
    [InlineData(LargestInteger, "1fffffff7f")]
    public void Integers_are_written_in_the_fewest_octets(int value, string hex)
    {
        byte[] bytes = new byte[HpackInteger.SizeMax];
        Assert.Equal(HpackBlocks.Bytes(hex), bytes[..HpackInteger.Write(bytes, 0, 0x1F, value)]);

        int position = 0;
        Assert.Null(HpackInteger.Read(HpackBlocks.Bytes(hex), ref position, 0x1F, out int read));
        Assert.Equal(value, read);
    }

    [Theory]
    [InlineData("1f80808000", 31)] // more octets than are needed are allowed, up to five
    [InlineData("ff80808000", 31)] // the bits before the prefix say nothing
    public void Integers_may_be_padded_with_zeros(string hex, int value)
    {
        int position = 0;
        Assert.Null(HpackInteger.Read(HpackBlocks.Bytes(hex), ref position, 0x1F, out int read));
        Assert.Equal((value, 5), (read, position));
    }

    [Theory]
    [InlineData("1f8080808000")]
    [InlineData("1fffffffff00")]
    [InlineData("1fffffffffffffffffff7f")]
    public void Integers_of_more_than_five_octets_are_refused(string hex)
    {
        int position = 0;
        Assert.Same(HpackFault.IntegerTooLarge, HpackInteger.Read(HpackBlocks.Bytes(hex), ref position, 0x1F, out _));
    }

    [Theory]
    [InlineData("1f")]
    [InlineData("1f80")]
    [InlineData("1f808080")]
    public void Integers_that_do_not_end_are_refused(string hex)
    {
        int position = 0;
        Assert.Same(HpackFault.Truncated, HpackInteger.Read(HpackBlocks.Bytes(hex), ref position, 0x1F, out _));
    }

    [Fact] // Appendix B, the ends of the code and one of each length that letters have
    public void The_code_is_the_one_of_the_RFC()
    {
        Assert.Equal((0x1ff8u, 13), Code(0));
        Assert.Equal((0x0u, 5), Code('0'));
        Assert.Equal((0x21u, 6), Code('A'));
        Assert.Equal((0x3u, 5), Code('a'));
        Assert.Equal((0x7bu, 7), Code('z'));
        Assert.Equal((0x7ffcu, 15), Code('<'));
        Assert.Equal((0x7ffdu, 15), Code('`'));
        Assert.Equal((0x3fffffffu, 30), Code(HuffmanCode.EndOfString));
        Assert.Equal((0x3ffffffcu, 30), Code('\n'));
        Assert.Equal((0x3ffffeeu, 26), Code(255));

        static (uint Code, int Length) Code(int symbol) => (HuffmanCode.Codes[symbol], HuffmanCode.Lengths[symbol]);
    }

    [Fact]
    public void Every_symbol_alone_and_before_every_other_comes_back()
    {
        for (int first = 0; first < 256; first++)
        {
            Demand([(byte)first]);
            for (int second = 0; second < 256; second++)
                Demand([(byte)first, (byte)second, (byte)first]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Any_bytes_of_any_length_come_back(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 2000; round++)
        {
            byte[] text = new byte[random.Next(100)];
            random.NextBytes(text);
            if (round % 2 == 0)
            {
                for (int i = 0; i < text.Length; i++)
                    text[i] = (byte)"abcdefghijklmnopqrstuvwxyz0123456789-/. ()?"[text[i] % 43];
            }
            Demand(text);
        }
    }

    [Theory]
    [InlineData("1f", "a")] // 00011 111
    [InlineData("07", "0")] // 00000 111
    [InlineData("601f", "/0")] // 011000 00000 11111
    [InlineData("600c7f", "/0/")] // 011000 00000 011000 1111111
    [InlineData("f8", "&")] // no padding
    public void Padding_is_up_to_seven_ones(string hex, string text)
    {
        byte[] target = new byte[10];
        Assert.Null(HuffmanDecoder.Decode(HpackBlocks.Bytes(hex), target, out int length));
        Assert.Equal(text, Encoding.ASCII.GetString(target, 0, length));
    }

    [Theory]
    [InlineData("1e")]
    [InlineData("1b")]
    [InlineData("600c7e")]
    [InlineData("fe")] // longer than seven bits, too
    [InlineData("fffffff8")] // behind a code of 30 bits that has one zero
    public void Padding_of_anything_else_is_refused(string hex) =>
        Assert.Same(HpackFault.InvalidPadding, HuffmanDecoder.Decode(HpackBlocks.Bytes(hex), new byte[10], out _));

    [Theory]
    [InlineData("ff")]
    [InlineData("1fff")]
    [InlineData("f8ff")]
    [InlineData("f8ffffff")]
    [InlineData("031fffffff")] // 00000 011000 and 29 ones: one less than EOS
    public void Padding_of_more_than_seven_bits_is_refused(string hex) =>
        Assert.Same(HpackFault.PaddingTooLong, HuffmanDecoder.Decode(HpackBlocks.Bytes(hex), new byte[10], out _));

    [Theory]
    [InlineData("fffffffc")] // EOS and two zeros
    [InlineData("ffffffff")]
    [InlineData("ffffffff0707070707070707")]
    [InlineData("007fffffff")] // 00000 00001 and 30 ones
    public void The_symbol_of_the_end_is_refused(string hex) =>
        Assert.Same(HpackFault.EndOfString, HuffmanDecoder.Decode(HpackBlocks.Bytes(hex), new byte[20], out _));

    [Fact]
    public void What_does_not_fit_is_counted_and_checked()
    {
        byte[] text = Encoding.ASCII.GetBytes("www.example.com/and/some/more");
        byte[] code = new byte[HuffmanEncoder.GetLength(text)];
        HuffmanEncoder.Encode(text, code);

        byte[] target = new byte[5];
        Assert.Null(HuffmanDecoder.Decode(code, target, out int length));
        Assert.Equal((text.Length, "www.e"), (length, Encoding.ASCII.GetString(target)));
        Assert.Null(HuffmanDecoder.Decode(code, [], out length));
        Assert.Equal(text.Length, length);
        Assert.Same(HpackFault.PaddingTooLong, HuffmanDecoder.Decode([.. code, 0xFF], [], out _));
    }

    [Theory]
    [InlineData("4003666f6f03626172", null)]
    [InlineData("4003666f6f036261", "Truncated")]
    [InlineData("4003666f6f", "Truncated")]
    [InlineData("4003666f", "Truncated")]
    [InlineData("40", "Truncated")]
    [InlineData("7f", "Truncated")]
    [InlineData("40ff", "Truncated")]
    [InlineData("4003666f6f7fffffff7f", "Truncated")] // the longest string there could be
    [InlineData("4003666f6f7fffffffff00", "IntegerTooLarge")]
    [InlineData("40821fff03626172", "PaddingTooLong")]
    [InlineData("4003666f6f811e", "InvalidPadding")]
    [InlineData("4003666f6f84ffffffff", "EndOfString")]
    public void Strings_have_the_length_they_tell(string hex, string? fault) =>
        Assert.Equal(fault, new HpackDecoder().FaultOf(HpackBlocks.Bytes(hex))?.Name);

    [Fact]
    public void Strings_may_be_empty() =>
        Assert.Equal([("", ""), ("", "")], new HpackDecoder().Decode(HpackBlocks.Bytes("000000 008080")));

    private static void Demand(byte[] text)
    {
        byte[] code = new byte[HuffmanEncoder.GetLength(text)];
        HuffmanEncoder.Encode(text, code);
        byte[] target = new byte[HuffmanDecoder.GetLengthMax(code.Length)];
        HpackFault? fault = HuffmanDecoder.Decode(code, target, out int length);
        if (fault is not null || !target.AsSpan(0, length).SequenceEqual(text))
            Assert.Fail($"{Convert.ToHexString(text)} became {Convert.ToHexString(target[..length])}, {fault}");
    }
}
