// The names of an endpoint's section Sni: a server's name, all names that end so, or any. Read on the host's threads and used on loops.
using System.Globalization;

namespace Asgi.Server.Hosting;

/// <summary>What is served under a server's name that the client has asked for (SNI; RFC 6066, section 3).</summary>
internal sealed class SniTable<T>
    where T : class
{
    private const string Any = "*";
    private const string WildcardPrefix = "*.";

    private static readonly IdnMapping s_idn = new();

    private readonly Dictionary<string, T> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(string Suffix, T Value)> _suffixes = [];
    private T? _any;

    /// <summary>Whether this can stand in the table: a name, *.name or *.</summary>
    public static bool IsName(string name) =>
        name == Any
        || (WithoutWildcard(WithoutRoot(name)) is { Length: > 0 } rest && !rest.Contains('*', StringComparison.Ordinal));

    public void Add(string name, T value)
    {
        name = WithoutRoot(name);
        if (name == Any)
        {
            _any = value;
        }
        else if (name.StartsWith(WildcardPrefix, StringComparison.Ordinal))
        {
            // The longest first: it is the one that says most.
            _suffixes.Add((ToUnicode(name[1..]), value));
            _suffixes.Sort(static (one, other) => other.Suffix.Length - one.Suffix.Length);
        }
        else
        {
            _exact[ToUnicode(name)] = value;
        }
    }

    /// <summary>The exact name, or the longest wildcard, or the one for any; null if there is none.</summary>
    /// <param name="name">As the framework has it, not in Punycode; empty when the client has said none.</param>
    public T? Find(string name)
    {
        name = WithoutRoot(name);
        if (name.Length > 0)
        {
            if (_exact.TryGetValue(name, out var exact))
            {
                return exact;
            }

            foreach (var (suffix, value) in _suffixes)
            {
                if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                {
                    return value;
                }
            }
        }

        return _any;
    }

    // A name may end with the dot of the root: it is the same name (RFC 1034, section 3.1), though clients should leave it out.
    private static string WithoutRoot(string name) => name.EndsWith('.') ? name[..^1] : name;

    private static string WithoutWildcard(string name) =>
        name.StartsWith(WildcardPrefix, StringComparison.Ordinal) ? name[WildcardPrefix.Length..] : name;

    // The framework tells the names of clients so.
    private static string ToUnicode(string name)
    {
        try
        {
            return name[0] == '.' ? '.' + s_idn.GetUnicode(name[1..]) : s_idn.GetUnicode(name);
        }
        catch (ArgumentException)
        {
            return name;
        }
    }
}
