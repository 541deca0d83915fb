// Whose PROXY headers are believed, and how they are waited for. Made by Hosting from an endpoint's options, once; read on loop threads.
using System.Net;
using System.Net.Sockets;

namespace Asgi.Server.Connections;

internal sealed record ProxyProtocolRules
{
    /// <summary>The proxies; an address is a network of its own. IPv4 in IPv4's form.</summary>
    public IReadOnlyList<IPNetwork> TrustedNetworks { get; init; } = [];

    /// <summary>Whether every peer is a proxy, those of unix sockets included.</summary>
    public bool TrustsAll { get; init; }

    /// <summary>Whether a connection needs a header, and a peer that is trusted.</summary>
    public bool IsRequired { get; init; } = true;

    /// <summary>How long a header may take.</summary>
    public long TimeoutMilliseconds { get; init; } = 5_000;

    /// <summary>Bytes a header may have.</summary>
    public int LengthMax { get; init; } = 4096;

    /// <summary>When an operator was last told of refused connections: a proxy that is not on the list must not go unnoticed.</summary>
    public Reminder Reminder { get; } = new();

    /// <summary>Whether what a peer says of others is believed.</summary>
    public bool Trusts(EndPoint? peer)
    {
        if (TrustsAll)
        {
            return true;
        }

        if (peer is not IPEndPoint { Address: var address })
        {
            return false;
        }

        // As a socket for both families sees IPv4.
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var network in TrustedNetworks)
        {
            if (network.BaseAddress.AddressFamily == plain.AddressFamily && network.Contains(WithoutScope(plain)))
            {
                return true;
            }
        }

        return false;
    }

    // The zone of a link-local address tells the interface, which a network does not.
    private static IPAddress WithoutScope(IPAddress address) =>
        address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(address.GetAddressBytes()) : address;
}
