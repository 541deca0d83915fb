// The oracle's request target and authority (RFC 9112, 3.2; RFC 3986, 3.2.2): regular expressions written from the ABNF.

using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Asgi.Server.Fuzz.Messages;

internal sealed record OracleTarget(string Form, string Authority, string Path, string Query, int DefaultPort)
{
    /// <summary>Null when the target is none, or not one of this method.</summary>
    public static OracleTarget? Read(string method, string target)
    {
        if (method == "CONNECT")
            return OracleAuthority.Read(target) is { Port: not null } ? new("Authority", target, "", "", 0) : null;
        if (target == "*")
            return method == "OPTIONS" ? new("Asterisk", "", "", "", 0) : null;

        Match parts = OracleAuthority.Hierarchy().Match(target);
        if (!parts.Success || parts.Groups["path"].Value.Contains("%00", StringComparison.Ordinal))
            return null;
        string scheme = parts.Groups["scheme"].Value.ToLowerInvariant();
        string authority = parts.Groups["authority"].Value;
        if (scheme.Length > 0 && OracleAuthority.Read(authority) is null)
            return null;
        return new(scheme.Length > 0 ? "Absolute" : "Origin", authority, parts.Groups["path"].Value, parts.Groups["query"].Value,
            scheme switch { "http" => 80, "https" => 443, _ => 0 });
    }
}

/// <summary>uri-host [ ":" port ]; the host in lower case.</summary>
internal sealed partial record OracleAuthority(string Host, int? Port)
{
    private const string H16 = "[0-9A-Fa-f]{1,4}";
    private const string Octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private const string Ls32 = $@"({H16}:{H16}|{Octet}\.{Octet}\.{Octet}\.{Octet})";

    // RFC 3986, 3.2.2, line by line.
    private const string IPv6 =
        $"(({H16}:){{6}}{Ls32}"
        + $"|::({H16}:){{5}}{Ls32}"
        + $"|({H16})?::({H16}:){{4}}{Ls32}"
        + $"|(({H16}:){{0,1}}{H16})?::({H16}:){{3}}{Ls32}"
        + $"|(({H16}:){{0,2}}{H16})?::({H16}:){{2}}{Ls32}"
        + $"|(({H16}:){{0,3}}{H16})?::{H16}:{Ls32}"
        + $"|(({H16}:){{0,4}}{H16})?::{Ls32}"
        + $"|(({H16}:){{0,5}}{H16})?::{H16}"
        + $"|(({H16}:){{0,6}}{H16})?::)";

    public static OracleAuthority? Read(string text)
    {
        Match parts = Authority().Match(text);
        if (!parts.Success)
            return null;
        string port = parts.Groups["port"].Value;
        if (port.Length > 0 && BigInteger.Parse(port, CultureInfo.InvariantCulture) > 65535)
            return null;
        return new(parts.Groups["host"].Value.ToLowerInvariant(), port.Length > 0 ? int.Parse(port, CultureInfo.InvariantCulture) : null);
    }

    /// <summary>Whether both name one host; a port that is left out is the scheme's, which the authority form does not tell.</summary>
    public bool Names(OracleAuthority target, int defaultPort)
    {
        int[] defaults = defaultPort == 0 ? [80, 443] : [defaultPort];
        return Host == target.Host
            && (Port == target.Port || defaults.Any(port => (Port ?? port) == (target.Port ?? port)));
    }

    [GeneratedRegex(@"\A(?:(?<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?<authority>[^/?]*)(?<path>(/[^?]*)?)|(?<path>/[^?]*))(?<query>(\?.*)?)\z")]
    internal static partial Regex Hierarchy();

    // Of a reg-name what the README of Http allows: no percent-encoding, and of the delimiters those that host names have been seen with.
    [GeneratedRegex(@$"\A(?<host>\[{IPv6}\]|[A-Za-z0-9!$&'()._~-]+)(:(?<port>[0-9]+))?\z")]
    private static partial Regex Authority();
}
