// The oracle's reading of Host, Content-Length, Transfer-Encoding, Connection and Expect (RFC 9112, 3.2, 6.3 and 9.3; RFC 9110, 10.1.1).

using System.Globalization;
using System.Numerics;

namespace Asgi.Server.Fuzz.Messages;

internal sealed record OracleFraming(bool IsHttp11, long? ContentLength, bool IsChunked, bool KeepAlive, bool Upgrade, bool Expect)
{
    /// <summary>Null when host or framing could be read in two ways.</summary>
    public static OracleFraming? Read(string method, OracleTarget target, bool isHttp11, List<(string Name, string Value)> fields)
    {
        string[] Values(string name) =>
            [.. fields.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];
        string[] Members(string name) =>
            [.. Values(name).SelectMany(value => value.Split(',')).Select(member => member.Trim(' ', '\t').ToLowerInvariant())];

        string[] lengths = Values("Content-Length");
        string[] codings = Values("Transfer-Encoding");
        if (!IsHostRight(target, isHttp11, Values("Host")) || lengths.Length + codings.Length > 1)
            return null;

        long? contentLength = null;
        if (lengths is [var length])
        {
            if (length.Length == 0 || !length.All(char.IsAsciiDigit)
                || BigInteger.Parse(length, CultureInfo.InvariantCulture) > long.MaxValue)
                return null;
            contentLength = long.Parse(length, CultureInfo.InvariantCulture);
        }
        if (codings is [var coding] && (!isHttp11 || !coding.Equals("chunked", StringComparison.OrdinalIgnoreCase)))
            return null;
        if (!isHttp11 && contentLength is null && (method is "POST" or "PUT"))
            return null;

        string[] options = Members("Connection");
        return new(
            isHttp11,
            contentLength,
            IsChunked: codings.Length == 1,
            KeepAlive: !options.Contains("close") && (isHttp11 || options.Contains("keep-alive")),
            Upgrade: options.Contains("upgrade"),
            Expect: isHttp11 && Members("Expect").Contains("100-continue"));
    }

    public override string ToString() =>
        $"1.{(IsHttp11 ? 1 : 0)} length={ContentLength} chunked={IsChunked} persist={KeepAlive} upgrade={Upgrade} expect={Expect}";

    private static bool IsHostRight(OracleTarget target, bool isHttp11, string[] hosts)
    {
        if (hosts.Length == 0)
            return !isHttp11;
        OracleAuthority? host = OracleAuthority.Read(hosts[0]);
        if (hosts.Length > 1 || (hosts[0].Length > 0 && host is null))
            return false;
        return target.Authority.Length == 0
            || (host is not null && host.Names(OracleAuthority.Read(target.Authority)!, target.DefaultPort));
    }
}
