// Seeded random input: any bytes give events or a fault and nothing else, and decoding in place gives what a naive decoder gives.

using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing;

namespace Asgi.Server.Protocols.Tests.Http1;

public class RandomBytesTests
{
    private const string Seed = "POST /a%2e/b?c HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
        + "5;e=1\r\nhello\r\n0\r\nT: u\r\n\r\n"
        + "PUT http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabcGET / HTTP/1.0\r\n\r\n";

    private static readonly Http1Limits SmallLimits =
        new() { MaxRequestLineSize = 40, MaxRequestHeadersTotalSize = 90, MaxRequestHeaderCount = 4, MaxChunkExtensionSize = 8 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Any_bytes_in_any_pieces_give_the_same_events_or_fault(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 3000; round++)
        {
            byte[] bytes = Mutate(random);
            Http1Limits limits = random.Next(2) == 0 ? Http1Limits.Default : SmallLimits;
            string whole = Run(bytes, [bytes.Length], limits, seed, round);
            Assert.True(whole == Run(bytes, Pieces(random, bytes.Length), limits, seed, round), Where(seed, round, bytes));
            Assert.True(whole == Run(bytes, Enumerable.Repeat(1, bytes.Length), limits, seed, round), Where(seed, round, bytes));
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Decoding_in_place_equals_a_naive_decoder(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 1000; round++)
        {
            string chunked = BuildChunked(random);
            (string content, string rest) = DecodeNaively(chunked);
            byte[] bytes = new Wire("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked).Bytes;
            WireMessage message = WireRun.Feed(bytes, Pieces(random, bytes.Length)).Message;
            Assert.True(message.IsComplete && message.Content == content, Where(seed, round, bytes));
            Assert.True(message.FramingBytes == chunked.Length - content.Length - rest.Length, Where(seed, round, bytes));
        }
    }

    private static string Run(byte[] bytes, IEnumerable<int> pieces, Http1Limits limits, int seed, int round)
    {
        try
        {
            return WireRun.Feed(bytes, pieces, limits).ToString();
        }
        catch (Exception thrown)
        {
            Assert.Fail($"{Where(seed, round, bytes)}\n{thrown}");
            throw;
        }
    }

    private static string Where(int seed, int round, byte[] bytes) =>
        $"seed {seed} round {round}: {Wire.Show(Encoding.Latin1.GetString(bytes))}";

    private static byte[] Mutate(Random random)
    {
        const string Telling = "\r\n\t :;,/?#%@*[]0159afHTP.\0\u007F\u0080\u00C3\u00A9\u00FF";
        var bytes = new List<byte>(Encoding.Latin1.GetBytes(Seed));
        for (int i = random.Next(6); i > 0; i--)
        {
            int position = random.Next(bytes.Count);
            byte b = (byte)(random.Next(4) == 0 ? random.Next(256) : Telling[random.Next(Telling.Length)]);
            switch (random.Next(4))
            {
                case 0:
                    bytes.Insert(position, b);
                    break;
                case 1:
                    bytes.RemoveAt(position);
                    break;
                case 2:
                    bytes[position] = b;
                    break;
                default:
                    bytes.InsertRange(position, bytes.GetRange(position, random.Next(bytes.Count - position)));
                    break;
            }
        }
        return [.. bytes];
    }

    private static List<int> Pieces(Random random, int length)
    {
        var pieces = new List<int>();
        for (int left = length; left > 0; left -= pieces[^1])
            pieces.Add(Math.Min(left, random.Next(1, 40)));
        return pieces;
    }

    private static string BuildChunked(Random random)
    {
        var wire = new StringBuilder();
        for (int chunks = random.Next(8); chunks > 0; chunks--)
        {
            int size = random.Next(1, random.Next(2) == 0 ? 4 : 300);
            wire.Append(size.ToString(random.Next(2) == 0 ? "x" : "X4", CultureInfo.InvariantCulture));
            wire.Append(random.Next(3) == 0 ? ";a=b\r\n" : "\r\n");
            for (int i = 0; i < size; i++)
                wire.Append((char)random.Next(256));
            wire.Append("\r\n");
        }
        return wire.Append(random.Next(2) == 0 ? "0\r\n\r\n" : "000;x\r\nT: u\r\nV: w\r\n\r\n").ToString();
    }

    /// <summary>The grammar of RFC 9112, 7.1.3, word for word. Gives the content and what follows the last chunk.</summary>
    private static (string Content, string Remainder) DecodeNaively(string wire)
    {
        var content = new StringBuilder();
        while (true)
        {
            int end = wire.IndexOf("\r\n", StringComparison.Ordinal);
            int size = int.Parse(wire[..end].Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            wire = wire[(end + 2)..];
            if (size == 0)
                return (content.ToString(), wire);
            content.Append(wire, 0, size);
            wire = wire[(size + 2)..];
        }
    }
}
