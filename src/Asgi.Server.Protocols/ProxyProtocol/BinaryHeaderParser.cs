// Version 2 of the PROXY header (section 2.2 of the specification): sixteen fixed bytes, addresses, TLVs. Called by ProxyHeaderReader; no
// state.

using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Text;

namespace Asgi.Server.Protocols.ProxyProtocol;

internal static class BinaryHeaderParser
{
    public const int FixedLength = 16;
    public const int UnixAddressesLength = 2 * PathLength;

    private const int PathLength = 108;
    private const int TlvFixedLength = 3;

    // Families and protocols, the two halves of the fourteenth byte.
    private const int Unspecified = 0;
    private const int IPv4 = 1;
    private const int IPv6 = 2;
    private const int Unix = 3;
    private const int ProtocolMax = 2;

    private const byte TlvChecksum = 0x03;
    private const byte TlvPadding = 0x04;
    private const byte TlvUniqueId = 0x05;
    private const int UniqueIdLengthMax = 128;

    public static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    public static ProxyEvent Read(
        ReadOnlySpan<byte> bytes, int lengthMax, out ProxyHeader? header, out int consumed, out ProxyFault? fault)
    {
        header = null;
        consumed = 0;
        int length = FixedLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        fault = JudgeFixed(bytes[12], bytes[13], length, lengthMax);
        if (fault is null && bytes.Length < length)
            return ProxyEvent.NeedData;
        fault ??= IsLocal(bytes[12]) ? Parse(out header) : Parse(bytes[..length], out header);
        if (fault is not null)
            return ProxyEvent.Fault;
        consumed = length;
        return ProxyEvent.Header;
    }

    private static bool IsLocal(byte versionAndCommand) => (versionAndCommand & 0x0F) == 0;

    private static ProxyFault? JudgeFixed(byte versionAndCommand, byte familyAndProtocol, int length, int lengthMax)
    {
        if (versionAndCommand >> 4 != 2)
            return ProxyFault.UnknownVersion;
        if ((versionAndCommand & 0x0F) > 1)
            return ProxyFault.UnknownCommand;
        // The family of a LOCAL header is to be ignored.
        if (!IsLocal(versionAndCommand) && (familyAndProtocol >> 4 > Unix || (familyAndProtocol & 0x0F) > ProtocolMax))
            return ProxyFault.UnknownFamily;
        return length > lengthMax ? ProxyFault.TooLong : null;
    }

    // The proxy speaks for itself: everything but the length is to be ignored.
    private static ProxyFault? Parse(out ProxyHeader? header)
    {
        header = new ProxyHeader { Version = 2, IsLocal = true };
        return null;
    }

    private static ProxyFault? Parse(ReadOnlySpan<byte> bytes, out ProxyHeader? header)
    {
        header = null;
        int family = (bytes[13] & 0x0F) == Unspecified ? Unspecified : bytes[13] >> 4;
        if (family == Unspecified)
        {
            header = new ProxyHeader { Version = 2 };
            return null;
        }
        int addressesLength = family switch
        {
            IPv4 => 2 * (4 + sizeof(ushort)),
            IPv6 => 2 * (16 + sizeof(ushort)),
            _ => UnixAddressesLength,
        };
        if (bytes.Length < FixedLength + addressesLength)
            return ProxyFault.AddressesCut;
        var tlvs = new List<ProxyTlv>();
        if (ParseTlvs(bytes, FixedLength + addressesLength, tlvs) is { } fault)
            return fault;

        ReadOnlySpan<byte> addresses = bytes.Slice(FixedLength, addressesLength);
        header = new ProxyHeader { Version = 2, Tlvs = tlvs };
        if (family == Unix)
            header = header with { SourcePath = Path(addresses[..PathLength]), DestinationPath = Path(addresses[PathLength..]) };
        else
            header = header with { Source = EndPoint(addresses, isSecond: false), Destination = EndPoint(addresses, isSecond: true) };
        return null;
    }

    // Both addresses, then both ports.
    private static IPEndPoint EndPoint(ReadOnlySpan<byte> addresses, bool isSecond)
    {
        int length = addresses.Length / 2 - sizeof(ushort);
        var address = new IPAddress(addresses.Slice(isSecond ? length : 0, length));
        int port = BinaryPrimitives.ReadUInt16BigEndian(addresses[(2 * length + (isSecond ? sizeof(ushort) : 0))..]);
        return new IPEndPoint(address, port);
    }

    // Ends at its first NUL; one that begins with NUL is an abstract name, or empty.
    private static string Path(ReadOnlySpan<byte> bytes)
    {
        int end = bytes[1..].IndexOf((byte)0) + 1;
        ReadOnlySpan<byte> path = end > 0 ? bytes[..end] : bytes;
        return path is [0] ? "" : Encoding.UTF8.GetString(path);
    }

    private static ProxyFault? ParseTlvs(ReadOnlySpan<byte> bytes, int start, List<ProxyTlv> tlvs)
    {
        bool hasChecksum = false;
        int position = start;
        while (position < bytes.Length)
        {
            ReadOnlySpan<byte> rest = bytes[position..];
            if (rest.Length < TlvFixedLength)
                return ProxyFault.InvalidTlv;
            byte type = rest[0];
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[1..]);
            int valueStart = position + TlvFixedLength;
            if (length > bytes.Length - valueStart
                || (type == TlvChecksum && (length != sizeof(uint) || hasChecksum))
                || (type == TlvUniqueId && length > UniqueIdLengthMax))
            {
                return ProxyFault.InvalidTlv;
            }
            if (type == TlvChecksum)
            {
                hasChecksum = true;
                if (BinaryPrimitives.ReadUInt32BigEndian(bytes[valueStart..]) != Checksum(bytes, valueStart))
                    return ProxyFault.WrongChecksum;
            }
            if (type != TlvPadding)
                tlvs.Add(new ProxyTlv(type, bytes.Slice(valueStart, length).ToArray()));
            position = valueStart + length;
        }
        return null;
    }

    // CRC32C (RFC 3309's polynomial) over the whole header, in which the checksum itself counts as zero.
    private static uint Checksum(ReadOnlySpan<byte> bytes, int checksumStart)
    {
        uint crc = uint.MaxValue;
        for (int i = 0; i < bytes.Length; i++)
            crc = BitOperations.Crc32C(crc, i >= checksumStart && i < checksumStart + sizeof(uint) ? (byte)0 : bytes[i]);
        return ~crc;
    }
}
