// Field lists as a seed draws them: names and values of small sets that come again and again, beside some that never do. Called by tests.

using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Testing.Hpack;

internal static class RandomFields
{
    private const int LinesMax = 12;

    private static readonly string[] Names =
    [
        "Content-Type", "content-type", "Cache-Control", "Vary", "ETag", "Set-Cookie", "Location", "X-Request-Id", "x-a", "X-b", "Server",
        "Connection", "TE", "Strict-Transport-Security", "grpc-status", "X-A-Rather-Long-Name-Of-A-Field", "Last-Modified", "Age", "Link",
    ];

    private static readonly string[] Values =
    [
        "text/plain", "text/html; charset=utf-8", "", "no-cache", "0", "max-age=31536000", "Accept-Encoding, Origin", "~~~{{{|||", "\t ",
    ];

    public static (string Name, string Value)[] Draw(Random random)
    {
        var lines = new (string, string)[random.Next(LinesMax)];
        for (int i = 0; i < lines.Length; i++)
            lines[i] = (DrawName(random), DrawValue(random));
        return lines;
    }

    /// <summary>What comes out at the other end: names in lower case, without what speaks of a connection.</summary>
    public static (string Name, string Value)[] Sent((string Name, string Value)[] lines) =>
    [
        .. lines
            .Where(line => FieldRules.Find(line.Name) is not { Indexing: Indexing.Omitted })
            .Select(line => (line.Name.ToLowerInvariant(), line.Value)),
    ];

    private static string DrawName(Random random) => random.Next(8) == 0
        ? $"x-{random.Next(40)}{new string('n', random.Next(4) == 0 ? random.Next(200) : 0)}"
        : Names[random.Next(Names.Length)];

    private static string DrawValue(Random random)
    {
        if (random.Next(4) != 0)
            return Values[random.Next(Values.Length)];
        char[] value = new char[random.Next(10) == 0 ? random.Next(3000) : random.Next(40)];
        for (int i = 0; i < value.Length; i++)
            value[i] = (char)random.Next(' ', '~' + 1);
        return new string(value);
    }
}
