// Version 1 of the PROXY header (section 2.1 of the specification): a line of US-ASCII. Called by ProxyHeaderReader; no state.

using System.Buffers;
using System.Globalization;
using System.Net;

namespace Asgi.Server.Protocols.ProxyProtocol;

internal static class TextHeaderParser
{
    /// <summary>The longest line there is, its CRLF included: no more is looked at.</summary>
    public const int LineLengthMax = 107;

    private const int PartCount = 4;

    private static readonly SearchValues<byte> IPv4Bytes = SearchValues.Create("0123456789."u8);
    private static readonly SearchValues<byte> IPv6Bytes = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    public static ReadOnlySpan<byte> Prefix => "PROXY "u8;

    public static ProxyEvent Read(ReadOnlySpan<byte> bytes, out ProxyHeader? header, out int consumed, out ProxyFault? fault)
    {
        header = null;
        consumed = 0;
        ReadOnlySpan<byte> window = bytes.Length > LineLengthMax ? bytes[..LineLengthMax] : bytes;
        int end = window.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0 || end + 1 == window.Length)
        {
            bool isFull = window.Length == LineLengthMax;
            fault = end >= 0 && window[end] == '\n' ? ProxyFault.BareLineEnd : isFull ? ProxyFault.LineTooLong : null;
            return fault is null ? ProxyEvent.NeedData : ProxyEvent.Fault;
        }
        fault = window[end] == '\r' && window[end + 1] == '\n'
            ? Parse(window[Prefix.Length..end], out header)
            : ProxyFault.BareLineEnd;
        if (fault is not null)
            return ProxyEvent.Fault;
        consumed = end + 2;
        return ProxyEvent.Header;
    }

    private static ProxyFault? Parse(ReadOnlySpan<byte> line, out ProxyHeader? header)
    {
        header = null;
        int space = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> protocol = space < 0 ? line : line[..space];
        if (protocol.SequenceEqual("UNKNOWN"u8))
        {
            // Whatever else the line says is to be ignored.
            header = new ProxyHeader { Version = 1 };
            return null;
        }
        bool isIPv6 = protocol.SequenceEqual("TCP6"u8);
        if (space < 0 || (!isIPv6 && !protocol.SequenceEqual("TCP4"u8)))
            return ProxyFault.InvalidLine;

        ReadOnlySpan<byte> rest = line[(space + 1)..];
        Span<Range> parts = stackalloc Range[PartCount];
        if (!TrySplit(rest, parts))
            return ProxyFault.InvalidLine;
        if (!TryParseAddress(rest[parts[0]], isIPv6, out IPAddress? source)
            || !TryParseAddress(rest[parts[1]], isIPv6, out IPAddress? destination))
        {
            return ProxyFault.InvalidAddress;
        }
        if (!TryParsePort(rest[parts[2]], out int sourcePort) || !TryParsePort(rest[parts[3]], out int destinationPort))
            return ProxyFault.InvalidPort;

        header = new ProxyHeader
        {
            Version = 1,
            Source = new IPEndPoint(source!, sourcePort),
            Destination = new IPEndPoint(destination!, destinationPort),
        };
        return null;
    }

    private static bool TrySplit(ReadOnlySpan<byte> text, Span<Range> parts)
    {
        int count = 0;
        foreach (Range part in text.Split((byte)' '))
        {
            if (count == parts.Length)
                return false;
            parts[count++] = part;
        }
        return count == parts.Length;
    }

    private static bool TryParseAddress(ReadOnlySpan<byte> text, bool isIPv6, out IPAddress? address)
    {
        address = null;
        if (text.ContainsAnyExcept(isIPv6 ? IPv6Bytes : IPv4Bytes) || text.Contains((byte)':') != isIPv6)
            return false;
        ReadOnlySpan<byte> octets = text[(text.LastIndexOf((byte)':') + 1)..];
        return ((isIPv6 && !octets.Contains((byte)'.')) || IsCanonical(octets)) && IPAddress.TryParse(text, out address);
    }

    // Four numbers without leading zeros, which others read as octal.
    private static bool IsCanonical(ReadOnlySpan<byte> octets)
    {
        if (octets.Count((byte)'.') != 3)
            return false;
        foreach (Range octet in octets.Split((byte)'.'))
        {
            if (octets[octet] is [] or [(byte)'0', _, ..])
                return false;
        }
        return true;
    }

    private static bool TryParsePort(ReadOnlySpan<byte> text, out int port)
    {
        port = 0;
        return text is not ([] or [(byte)'0', _, ..])
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port)
            && port <= IPEndPoint.MaxPort;
    }
}
