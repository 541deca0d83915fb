// What a callback of the configuration loader gets. On the host's thread while the server starts, or on that of a reload.
using Microsoft.Extensions.Configuration;

namespace Asgi.Server;

/// <summary>
/// An endpoint from configuration, for <see cref="AsgiServerConfigurationLoader.Endpoint(string, Action{EndpointConfiguration})"/>.
/// </summary>
public sealed class EndpointConfiguration
{
    internal EndpointConfiguration(ListenOptions listenOptions, IConfigurationSection configSection, bool isHttps)
    {
        IsHttps = isHttps;
        ListenOptions = listenOptions;
        ConfigSection = configSection;
    }

    /// <summary>The endpoint, with everything its section says.</summary>
    public ListenOptions ListenOptions { get; }

    /// <summary>The section of the endpoint.</summary>
    public IConfigurationSection ConfigSection { get; }

    /// <summary>Whether the endpoint has TLS, which is not served yet: always false.</summary>
    public bool IsHttps { get; }
}
