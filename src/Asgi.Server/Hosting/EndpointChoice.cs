// Which endpoints a server listens on: the precedence of Hosting's addresses, code and configuration, and the default. Used by AsgiServer
// on the host's thread while it starts.
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Hosting;

internal static partial class EndpointChoice
{
    private const string DefaultAddress = "http://localhost:5000";

    /// <summary>Whether addresses are taken although there are endpoints.</summary>
    public static bool PrefersAddresses(ServerAddresses addresses) => addresses.PreferHostingUrls && addresses.Addresses.Count > 0;

    /// <exception cref="InvalidOperationException">An address asks for what the server does not do.</exception>
    /// <exception cref="FormatException">An address is none.</exception>
    public static IReadOnlyList<ListenOptions> Choose(AsgiServerOptions options, ServerAddresses addresses, ILogger logger)
    {
        var configured = options.ConfigurationLoader?.Endpoints ?? [];
        IReadOnlyList<ListenOptions> endpoints = [.. options.Endpoints, .. configured.Select(endpoint => endpoint.Listen)];
        var asked = string.Join(", ", addresses.Addresses);
        if (PrefersAddresses(addresses))
        {
            if (endpoints.Count > 0)
            {
                PreferringAddresses(logger, asked);
            }

            return Of(addresses.Addresses, options);
        }

        if (endpoints.Count > 0)
        {
            if (addresses.Addresses.Count > 0)
            {
                OverridingAddresses(logger, asked);
            }

            return endpoints;
        }

        if (addresses.Addresses.Count > 0)
        {
            return Of(addresses.Addresses, options);
        }

        UsingDefault(logger, DefaultAddress);
        return Of([DefaultAddress], options);
    }

    private static ListenOptions[] Of(IEnumerable<string> addresses, AsgiServerOptions options)
    {
        ListenOptions[] endpoints = [.. addresses.Select(address => options.CreateServed(EndpointAddress.Parse(address)))];
        ConfigurationFindings.Demand([.. endpoints.SelectMany(endpoint => endpoint.Problems())]);
        return endpoints;
    }

    [LoggerMessage(0, LogLevel.Warning,
        "Overriding address(es) '{Addresses}'. Binding to endpoints defined in code or configuration instead.",
        EventName = "OverridingAddresses")]
    private static partial void OverridingAddresses(ILogger logger, string addresses);

    [LoggerMessage(200, LogLevel.Information,
        "Binding to address(es) '{Addresses}' instead of endpoints defined in code or configuration, since 'PreferHostingUrls' is set.",
        EventName = "PreferringAddresses")]
    private static partial void PreferringAddresses(ILogger logger, string addresses);

    [LoggerMessage(201, LogLevel.Debug,
        "No listening endpoints were configured. Binding to {Address} by default.",
        EventName = "UsingDefault")]
    private static partial void UsingDefault(ILogger logger, string address);
}
