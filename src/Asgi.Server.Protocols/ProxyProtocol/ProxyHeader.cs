// What a PROXY header has said. Made by the parsers, once per connection; immutable. It owns its bytes: the receive buffer moves on.

using System.Net;

namespace Asgi.Server.Protocols.ProxyProtocol;

/// <summary>A type-length-value of version 2 (section 2.2.1 of the specification).</summary>
internal readonly record struct ProxyTlv(byte Type, ReadOnlyMemory<byte> Value);

internal sealed record ProxyHeader
{
    /// <summary>1 or 2.</summary>
    public required int Version { get; init; }

    /// <summary>
    /// Whether the proxy speaks for itself (LOCAL), as in a health check: the connection's own addresses are the right ones.
    /// </summary>
    public bool IsLocal { get; init; }

    /// <summary>The address of the client; null where the header has no IP address.</summary>
    public IPEndPoint? Source { get; init; }

    /// <summary>The address the client connected to; null where the header has no IP address.</summary>
    public IPEndPoint? Destination { get; init; }

    /// <summary>The path of the client's unix socket, which may be empty; null where the family is another.</summary>
    public string? SourcePath { get; init; }

    /// <summary>The path of the unix socket the client connected to, which may be empty; null where the family is another.</summary>
    public string? DestinationPath { get; init; }

    /// <summary>The TLVs in the order received, without padding (NOOP).</summary>
    public IReadOnlyList<ProxyTlv> Tlvs { get; init; } = [];
}
