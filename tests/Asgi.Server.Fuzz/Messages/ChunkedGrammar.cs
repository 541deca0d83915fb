// Draws requests with chunked content: sizes in every spelling, extensions, trailers, data that looks like framing, requests behind.

using System.Globalization;
using System.Text;

namespace Asgi.Server.Fuzz.Messages;

internal static class ChunkedGrammar
{
    private const string Head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string Tail = "GET /t HTTP/1.1\r\nHost: t\r\n\r\n";

    private static readonly string[] Sizes = ["x", "X", "x4", "X8", "x9", "x2"];
    private static readonly string[] Extensions =
        ["", "", "", "", ";", ";a", ";a=b", ";a=\"b\"", " ;a", "; a", ";\u00E9", ";\u0001", "\t", " "];
    private static readonly string[] Data = ["a", "\r\n", "0\r\n\r\n", "hello", "\u0000\u00FF", "5\r\nhello\r\n", "GET / HTTP/1.1\r\n\r\n"];
    private static readonly string[] Trailers =
        ["", "", "", "T: u\r\n", "T: u\r\nV:\r\n", "T u\r\n", " T: u\r\n", "T : u\r\n", "T: \u00E9\r\n", "Content-Length: 5\r\n", "T: u\n"];

    public static FuzzCase Draw(Random random)
    {
        var wire = new StringBuilder();
        for (int messages = random.Next(1, 3); messages > 0; messages--)
        {
            wire.Append(Head);
            for (int chunks = random.Next(5); chunks > 0; chunks--)
                WriteChunk(random, wire);
            wire.Append(random.Next(20) == 0 ? "00000000" : "0").Append(Rarely(random, Extensions)).Append("\r\n");
            wire.Append(HeadGrammar.Pick(random, Trailers)).Append("\r\n");
        }
        wire.Append(random.Next(2) == 0 ? Tail : "");

        // The head is the other fuzzer's: only what is behind it is changed.
        string message = wire.ToString();
        byte[] changed = Mutation.Apply(random, message[Head.Length..]);
        var limits = HeadGrammar.DrawLimits(random) with { MaxRequestLineSize = 100 };
        if (limits.MaxRequestHeaderCount > 1)
            limits = limits with { MaxRequestHeadersTotalSize = Math.Max(limits.MaxRequestHeadersTotalSize, Head.Length) };
        return new WireCase([.. Encoding.Latin1.GetBytes(Head), .. changed], limits, random.Next());
    }

    private static void WriteChunk(Random random, StringBuilder wire)
    {
        int length = random.Next(12) == 0 ? random.Next(1, 3000) : random.Next(1, 40);
        string data = HeadGrammar.Pick(random, Data);
        data = string.Concat(Enumerable.Repeat(data, length / data.Length + 1))[..length];
        // Sometimes a lie.
        int size = random.Next(25) == 0 ? length + random.Next(-1, 3) : length;
        wire.Append(size.ToString(Rarely(random, Sizes), CultureInfo.InvariantCulture)).Append(Rarely(random, Extensions)).Append("\r\n");
        wire.Append(data).Append(random.Next(40) == 0 ? "\n" : "\r\n");
    }

    private static string Rarely(Random random, string[] table) => random.Next(4) == 0 ? HeadGrammar.Pick(random, table) : table[0];
}
