// What the encoder makes the decoder reads, over thousands of blocks of one connection: the tables stay in step through settings and blocks
// that did not fit.

using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Protocols.Tests.Http2.Hpack;

public class HpackRoundTripTests
{
    private const int Blocks = 3000;
    private static readonly int[] Statuses = [200, 200, 200, 204, 302, 404, 418];

    [Theory]
    [InlineData(1, 4096)]
    [InlineData(2, 4096)]
    [InlineData(3, 300)]
    [InlineData(4, 64)]
    [InlineData(5, 0)]
    public void The_tables_stay_in_step(int seed, int tableSize)
    {
        var random = new Random(seed);
        var encoder = new HpackEncoder();
        var decoder = new HpackDecoder();
        byte[] target = new byte[64 * 1024];
        SetSize(tableSize);
        for (int round = 0; round < Blocks; round++)
        {
            while (random.Next(50) == 0)
                SetSize(random.Next(tableSize + 1));
            int status = Statuses[random.Next(Statuses.Length)];
            string date = $"Sat, 21 Nov 2026 12:00:{random.Next(round / 100, round / 100 + 2):00} GMT";
            long? length = random.Next(3) == 0 ? random.Next() : null;
            (string Name, string Value)[] lines = RandomFields.Draw(random);
            var fields = new FieldLines(lines);
            var defaults = new DefaultFieldValues { Date = Encoding.ASCII.GetBytes(date) };
            bool isTrailers = random.Next(5) == 0;

            int before = encoder.TableSize;
            BlockResult result;
            int written;
            int room = random.Next(4) == 0 ? random.Next(300) : target.Length;
            while ((result = Encode(target.AsSpan(0, room), out written)) == BlockResult.TooSmall)
            {
                Assert.Equal(before, encoder.TableSize);
                room += random.Next(1, 300);
            }

            Assert.Equal(BlockResult.Done, result);
            (string, string)[] expected = RandomFields.Sent(lines);
            if (!isTrailers)
            {
                (string, string)[] ofLength =
                    length is { } bytes ? [("content-length", bytes.ToString(CultureInfo.InvariantCulture))] : [];
                expected = [(":status", $"{status}"), ("date", date), .. ofLength, .. expected];
            }
            (string, string)[] read = decoder.Decode(target.AsSpan(0, written));
            if (!expected.SequenceEqual(read) || decoder.TableSize != encoder.TableSize)
                Assert.Fail($"seed {seed}, block {round}: {Convert.ToHexString(target[..written])}");

            BlockResult Encode(Span<byte> block, out int size) => isTrailers
                ? encoder.EncodeTrailers(block, fields, out size)
                : encoder.EncodeResponse(block, status, length, fields, defaults, out size);
        }

        void SetSize(int size)
        {
            encoder.TableSizeMax = size;
            decoder.TableSizeMax = size;
        }
    }

    [Fact]
    public void What_a_block_evicted_is_there_again_when_it_does_not_fit()
    {
        // Fifteen entries fill the table; the block puts more in than there is room for beside them, and is a byte too long.
        var encoder = new HpackEncoder { TableSizeMax = 15 * 36 };
        var decoder = new HpackDecoder { TableSizeMax = 15 * 36 };
        (string, string)[] old = [.. Enumerable.Range(0, 15).Select(i => ($"a{i:00}", "1"))];
        (string, string)[] other = [.. Enumerable.Range(0, 40).Select(i => ($"b{i:00}", "1"))];
        byte[] target = new byte[1000];
        Assert.Equal(BlockResult.Done, encoder.EncodeTrailers(target, new FieldLines(old), out int written));
        Assert.Equal(old, decoder.Decode(target.AsSpan(0, written)));

        new HpackEncoder().EncodeTrailers(target, new FieldLines(other), out int size);
        Assert.Equal(BlockResult.TooSmall, encoder.EncodeTrailers(target.AsSpan(0, size - 1), new FieldLines(other), out _));
        Assert.Equal(BlockResult.Done, encoder.EncodeTrailers(target, new FieldLines(old), out written));
        Assert.Equal(old, decoder.Decode(target.AsSpan(0, written)));
        Assert.Equal(old.Length, written);

        Assert.Equal(BlockResult.Done, encoder.EncodeTrailers(target, new FieldLines(other), out written));
        Assert.Equal(size, written);
        Assert.Equal(other, decoder.Decode(target.AsSpan(0, written)));
        Assert.Equal(decoder.TableSize, encoder.TableSize);
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(65, 64)]
    [InlineData(100, 64)]
    public void A_block_puts_so_many_fields_into_the_table(int fields, int entries)
    {
        var encoder = new HpackEncoder();
        var lines = new FieldLines([.. Enumerable.Range(0, fields).Select(i => ($"a{i:00}", "1"))]);
        Assert.Equal(BlockResult.Done, encoder.EncodeTrailers(new byte[1000], lines, out _));
        Assert.Equal(entries * 36, encoder.TableSize);
    }

    [Fact]
    public void A_block_of_more_new_fields_than_the_table_can_take_back()
    {
        var encoder = new HpackEncoder();
        var decoder = new HpackDecoder();
        (string, string)[] lines = [.. Enumerable.Range(0, 500).Select(i => ($"x{i}", "1"))];
        byte[] target = new byte[8192];
        for (int round = 0; round < 20; round++)
        {
            for (int room = 100; room < 800; room += 100)
                Assert.Equal(BlockResult.TooSmall, encoder.EncodeTrailers(target.AsSpan(0, room), new FieldLines(lines), out _));
            Assert.Equal(BlockResult.Done, encoder.EncodeTrailers(target, new FieldLines(lines), out int written));
            Assert.Equal(lines, decoder.Decode(target.AsSpan(0, written)));
            Assert.Equal(decoder.TableSize, encoder.TableSize);
        }
    }
}
