// Draws heads of requests, piece by piece from tables: mostly valid ones, each piece sometimes one that tempts a parser.

using System.Text;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Fuzz.Messages;

internal static class HeadGrammar
{
    private static readonly string[] Methods = ["GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "get", "M-SEARCH", "G!T"];

    private static readonly string[] Targets =
    [
        "/", "/a/b?c=d", "/%2e%2e/a", "/a%00", "/?%00", "//a", "/a#b", "*", "a:80", "a", "[::1]:443", "http://a/", "http://a",
        "HTTPS://A:443?x",
        "http://a:81/b", "http://u@a/", "http://", "http://[::1]/", "https://a:/", "ftp://a/", "/\"<>\\^`{|}", "?", "a:65536", "http:/a",
    ];

    private static readonly string[] Versions =
        ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/1.", "HTTP/1.10", ""];

    private static readonly string[] Hosts =
    [
        "a", "A", "a:80", "a:443", "a:81", "", "a:", "a:065535", "a:65536", "a b", "a,b", "u@a", "[::1]", "[::1]:443", "[::1", "[::1]x",
        "[1:2:3:4:5:6:7:8]", "[1:2:3:4::5:6:7:8]", "[1:2:3:4:5:6:7::]", "[::1.2.3.4]", "[::1.2.3]", "[::01.2.3.4]", "[::1.2.3.256]",
        "[1::2::3]", "[fe80::1%1]", "[12345::]", "[:1]", "[::ffff:1.2.3.4]", "[1.2.3.4]", "[1.2.3.4::]", "[::1:2:3:4:5:6:7:8]", "[::0x1]",
        "a%41", "a*", "xn--a.b-c_d~", "[]", "[:]", "[::1:]", "[::1]:0", "[::1.2.3.4:5]", "[::1/64]",
    ];

    private static readonly string[] Lengths =
    [
        "0", "1", "5", "007", "+5", "-1", "", "5, 5", "5,5", "0x5", "5 5", "9223372036854775807", "9223372036854775808", "1_0",
        "99999999999999999999",
    ];

    private static readonly string[] Codings =
    [
        "chunked", "CHUNKED", "gzip, chunked", "chunked, gzip", "chunked, chunked", ",chunked", "chunked;a", "identity", "", "xchunked",
        "\tchunked ",
    ];

    private static readonly string[] Options =
        ["close", "keep-alive", "Keep-Alive, Upgrade", "upgrade", "CLOSE, x", "x,\tclose", "closed", ",,", "keep-alive,close", "\"close\""];

    private static readonly string[] Values =
        ["", "b", " b ", "\tb\t", "b c", "\u00C3\u00A9", "\u00E9", "\u0001", "a\u007F", "\u00F4\u0090\u0080\u0080"];

    public static FuzzCase Draw(Random random)
    {
        var wire = new StringBuilder();
        for (int i = random.Next(4) == 0 ? 2 : 1; i > 0; i--)
            Write(random, wire);
        return new WireCase(Mutation.Apply(random, wire.ToString()), DrawLimits(random), random.Next());
    }

    /// <summary>The defaults, or small ones that the tables reach.</summary>
    public static Http1Limits DrawLimits(Random random) => random.Next(2) == 0 ? Http1Limits.Default : new Http1Limits
    {
        MaxRequestLineSize = random.Next(14, 60),
        MaxRequestHeadersTotalSize = random.Next(8, 120),
        MaxRequestHeaderCount = random.Next(1, 6),
        MaxChunkExtensionSize = random.Next(0, 12),
    };

    public static string Pick(Random random, string[] table) => table[random.Next(table.Length)];

    private static void Write(Random random, StringBuilder wire)
    {
        if (random.Next(8) == 0)
            wire.Insert(wire.Length, "\r\n", random.Next(1, 4));
        // The first entries of a table are what is usual.
        wire.Append($"{Usual(random, Methods)} {Usual(random, Targets)} {Usual(random, Versions)}\r\n");
        if (random.Next(12) != 0)
            WriteField(random, wire, "Host", Hosts);
        for (int i = random.Next(4); i > 0; i--)
            WriteAnyField(random, wire);
        wire.Append("\r\n");
        if (random.Next(3) == 0)
            wire.Append("hello");
    }

    private static void WriteAnyField(Random random, StringBuilder wire)
    {
        switch (random.Next(8))
        {
            case 0 or 1:
                WriteField(random, wire, "Content-Length", Lengths);
                break;
            case 2 or 3:
                WriteField(random, wire, "Transfer-Encoding", Codings);
                break;
            case 4:
                WriteField(random, wire, "Connection", Options);
                break;
            case 5:
                WriteField(random, wire, random.Next(2) == 0 ? "Expect" : "Host", ["100-continue", "100-CONTINUE", "a", "x, 100-continue"]);
                break;
            default:
                WriteField(random, wire, Pick(random, ["X", "x-y", "Cookie", "!", "Content_Length", "Content-Length2"]), Values);
                break;
        }
    }

    private static void WriteField(Random random, StringBuilder wire, string name, string[] values)
    {
        string spelled = random.Next(5) == 0 ? name.ToUpperInvariant() : name;
        wire.Append(spelled).Append(random.Next(30) == 0 ? " :" : ":").Append(random.Next(4) == 0 ? "" : " ");
        wire.Append(Usual(random, values)).Append(random.Next(60) == 0 ? "\n" : "\r\n");
    }

    private static string Usual(Random random, string[] table) =>
        random.Next(3) != 0 ? table[random.Next(Math.Min(2, table.Length))] : Pick(random, table);
}
