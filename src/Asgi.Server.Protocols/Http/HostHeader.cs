// The Host field (RFC 9110, section 7.2) and its comparison with the authority of a request target (RFC 9112, section 3.2.2).
// Called by the framing rules of each HTTP version; no state.

using System.Buffers;
using System.Net;
using System.Text;

namespace Asgi.Server.Protocols.Http;

internal static class HostHeader
{
    private const int MaxPort = 65535;

    // The characters of a reg-name (RFC 3986, 3.2.2) without pct-encoded and the delimiters that no host name needs.
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!$&'()-._~"u8);

    private static readonly SearchValues<byte> IPv6Bytes = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    /// <summary>
    /// uri-host [ ":" port ]. Empty is valid (the target has no authority); a port without a host, without digits or above 65535 is not.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> value) => value.IsEmpty || TrySplit(value, out _, out _);

    /// <summary>
    /// Whether a Host field names the authority of the target: without regard to case, and with a default port given or left out.
    /// A <paramref name="defaultPort"/> of 0 stands for the authority form, where the port alone tells the scheme.
    /// </summary>
    public static bool Matches(ReadOnlySpan<byte> value, ReadOnlySpan<byte> authority, int defaultPort)
    {
        if (Ascii.EqualsIgnoreCase(value, authority))
            return true;
        if (!TrySplit(value, out ReadOnlySpan<byte> host, out int port)
            || !TrySplit(authority, out ReadOnlySpan<byte> otherHost, out int otherPort)
            || !Ascii.EqualsIgnoreCase(host, otherHost))
        {
            return false;
        }
        if (port == otherPort)
            return true;
        int given = Math.Max(port, otherPort);
        return Math.Min(port, otherPort) < 0 && (defaultPort == 0 ? given is 80 or 443 : given == defaultPort);
    }

    /// <summary>Splits a non-empty authority without userinfo; <paramref name="port"/> is -1 when there is none.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> authority, out ReadOnlySpan<byte> host, out int port)
    {
        port = -1;
        int hostLength;
        if (authority.StartsWith((byte)'['))
        {
            hostLength = authority.IndexOf((byte)']') + 1;
            host = authority[..hostLength];
            if (hostLength == 0 || !IsIPv6(host[1..^1]))
                return false;
        }
        else
        {
            hostLength = authority.IndexOfAnyExcept(NameBytes);
            if (hostLength < 0)
                hostLength = authority.Length;
            host = authority[..hostLength];
            if (hostLength == 0)
                return false;
        }
        return hostLength == authority.Length || TryParsePort(authority[hostLength..], out port);
    }

    // Zone identifiers are local to a host and have no place on the wire (RFC 9110 refers to RFC 3986, which has none).
    private static bool IsIPv6(ReadOnlySpan<byte> address) =>
        address.Contains((byte)':')
        && !address.ContainsAnyExcept(IPv6Bytes)
        && IPAddress.IsValidUtf8(address)
        && !HasLeadingZero(address[(address.LastIndexOf((byte)':') + 1)..]);

    // In an IPv4 address at the end (RFC 3986, 3.2.2: dec-octet), where others read it as octal.
    private static bool HasLeadingZero(ReadOnlySpan<byte> octets)
    {
        if (!octets.Contains((byte)'.'))
            return false;
        foreach (Range octet in octets.Split((byte)'.'))
        {
            if (octets[octet] is [(byte)'0', _, ..])
                return true;
        }
        return false;
    }

    private static bool TryParsePort(ReadOnlySpan<byte> text, out int port)
    {
        port = 0;
        if (text.Length < 2 || text[0] != ':')
            return false;
        foreach (byte digit in text[1..])
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            port = port * 10 + (digit - '0');
            if (port > MaxPort)
                return false;
        }
        return true;
    }
}
