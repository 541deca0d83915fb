// What a callback of the configuration loader gets. On the host's thread while the server starts, or on that of a reload.
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server;

/// <summary>
/// An endpoint from configuration, for <see cref="AsgiServerConfigurationLoader.Endpoint(string, Action{EndpointConfiguration})"/>.
/// </summary>
public sealed class EndpointConfiguration
{
    internal EndpointConfiguration(
        ListenOptions listenOptions, IConfigurationSection configSection, bool isHttps, HttpsConnectionAdapterOptions httpsOptions)
    {
        IsHttps = isHttps;
        ListenOptions = listenOptions;
        HttpsOptions = httpsOptions;
        ConfigSection = configSection;
    }

    /// <summary>The endpoint, with everything its section says.</summary>
    public ListenOptions ListenOptions { get; }

    /// <summary>The section of the endpoint.</summary>
    public IConfigurationSection ConfigSection { get; }

    /// <summary>Whether the endpoint's address is https.</summary>
    public bool IsHttps { get; }

    /// <summary>
    /// The options of an https endpoint, with everything its section says but the certificate, which is loaded later: a certificate or
    /// selector that is set here comes before it. Without effect on an http endpoint.
    /// </summary>
    public HttpsConnectionAdapterOptions HttpsOptions { get; }
}
