// The keys of an endpoint's section ProxyProtocol. Read by the configuration loader, on the host's threads.
using System.Net;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Hosting;

internal static class ProxyProtocolSettings
{
    /// <summary>The section: an endpoint that has it reads PROXY headers.</summary>
    public static readonly Setting<ListenOptions> Section = new(
        nameof(ListenOptions.ProxyProtocol), "a section with TrustedAddresses, TrustedNetworks or TrustAll", TrySet);

    private static readonly Setting<ProxyProtocolOptions>[] s_keys =
    [
        Setting.List<ProxyProtocolOptions>(
            nameof(ProxyProtocolOptions.TrustedAddresses), "IP addresses: a list, or one text with commas", TryAddAddress),
        Setting.List<ProxyProtocolOptions>(
            nameof(ProxyProtocolOptions.TrustedNetworks),
            "networks such as 10.0.0.0/8: a list, or one text with commas",
            TryAddNetwork),
        Setting.Flag<ProxyProtocolOptions>(nameof(ProxyProtocolOptions.TrustAll), (options, value) => options.TrustAll = value),
        Setting.Flag<ProxyProtocolOptions>(nameof(ProxyProtocolOptions.Required), (options, value) => options.Required = value),
        Setting.Time<ProxyProtocolOptions>(
            nameof(ProxyProtocolOptions.Timeout),
            "a time from 00:00:00.001 to 1.00:00:00",
            (options, value) => options.Timeout = value),
        Setting.Number<ProxyProtocolOptions>(
            nameof(ProxyProtocolOptions.MaxLength), "a whole number from 232 to 65551", (options, value) => options.MaxLength = value),
    ];

    private static bool TrySet(ListenOptions listen, IConfigurationSection section, ConfigurationFindings findings)
    {
        if (section.Value is not null)
        {
            return false;
        }

        var options = new ProxyProtocolOptions();
        var problemCount = findings.Problems.Count;
        s_keys.Apply(section, options, findings);
        if (findings.Problems.Count > problemCount)
        {
            return true;
        }

        try
        {
            listen.ProxyProtocol = options.ToRules(listen.EndPoint);
        }
        catch (InvalidOperationException exception)
        {
            findings.Problems.Add($"{section.Path} cannot be used. {exception.Message}");
        }

        return true;
    }

    private static bool TryAddAddress(ProxyProtocolOptions options, string text)
    {
        var isAddress = IPAddress.TryParse(text, out var address);
        if (isAddress)
        {
            options.TrustedAddresses.Add(address!);
        }

        return isAddress;
    }

    private static bool TryAddNetwork(ProxyProtocolOptions options, string text)
    {
        var isNetwork = IPNetwork.TryParse(text, out var network);
        if (isNetwork)
        {
            options.TrustedNetworks.Add(network);
        }

        return isNetwork;
    }
}
