// An endpoint as the configuration has it, with the text it came from: whether it has changed is whether the text has. Used by the loader
// and by EndpointReload, on the host's threads.
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Hosting;

/// <param name="Name">Its key.</param>
/// <param name="Text">What its section says.</param>
/// <param name="DefaultsText">What the section says of all endpoints.</param>
/// <param name="Listen">The endpoint.</param>
internal sealed record ConfiguredEndpoint(string Name, ConfigurationText Text, ConfigurationText DefaultsText, ListenOptions Listen);

/// <summary>The keys and values of a section, to tell whether they have changed.</summary>
internal sealed class ConfigurationText
{
    public static readonly ConfigurationText Empty = new([]);

    private readonly Dictionary<string, string?> _values;

    private ConfigurationText(Dictionary<string, string?> values) => _values = values;

    /// <param name="configuration">The section.</param>
    /// <param name="except">Children to leave out.</param>
    public static ConfigurationText Read(IConfiguration configuration, params string[] except)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var child in configuration.GetChildren().Where(child => !except.Any(key => Setting.IsKey(child, key))))
        {
            Collect(child, values);
        }

        return new ConfigurationText(values);
    }

    public bool Equals(ConfigurationText other) => !ChangedKeys(other).Any();

    /// <summary>Keys that one of both has not, or has otherwise, in the order of the alphabet.</summary>
    public IEnumerable<string> ChangedKeys(ConfigurationText other) =>
        _values.Keys.Union(other._values.Keys, StringComparer.OrdinalIgnoreCase)
            .Where(key => !_values.TryGetValue(key, out var one) || !other._values.TryGetValue(key, out var two) || one != two)
            .Order(StringComparer.OrdinalIgnoreCase);

    private static void Collect(IConfigurationSection section, Dictionary<string, string?> values)
    {
        var isLeaf = true;
        foreach (var child in section.GetChildren())
        {
            isLeaf = false;
            Collect(child, values);
        }

        if (isLeaf || section.Value is not null)
        {
            values[section.Path] = section.Value;
        }
    }
}
