// A peer's address as the kernel wrote it, 24 bytes instead of objects; an IPEndPoint is made only when somebody asks.
using System.Buffers.Binary;
using System.Net;

namespace Asgi.Server.Loops.Epoll;

internal readonly struct SockAddress
{
    private const ushort FamilyIpv4 = 2;
    private const ushort FamilyIpv6 = 10;

    private readonly ulong _high;
    private readonly ulong _low;
    private readonly uint _scope;
    private readonly ushort _port;
    private readonly ushort _family;

    private SockAddress(ushort family, ushort port, ulong high, ulong low, uint scope)
    {
        (_family, _port, _high, _low, _scope) = (family, port, high, low, scope);
    }

    /// <summary>Reads struct sockaddr_in or sockaddr_in6; anything else is no address.</summary>
    public static SockAddress Read(ReadOnlySpan<byte> sockaddr)
    {
        if (sockaddr.Length < 16)
        {
            return default;
        }

        var family = BitConverter.ToUInt16(sockaddr);
        var port = BinaryPrimitives.ReadUInt16BigEndian(sockaddr[2..]);
        return family switch
        {
            FamilyIpv4 => new SockAddress(family, port, 0, BitConverter.ToUInt32(sockaddr[4..]), 0),
            FamilyIpv6 when sockaddr.Length >= 28 => new SockAddress(
                family,
                port,
                BitConverter.ToUInt64(sockaddr[8..]),
                BitConverter.ToUInt64(sockaddr[16..]),
                BitConverter.ToUInt32(sockaddr[24..])),
            _ => default,
        };
    }

    /// <summary>
    /// The address for the framework; IPv4 addresses mapped into IPv6 stay mapped, as Kestrel shows them. Null when there is none.
    /// </summary>
    public IPEndPoint? ToEndPoint()
    {
        switch (_family)
        {
            case FamilyIpv4:
                return new IPEndPoint(new IPAddress((long)_low), _port);
            case FamilyIpv6:
                Span<byte> bytes = stackalloc byte[16];
                BitConverter.TryWriteBytes(bytes, _high);
                BitConverter.TryWriteBytes(bytes[8..], _low);
                return new IPEndPoint(new IPAddress(bytes, _scope), _port);
            default:
                return null;
        }
    }
}
