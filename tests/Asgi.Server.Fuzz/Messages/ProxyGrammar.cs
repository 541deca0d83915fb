// Draws PROXY headers of both versions, and what is nearly one.

using System.Text;

namespace Asgi.Server.Fuzz.Messages;

internal static class ProxyGrammar
{
    private const string Signature = "\r\n\r\n\0\r\nQUIT\n";

    private static readonly string[] Protocols = ["TCP4", "TCP4", "TCP6", "UNKNOWN", "TCP", "UDP4", ""];
    private static readonly string[] Addresses =
    [
        "192.0.2.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "1", "::", "::1", "2001:db8::1",
        "1:2:3:4:5:6:7:8", "1::2::3", "::ffff:1.2.3.4", "::ffff:01.2.3.4", "fe80::1%1", "[::1]", "12345::", "",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ];
    private static readonly string[] Ports = ["0", "1", "443", "65535", "65536", "007", "-1", "+1", "", "99999999999", "0x50"];
    private static readonly string[] Ends = ["\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", " \r\n", ""];
    private static readonly string[] Tails = ["", "GET / HTTP/1.1\r\n\r\n", "\r\n", "\0"];

    // Versions and commands, families and protocols: mostly right.
    private const string Commands = "\u0021\u0021\u0021\u0021\u0020\u0022\u0011\u0031";
    private const string Families = "\u0011\u0021\u0031\u0012\u0022\u0000\u0010\u0041\u0013";

    public static FuzzCase Draw(Random random)
    {
        string header = random.Next(2) == 0 ? Text(random) : Binary(random);
        byte[] bytes = Mutation.Apply(random, header + HeadGrammar.Pick(random, Tails));
        return new ProxyCase(bytes, random.Next(4) == 0 ? random.Next(232, 400) : 4096, random.Next());
    }

    private static string Text(Random random)
    {
        string space = random.Next(30) == 0 ? "  " : " ";
        string address = HeadGrammar.Pick(random, Addresses);
        string other = random.Next(2) == 0 ? address : HeadGrammar.Pick(random, Addresses);
        string rest = string.Join(space, address, other, HeadGrammar.Pick(random, Ports), HeadGrammar.Pick(random, Ports));
        return $"PROXY{space}{HeadGrammar.Pick(random, Protocols)}{space}{rest}{HeadGrammar.Pick(random, Ends)}";
    }

    private static string Binary(Random random)
    {
        char family = Families[random.Next(Families.Length)];
        int addresses = (family >> 4) switch
        {
            1 => 12,
            2 => 36,
            3 => 216,
            _ => random.Next(3),
        };
        var rest = new StringBuilder(Bytes(random, addresses));
        for (int tlvs = random.Next(4); tlvs > 0; tlvs--)
        {
            int length = random.Next(20) == 0 ? random.Next(300) : random.Next(6);
            rest.Append((char)random.Next(8)).Append((char)(length >> 8)).Append((char)(length & 0xFF)).Append(Bytes(random, length));
        }
        // Sometimes a lie.
        int said = random.Next(20) == 0 ? random.Next(400) : rest.Length;
        return $"{Signature}{Commands[random.Next(Commands.Length)]}{family}{(char)(said >> 8)}{(char)(said & 0xFF)}{rest}";
    }

    private static string Bytes(Random random, int length) =>
        string.Concat(Enumerable.Range(0, length).Select(_ => (char)(random.Next(3) == 0 ? random.Next(256) : 'a')));
}
