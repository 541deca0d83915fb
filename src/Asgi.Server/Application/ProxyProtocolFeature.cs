// A PROXY header as a feature. Made when somebody asks, read on any thread.
using System.Net;
using System.Net.Sockets;
using System.Text;
using Asgi.Server.Features;
using Asgi.Server.Protocols.ProxyProtocol;

namespace Asgi.Server.Application;

internal sealed class ProxyProtocolFeature(ProxyHeader header, IConnectionInfo connection) : IProxyProtocolFeature
{
    private const byte TlvApplicationProtocol = 0x01;
    private const byte TlvAuthority = 0x02;
    private const byte TlvUniqueId = 0x05;
    private const int UnixPathLengthMax = 107;

    public int Version => header.Version;

    public bool IsLocal => header.IsLocal;

    public EndPoint? SourceEndPoint => (EndPoint?)header.Source ?? ToEndPoint(header.SourcePath);

    public EndPoint? DestinationEndPoint => (EndPoint?)header.Destination ?? ToEndPoint(header.DestinationPath);

    public EndPoint? ProxyEndPoint => connection.TransportRemoteEndPoint;

    public EndPoint? ProxiedEndPoint => connection.TransportLocalEndPoint;

    public string? Authority => TryGetTlv(TlvAuthority, out var value) ? Encoding.UTF8.GetString(value.Span) : null;

    public ReadOnlyMemory<byte> UniqueId => TryGetTlv(TlvUniqueId, out var value) ? value : default;

    public ReadOnlyMemory<byte> ApplicationProtocol => TryGetTlv(TlvApplicationProtocol, out var value) ? value : default;

    public bool TryGetTlv(byte type, out ReadOnlyMemory<byte> value)
    {
        foreach (var tlv in header.Tlvs)
        {
            if (tlv.Type == type)
            {
                value = tlv.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    private static UnixDomainSocketEndPoint? ToEndPoint(string? path) =>
        string.IsNullOrEmpty(path) || Encoding.UTF8.GetByteCount(path) > UnixPathLengthMax ? null : new UnixDomainSocketEndPoint(path);
}
