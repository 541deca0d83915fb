// What a PROXY header has said, for applications. Implemented by ProxyProtocolFeature; read on any thread.
using System.Net;

namespace Asgi.Server.Features;

/// <summary>
/// The PROXY protocol's header of the connection a request came on (haproxy's specification). There when the endpoint uses the protocol and
/// a header was read; the addresses of <see cref="Microsoft.AspNetCore.Http.Features.IHttpConnectionFeature"/> are the header's then.
/// </summary>
public interface IProxyProtocolFeature
{
    /// <summary>1 or 2.</summary>
    int Version { get; }

    /// <summary>Whether the proxy spoke for itself, as in a health check: the connection's own addresses are meant.</summary>
    bool IsLocal { get; }

    /// <summary>The client's address as the header has it; null if it has none.</summary>
    EndPoint? SourceEndPoint { get; }

    /// <summary>The address the client connected to as the header has it; null if it has none.</summary>
    EndPoint? DestinationEndPoint { get; }

    /// <summary>The proxy's own address: the peer of the socket. Null for unix sockets without a name.</summary>
    EndPoint? ProxyEndPoint { get; }

    /// <summary>The address of this server that the proxy connected to.</summary>
    EndPoint? ProxiedEndPoint { get; }

    /// <summary>The host name the client asked the proxy for (TLV AUTHORITY, usually SNI); null if it was not told.</summary>
    string? Authority { get; }

    /// <summary>The identifier the proxy has given the connection (TLV UNIQUE_ID), up to 128 bytes; empty if it was not told.</summary>
    ReadOnlyMemory<byte> UniqueId { get; }

    /// <summary>The protocol that client and proxy have agreed on in TLS (TLV ALPN), such as <c>h2</c>; empty if it was not told.</summary>
    ReadOnlyMemory<byte> ApplicationProtocol { get; }

    /// <summary>Finds the first TLV of a type (section 2.2.1 of the specification).</summary>
    /// <param name="type">The type, as 0x20 for SSL or 0xEA for AWS's endpoint id.</param>
    /// <param name="value">Its value; empty if there is none.</param>
    /// <returns>Whether there is one.</returns>
    bool TryGetTlv(byte type, out ReadOnlyMemory<byte> value);
}
