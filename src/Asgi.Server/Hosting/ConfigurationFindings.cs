// What is wrong with a configuration: values that cannot be used, which stop the start, and keys nobody knows, which are told in the log.
// Filled by Setting and the loader, on the host's threads.
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Hosting;

/// <param name="Path">The whole key.</param>
/// <param name="Nearest">A known key of the same section that looks like it; null if none does.</param>
internal sealed record UnknownKey(string Path, string? Nearest);

internal sealed class ConfigurationFindings
{
    public List<string> Problems { get; } = [];

    public List<UnknownKey> UnknownKeys { get; } = [];

    /// <summary>Whether there is a section of Kestrel's beside the server's own, which alone is read.</summary>
    public bool IsKestrelSectionIgnored { get; set; }

    /// <exception cref="InvalidOperationException">There are problems; they are all in its message.</exception>
    public static void Demand(IReadOnlyList<string> problems)
    {
        if (problems.Count > 0)
        {
            throw new InvalidOperationException(
                problems.Count == 1 ? problems[0] : $"The options of Asgi.Server cannot be used:\n- {string.Join("\n- ", problems)}");
        }
    }

    public void AddProblem(IConfigurationSection section, string allowed) =>
        Problems.Add($"{section.Path} ({Setting.Show(section)}) must be {allowed}.");

    public void AddUnknown(IConfigurationSection section, IEnumerable<string> known)
    {
        var nearest = known.MinBy(key => Distance(key, section.Key));
        var isAlike = nearest is not null
            && (nearest.Contains(section.Key, StringComparison.OrdinalIgnoreCase)
                || Distance(nearest, section.Key) <= Math.Max(nearest.Length, section.Key.Length) / 2);
        UnknownKeys.Add(new UnknownKey(section.Path, isAlike ? nearest : null));
    }

    // Levenshtein's: how many letters to put in, take out or change, by rows of the table.
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 0; i < one.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 0; j < other.Length; j++)
            {
                var change = diagonal + (char.ToUpperInvariant(one[i]) == char.ToUpperInvariant(other[j]) ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(change, Math.Min(row[j], diagonal) + 1);
            }
        }

        return row[^1];
    }
}
