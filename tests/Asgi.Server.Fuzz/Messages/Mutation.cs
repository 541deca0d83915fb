// What a hostile or broken client does to bytes that were a message.

using System.Text;

namespace Asgi.Server.Fuzz.Messages;

internal static class Mutation
{
    private const string Telling = "\r\n\t :;,/?#%@*[]\"019aFHTP.\0\u007F\u0080\u00C3\u00A9\u00FF";

    private static readonly string[] TellingTexts =
    [
        "\r\n", "\r\n\r\n", "\n\n", "\r", " \r\n", "\r\n ", "0\r\n\r\n", "HTTP/1.1", " HTTP/1.0\r\n", "Host: a\r\n",
        "Content-Length: 1\r\n",
        "Transfer-Encoding: chunked\r\n", "%00", "ffffffff", "\u00C3\u00A9", "\u00ED\u00A0\u0080", "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
    ];

    /// <summary>Changes the bytes up to five times; often not at all.</summary>
    public static byte[] Apply(Random random, string message)
    {
        var bytes = new List<byte>(Encoding.Latin1.GetBytes(message));
        for (int i = random.Next(6) - 2; i > 0; i--)
            Change(random, bytes);
        return [.. bytes.Take(random.Next(10) == 0 ? random.Next(bytes.Count + 1) : bytes.Count)];
    }

    private static void Change(Random random, List<byte> bytes)
    {
        int position = random.Next(bytes.Count + 1);
        int length = Math.Min(random.Next(1, 30), bytes.Count - position);
        switch (random.Next(8))
        {
            case 0:
                bytes.Insert(position, AnyByte(random));
                break;
            case 1 when length > 0:
                bytes[position] = AnyByte(random);
                break;
            case 2 when length > 0:
                bytes[position] ^= (byte)(1 << random.Next(8));
                break;
            case 3:
                bytes.RemoveRange(position, random.Next(3) == 0 ? length : Math.Min(1, length));
                break;
            case 4:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(position, length));
                break;
            case 5:
                bytes.InsertRange(position, Encoding.Latin1.GetBytes(TellingTexts[random.Next(TellingTexts.Length)]));
                break;
            case 6:
                bytes.InsertRange(position, Enumerable.Repeat(AnyByte(random), Huge(random)));
                break;
            default:
                if (bytes.IndexOf((byte)'\n', position) is >= 0 and var lineEnd)
                    bytes.InsertRange(lineEnd + 1, bytes.GetRange(position, lineEnd + 1 - position));
                break;
        }
    }

    // Rarely beyond the default limits, for long inputs are slow; small limits are met by the short ones.
    private static int Huge(Random random) => random.Next(40) == 0 ? random.Next(7_000, 36_000) : random.Next(1, 200);

    private static byte AnyByte(Random random) =>
        (byte)(random.Next(4) == 0 ? random.Next(256) : Telling[random.Next(Telling.Length)]);
}
