// RFC 7541, Appendix C: its examples, as a decoder and as a writer. The fields of a line are separated by " | ", the newest entry of the
// table stands first.

using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Protocols.Tests.Http2.Hpack;

public class Rfc7541_C_ExampleTests
{
    private const string First = ":method: GET | :scheme: http | :path: / | :authority: www.example.com";
    private const string Second = First + " | cache-control: no-cache";
    private const string Third =
        ":method: GET | :scheme: https | :path: /index.html | :authority: www.example.com | custom-key: custom-value";

    private const string Date = "date: Mon, 21 Oct 2013 20:13:21 GMT";
    private const string NextDate = "date: Mon, 21 Oct 2013 20:13:22 GMT";
    private const string Location = "location: https://www.example.com";
    private const string Cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    private const string Found = ":status: 302 | cache-control: private | " + Date + " | " + Location;
    private const string TemporaryRedirect = ":status: 307 | cache-control: private | " + Date + " | " + Location;
    private const string Ok =
        ":status: 200 | cache-control: private | " + NextDate + " | " + Location + " | content-encoding: gzip | " + Cookie;

    private static readonly (string Fields, string Table, int Size)[] Requests =
    [
        (First, ":authority: www.example.com", 57),
        (Second, "cache-control: no-cache | :authority: www.example.com", 110),
        (Third, "custom-key: custom-value | cache-control: no-cache | :authority: www.example.com", 164),
    ];

    private static readonly (string Fields, string Table, int Size)[] Responses =
    [
        (Found, Location + " | " + Date + " | cache-control: private | :status: 302", 222),
        (TemporaryRedirect, ":status: 307 | " + Location + " | " + Date + " | cache-control: private", 222),
        (Ok, Cookie + " | content-encoding: gzip | " + NextDate, 215),
    ];

    private static readonly string[] RequestBlocks =
    [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];

    private static readonly string[] HuffmanRequestBlocks =
    [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];

    private static readonly string[] ResponseBlocks =
    [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 "
            + "7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 "
            + "444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e "
            + "3d31",
    ];

    private static readonly string[] HuffmanResponseBlocks =
    [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 "
            + "e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b "
            + "3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];

    [Theory] // C.1
    [InlineData("0a", 0x1F, 10)]
    [InlineData("1f9a0a", 0x1F, 1337)]
    [InlineData("2a", 0xFF, 42)]
    public void Integers(string hex, int mask, int value)
    {
        byte[] bytes = HpackBlocks.Bytes(hex);
        int position = 0;
        Assert.Null(HpackInteger.Read(bytes, ref position, mask, out int read));
        Assert.Equal((value, bytes.Length), (read, position));

        byte[] written = new byte[HpackInteger.SizeMax];
        Assert.Equal(bytes, written[..HpackInteger.Write(written, 0, mask, value)]);
    }

    [Theory] // C.2
    [InlineData("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "custom-key: custom-header", 55, false)]
    [InlineData("040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path", 0, false)]
    [InlineData("1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret", 0, true)]
    [InlineData("82", ":method: GET", 0, false)]
    public void Representations(string hex, string field, int tableSize, bool isNeverIndexed)
    {
        var decoder = new HpackDecoder();
        var into = new FieldBytes(100);
        int position = 0;
        decoder.BeginBlock();

        Assert.Equal(HpackResult.Field, decoder.Next(HpackBlocks.Bytes(hex), ref position, into, out HpackField read));
        Assert.Equal(isNeverIndexed, read.IsNeverIndexed);
        Assert.Equal(field, Text(new HpackDecoder().Decode(HpackBlocks.Bytes(hex))));
        Assert.Equal(tableSize, decoder.TableSize);
        Assert.Equal(tableSize > 0 ? field : "", Text(decoder.Table()));
    }

    [Fact] // C.3
    public void Requests_without_Huffman_coding() => Demand(new HpackDecoder(), RequestBlocks, Requests);

    [Fact] // C.4
    public void Requests_with_Huffman_coding() => Demand(new HpackDecoder(), HuffmanRequestBlocks, Requests);

    [Fact] // C.5
    public void Responses_without_Huffman_coding() => Demand(new HpackDecoder(256), ResponseBlocks, Responses);

    [Fact] // C.6
    public void Responses_with_Huffman_coding() => Demand(new HpackDecoder(256), HuffmanResponseBlocks, Responses);

    [Fact] // C.4
    public void Requests_written() => DemandWritten(4096, HuffmanRequestBlocks, Requests);

    [Fact] // C.6, but for 307, which has three bytes in both forms: ours is the plain one
    public void Responses_written() =>
        DemandWritten(256, [HuffmanResponseBlocks[0], "4803 3330 37c1 c0bf", HuffmanResponseBlocks[2]], Responses);

    private static void Demand(HpackDecoder decoder, string[] blocks, (string Fields, string Table, int Size)[] expected)
    {
        for (int i = 0; i < blocks.Length; i++)
        {
            Assert.Equal(expected[i].Fields, Text(decoder.Decode(HpackBlocks.Bytes(blocks[i]))));
            Assert.Equal(expected[i].Table, Text(decoder.Table()));
            Assert.Equal(expected[i].Size, decoder.TableSize);
        }
    }

    // The encoder of the examples: everything is put into the table. Ours has its reasons not to; table and representations are the same.
    private static void DemandWritten(int tableSize, string[] blocks, (string Fields, string Table, int Size)[] expected)
    {
        var table = new EncoderTable();
        table.Resize(tableSize);
        for (int i = 0; i < blocks.Length; i++)
        {
            byte[] block = new byte[200];
            var writer = new BlockWriter(block);
            foreach (string field in expected[i].Fields.Split(" | "))
            {
                int colon = field.IndexOf(": ", 1, StringComparison.Ordinal);
                Write(ref writer, table, field[..colon], field[(colon + 2)..]);
            }
            table.Mark();
            Assert.Equal(HpackBlocks.Bytes(blocks[i]), block[..writer.Length]);
            Assert.Equal(expected[i].Size, table.Size);
        }
    }

    private static void Write(ref BlockWriter writer, EncoderTable table, string name, string value)
    {
        uint hash = EncoderTable.HashOf(name, value);
        long entry = table.Find(name, value, hash);
        int index = Array.IndexOf(StaticTable.Fields, (name, value)) + 1;
        if (index > 0 || entry != EncoderTable.NotFound)
        {
            writer.WriteIndexed(index > 0 ? index : table.GetIndex(entry));
            return;
        }
        index = Array.FindIndex(StaticTable.Fields, field => field.Name == name) + 1;
        writer.WriteLiteral(Indexing.Incremental, index);
        if (index == 0)
            writer.WriteName(name);
        Assert.True(writer.TryWriteValue(value));
        table.Add(name, value, value.Length, hash);
    }

    private static string Text((string Name, string Value)[] fields) =>
        string.Join(" | ", fields.Select(field => $"{field.Name}: {field.Value}"));
}
