// Requests that are the same block again: they mean what they would mean if they were read anew, and nothing else.

using System.Text;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Protocols.Tests.Http2;

public class RepeatedHeadTests
{
    // Of HPACK (RFC 7541): GET, http and / by index; others by literals that go into the table, and by the indexes they get there.
    private static readonly byte[] Indexed = [0x82, 0x86, 0x84];
    private static readonly byte[] AddAuthority = [0x41, 1, (byte)'a'];
    private static readonly byte[] AddX = [0x40, 1, (byte)'x', 1, (byte)'1'];
    private static readonly byte[] AddY = [0x40, 1, (byte)'y', 1, (byte)'2'];
    private const byte Newest = 0xBE;
    private const byte SecondNewest = 0xBF;

    [Fact]
    public void The_same_block_is_the_same_request()
    {
        byte[] again = [.. Indexed, SecondNewest, Newest];
        Assert.Equal(
            [
                "Request 1 GET /| http [host: a|x: 1] end", "Request 3 GET /| http [host: a|x: 1] end",
                "Request 5 GET /| http [host: a|x: 1] end", "Request 7 GET /| http [host: a|x: 1] end",
                "Request 9 GET /| http [host: a|x: 1] end",
            ],
            Http2Run.Of(
                Block(1, [.. Indexed, .. AddAuthority, .. AddX]), Block(3, again), Block(5, again), Block(7, again), Block(9, again)));
    }

    [Fact]
    public void Behind_another_entry_the_same_block_is_another_request()
    {
        byte[] again = [.. Indexed, Newest];
        Assert.Equal(
            [
                "Request 1 GET /| http [host: a] end", "Request 3 GET /| http [host: a] end", "Request 5 GET /| http [host: a] end",
                "Request 7 GET /| http [host: a] end", "Request 9 GET /| http [host: a|x: 1] end", "Request 11 GET /| http [x: 1] end",
                "Request 13 GET /| http [x: 1] end", "Request 15 GET /| http [x: 1] end",
            ],
            Http2Run.Of(
                Block(1, [.. Indexed, .. AddAuthority]), Block(3, again), Block(5, again), Block(7, again),
                Block(9, [.. Indexed, Newest, .. AddX]), Block(11, again), Block(13, again), Block(15, again)));
    }

    [Fact]
    public void A_block_that_adds_an_entry_does_not_mean_the_same_again()
    {
        byte[] adds = [.. Indexed, Newest, .. AddY];
        Assert.Equal(
            [
                "Request 1 GET /| http [host: a] end", "Request 3 GET /| http [host: a|y: 2] end",
                "Request 5 GET /| http [y: 2|y: 2] end", "Request 7 GET /| http [y: 2|y: 2] end",
            ],
            Http2Run.Of(Block(1, [.. Indexed, .. AddAuthority]), Block(3, adds), Block(5, adds), Block(7, adds)));
    }

    [Fact]
    public void Entries_that_were_evicted_are_an_error_however_often_they_were_named()
    {
        byte[] again = [.. Indexed, Newest];
        IReadOnlyList<string> told = Http2Run.Of(
            Block(1, [.. Indexed, .. AddAuthority]), Block(3, again), Block(5, again), Block(7, again),
            Block(9, [0x20, 0x3F, 0xE1, 0x1F, .. Indexed]), Block(11, again));
        Assert.Equal("Request 9 GET /| http [] end", told[^2]);
        Assert.StartsWith("Fault CompressionError", told[^1], StringComparison.Ordinal);
    }

    // RFC 7541, section 4.2: the first block behind the acknowledgement has to say that the table is smaller.
    [Fact]
    public void A_size_of_the_table_that_is_missing_is_missed_in_the_same_block_too()
    {
        IReadOnlyList<string> told = Http2Run.Of(
            new Http2Limits { HeaderTableSize = 100 },
            Block(1, Indexed), Block(3, Indexed), Block(5, Indexed), SettingsAck(), Block(7, Indexed));
        Assert.Equal("Request 5 GET /| http [] end", told[2]);
        Assert.StartsWith("Fault CompressionError", told[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Whether_there_is_content_counts()
    {
        byte[] withLength = [.. Indexed, 0x0F, 0x0D, 1, (byte)'5'];
        IReadOnlyList<string> told = Http2Run.Of(
            Block(1, withLength, end: false), Block(3, withLength, end: false), Block(5, withLength, end: false), Block(7, withLength));
        Assert.Equal(4, told.Count);
        Assert.All(told.Take(3), request => Assert.EndsWith("[content-length: 5]", request, StringComparison.Ordinal));
        Assert.Equal("StreamFault 7 ProtocolError ContentLengthMismatch", told[3]);
    }

    [Fact]
    public void What_is_refused_is_refused_again()
    {
        byte[] misplaced = [0x82, 0x86, 0x10, 1, (byte)'x', 0, 0x84];
        Assert.Equal(
            Enumerable.Range(0, 4).Select(i => $"StreamFault {1 + 2 * i} ProtocolError MisplacedPseudoField"),
            Http2Run.Of([.. Enumerable.Range(0, 4).Select(i => Block((uint)(1 + 2 * i), misplaced))]));
    }

    [Fact]
    public void Any_blocks_in_any_order_mean_what_they_mean_to_a_reader_that_remembers_none() => Seeds.Run(200, seed =>
    {
        var random = new Random(seed);
        byte[][] parts =
        [
            [], AddAuthority, AddX, AddY, [Newest], [SecondNewest], [0xC0], [0x10, 1, (byte)'z', 1, (byte)'3'],
            [0x0F, 0x0D, 1, (byte)'5'],
        ];
        byte[] Part() => parts[random.Next(parts.Length)];
        byte[][] blocks = [.. Enumerable.Range(0, 4).Select(byte[] (_) => [.. Indexed, .. Part(), .. Part()])];
        var limits = new Http2Limits();
        var remembers = new FieldSectionReader(limits);
        var forgets = new FieldSectionReader(limits);
        var heads = (new Http2RequestHead(), new Http2RequestHead());
        for (int i = 0, next = 0; i < 60; i++)
        {
            next = random.Next(3) == 0 ? random.Next(blocks.Length) : next;
            bool endStream = random.Next(8) != 0;
            forgets.DropScratch();
            heads.Item1.Clear();
            heads.Item2.Clear();
            FieldSectionResult result = remembers.ReadHead(blocks[next], heads.Item1, endStream);
            Assert.Equal(forgets.ReadHead(blocks[next], heads.Item2, endStream), result);
            Assert.Equal(forgets.Fault?.Name, remembers.Fault?.Name);
            if (result == FieldSectionResult.ConnectionFault)
                return;
            if (result == FieldSectionResult.Done)
                Assert.Equal(Told(heads.Item2), Told(heads.Item1));
        }
    });

    [Fact]
    public void Each_stream_has_bytes_of_its_own()
    {
        var reader = new FieldSectionReader(new Http2Limits());
        byte[] block = [.. Indexed, 0x10, 1, (byte)'z', 1, (byte)'3'];
        Http2RequestHead[] heads = [new(), new(), new(), new()];
        foreach (Http2RequestHead head in heads)
            Assert.Equal(FieldSectionResult.Done, reader.ReadHead(block, head, endStream: true));

        string told = Told(heads[3]);
        foreach (Http2RequestHead head in heads[..3])
        {
            Array.Clear(head.Bytes);
            head.Clear();
        }
        Assert.Equal(told, Told(heads[3]));
        Assert.Equal(FieldSectionResult.Done, reader.ReadHead(block, heads[0], endStream: true));
        Assert.Equal(told, Told(heads[0]));

        // Nor does what is remembered next stand in the bytes of a stream that goes on.
        byte[] other = [.. Indexed, 0x10, 1, (byte)'y', 1, (byte)'4'];
        for (int i = 0; i < 3; i++)
        {
            heads[1].Clear();
            Assert.Equal(FieldSectionResult.Done, reader.ReadHead(other, heads[1], endStream: true));
        }
        Assert.Equal((told, told), (Told(heads[0]), Told(heads[3])));
    }

    private static byte[] Block(uint id, byte[] block, bool end = true) =>
        Frame(HeadersType, EndHeaders | (end ? EndStream : 0), id, block);

    private static string Told(Http2RequestHead head)
    {
        string Of(ByteRange range) => Encoding.Latin1.GetString(head[range]);
        IEnumerable<string> fields = Enumerable.Range(0, head.Fields.Count).Select(
            i => $"{Encoding.Latin1.GetString(head.Fields.GetName(i))}: {Encoding.Latin1.GetString(head.Fields.GetValue(i))}");
        ByteRange[] ranges = [head.Method, head.Scheme, head.Authority, head.Target, head.Path, head.Query, head.Protocol];
        return $"{string.Join(' ', ranges.Select(Of))} {head.Form} {head.HasContent} {head.ContentLength} {head.ExpectContinue}"
            + $" {head.Fault?.Status}|{string.Join('|', fields)}";
    }
}
