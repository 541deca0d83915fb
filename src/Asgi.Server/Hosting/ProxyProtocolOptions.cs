// How an endpoint uses the PROXY protocol. Set on the host's thread, read once.
using System.Net;
using Asgi.Server.Connections;
using Asgi.Server.Protocols.ProxyProtocol;

namespace Asgi.Server;

/// <summary>
/// How an endpoint reads the PROXY protocol's headers, versions 1 and 2, by which TCP balancers (HAProxy, AWS NLB, Traefik, nginx stream)
/// tell whom they speak for.
/// </summary>
public sealed class ProxyProtocolOptions
{
    /// <summary>Bits of an IPv6 address before the IPv4 address that it maps.</summary>
    private const int MappedPrefixLength = 96;

    /// <summary>Addresses of proxies that are believed. Empty by default.</summary>
    public IList<IPAddress> TrustedAddresses { get; } = [];

    /// <summary>Networks of proxies that are believed. Empty by default.</summary>
    public IList<IPNetwork> TrustedNetworks { get; } = [];

    /// <summary>
    /// Whether every peer is believed: for endpoints that nobody but the proxy can reach, such as unix sockets, whose peers have no
    /// address. Whoever can reach such an endpoint can claim any address. Default false.
    /// </summary>
    public bool TrustAll { get; set; }

    /// <summary>
    /// Whether every connection must come from a trusted proxy and begin with a header; others are closed. If not, a trusted proxy may
    /// leave the header out, and connections of others are served with their own address and no header of theirs is read. Default true.
    /// </summary>
    public bool Required { get; set; } = true;

    /// <summary>How long a header may take from the accept on, in whole milliseconds. 1 millisecond to 1 day; default 5 seconds.</summary>
    public TimeSpan Timeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1));
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The longest header that is taken, in bytes, its TLVs included; a longer one ends the connection. 232 to 65,551; default 4,096.
    /// </summary>
    public int MaxLength
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, ProxyHeaderReader.LengthMin);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, ProxyHeaderReader.LengthMax);
            field = value;
        }
    } = 4096;

    /// <exception cref="InvalidOperationException">Nobody is trusted, or everybody and some in particular.</exception>
    internal ProxyProtocolRules ToRules(EndPoint endPoint)
    {
        var isAnyNamed = TrustedAddresses.Count + TrustedNetworks.Count > 0;
        if (!TrustAll && !isAnyNamed)
        {
            throw new InvalidOperationException(
                $"{endPoint}: UseProxyProtocol trusts no proxy. Name yours, as in UseProxyProtocol(options => "
                + "options.TrustedNetworks.Add(IPNetwork.Parse(\"10.0.0.0/8\"))) or with TrustedAddresses, or set TrustAll if nobody but "
                + "the proxy can reach the endpoint.");
        }

        if (TrustAll && isAnyNamed)
        {
            throw new InvalidOperationException(
                $"{endPoint}: UseProxyProtocol has TrustAll set and trusted addresses as well. Leave out one of them.");
        }

        return new ProxyProtocolRules
        {
            TrustedNetworks = [.. TrustedAddresses.Select(ToNetwork), .. TrustedNetworks.Select(ToPlain)],
            TrustsAll = TrustAll,
            IsRequired = Required,
            TimeoutMilliseconds = (long)Timeout.TotalMilliseconds,
            LengthMax = MaxLength,
        };
    }

    private static IPNetwork ToNetwork(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var bytes = plain.GetAddressBytes();
        return new IPNetwork(new IPAddress(bytes), bytes.Length * 8);
    }

    // Peers are looked up in IPv4's own form.
    private static IPNetwork ToPlain(IPNetwork network) =>
        network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedPrefixLength
            ? new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedPrefixLength)
            : network;
}
