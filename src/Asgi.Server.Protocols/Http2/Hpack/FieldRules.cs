// How each field name is sent in a response (RFC 7541, 7.1; RFC 9113, 8.2.2). Asked by the encoder for what
// its table does not hold; immutable.

using System.Collections.Frozen;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal enum Indexing
{
    /// <summary>Into the dynamic table.</summary>
    Incremental,

    /// <summary>Not into our table, since the value is another one each time.</summary>
    Without,

    /// <summary>Into no table on the way: a secret that could be guessed by what it compresses with (RFC 7541, 7.1.3).</summary>
    Never,

    /// <summary>Not sent: it speaks of a connection of HTTP/1 (RFC 9113, 8.2.2).</summary>
    Omitted,
}

/// <param name="Name">The name in lower case.</param>
/// <param name="StaticIndex">The entry of the static table with the name, or 0.</param>
/// <param name="Indexing">How it is sent.</param>
internal sealed record FieldRule(string Name, int StaticIndex, Indexing Indexing);

internal static class FieldRules
{
    private static readonly string[] Changing =
        ["age", "content-length", "content-range", "etag", "last-modified", "location"];

    private static readonly string[] Secret =
    [
        "authentication-info", "authorization", "content-disposition", "cookie", "proxy-authenticate", "proxy-authentication-info",
        "proxy-authorization", "set-cookie", "www-authenticate",
    ];

    private static readonly string[] OfConnections =
        ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

    private static readonly FrozenDictionary<string, FieldRule> Rules = MakeRules();

    /// <summary>The rule of a name in any case, or null for a name that is sent as any other.</summary>
    public static FieldRule? Find(string name) => Rules.GetValueOrDefault(name);

    private static FrozenDictionary<string, FieldRule> MakeRules()
    {
        var rules = new Dictionary<string, FieldRule>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < StaticTable.Count; i++)
        {
            string name = StaticTable.Fields[i].Name;
            // Pseudo-header fields are no fields that an application can set (RFC 9113, 8.3).
            if (name[0] != ':')
                rules.TryAdd(name, new FieldRule(name, i + 1, Indexing.Incremental));
        }
        Set(rules, Changing, Indexing.Without);
        Set(rules, Secret, Indexing.Never);
        Set(rules, OfConnections, Indexing.Omitted);
        return rules.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    private static void Set(Dictionary<string, FieldRule> rules, string[] names, Indexing indexing)
    {
        foreach (string name in names)
            rules[name] = new FieldRule(name, rules.GetValueOrDefault(name)?.StaticIndex ?? 0, indexing);
    }
}
