// An endpoint as the configuration has it, with the text it came from: whether it has changed is whether the text has. Used by the loader
// and by EndpointReload, on the host's threads.
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Hosting;

/// <param name="Name">Its key.</param>
/// <param name="Text">What its section says, and the section says of all endpoints, but for TLS.</param>
/// <param name="TlsText">What both say of TLS, which changes while the endpoint is served.</param>
/// <param name="Listen">The endpoint.</param>
internal sealed record ConfiguredEndpoint(string Name, EndpointText Text, EndpointText TlsText, ListenOptions Listen)
{
    /// <summary>The endpoint as it is served, from which this one differs in TLS only; null if it differs in more.</summary>
    public ConfiguredEndpoint? Served { get; init; }
}

/// <summary>A part of what is said of one endpoint.</summary>
internal sealed record EndpointText(ConfigurationText Own, ConfigurationText Defaults)
{
    public bool Equals(EndpointText? other) => other is not null && Own.Equals(other.Own) && Defaults.Equals(other.Defaults);

    public override int GetHashCode() => 0;
}

/// <summary>The keys and values of a section, to tell whether they have changed.</summary>
internal sealed class ConfigurationText
{
    public static readonly ConfigurationText Empty = new([]);

    private readonly Dictionary<string, string?> _values;

    public bool IsEmpty => _values.Count == 0;

    private ConfigurationText(Dictionary<string, string?> values) => _values = values;

    /// <param name="configuration">The section.</param>
    /// <param name="except">Children to leave out.</param>
    public static ConfigurationText Read(IConfiguration configuration, params string[] except) =>
        Read(configuration, child => !except.Any(key => Setting.IsKey(child, key)));

    /// <param name="configuration">The section.</param>
    /// <param name="only">Children to read.</param>
    public static ConfigurationText ReadOnly(IConfiguration configuration, params string[] only) =>
        Read(configuration, child => only.Any(key => Setting.IsKey(child, key)));

    private static ConfigurationText Read(IConfiguration configuration, Func<IConfigurationSection, bool> isRead)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var child in configuration.GetChildren().Where(isRead))
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
