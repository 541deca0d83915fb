// The request target of a complete request line (RFC 9112, section 3.2): its form, and where authority, path and query lie.
// Called by RequestLineParser; no state.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal static class TargetParser
{
    private const int HttpPort = 80;
    private const int HttpsPort = 443;

    /// <summary>Fills the target's part of <paramref name="head"/>; null when the target is well formed and fits the method.</summary>
    public static HttpFault? Parse(ReadOnlySpan<byte> buffer, RequestHead head)
    {
        ReadOnlySpan<byte> method = buffer.Slice(head.MethodStart, head.MethodLength);
        ReadOnlySpan<byte> target = buffer.Slice(head.TargetStart, head.TargetLength);

        if (method.SequenceEqual("CONNECT"u8))
            return ParseAuthority(target, head);
        if (target[0] == '/')
        {
            head.Form = TargetForm.Origin;
            return SplitPath(target, head.TargetStart, head);
        }
        if (target.SequenceEqual("*"u8))
        {
            head.Form = TargetForm.Asterisk;
            return method.SequenceEqual("OPTIONS"u8) ? null : Http1Faults.AsteriskFormOnlyForOptions;
        }
        if (StartsWithScheme(target, "http://"u8))
            return ParseAbsolute(target, "http://"u8.Length, HttpPort, head);
        if (StartsWithScheme(target, "https://"u8))
            return ParseAbsolute(target, "https://"u8.Length, HttpsPort, head);
        return target.ContainsAnyExcept(Grammar.AuthorityBytes) ? Http1Faults.InvalidTarget : Http1Faults.AuthorityFormOnlyForConnect;
    }

    /// <summary>CONNECT names host and port, both required (RFC 9112, 3.2.3).</summary>
    private static HttpFault? ParseAuthority(ReadOnlySpan<byte> target, RequestHead head)
    {
        head.Form = TargetForm.Authority;
        head.AuthorityStart = head.TargetStart;
        head.AuthorityLength = target.Length;
        return HostHeader.TrySplit(target, out _, out int port) && port >= 0 ? null : Http1Faults.InvalidConnectTarget;
    }

    private static HttpFault? ParseAbsolute(ReadOnlySpan<byte> target, int schemeLength, int defaultPort, RequestHead head)
    {
        ReadOnlySpan<byte> rest = target[schemeLength..];
        int length = rest.IndexOfAny((byte)'/', (byte)'?');
        if (length < 0)
            length = rest.Length;
        ReadOnlySpan<byte> authority = rest[..length];
        if (authority.Contains((byte)'@'))
            return Http1Faults.UserInformation;
        if (!HostHeader.TrySplit(authority, out _, out _))
            return Http1Faults.InvalidTarget;

        head.Form = TargetForm.Absolute;
        head.AuthorityStart = head.TargetStart + schemeLength;
        head.AuthorityLength = length;
        head.DefaultPort = defaultPort;
        return SplitPath(rest[length..], head.AuthorityStart + length, head);
    }

    private static HttpFault? SplitPath(ReadOnlySpan<byte> pathAndQuery, int start, RequestHead head)
    {
        // Most targets have neither, so one search settles both questions.
        int mark = pathAndQuery.IndexOfAny((byte)'?', (byte)'%');
        int query = mark < 0 || pathAndQuery[mark] == '?' ? mark : pathAndQuery.IndexOf((byte)'?');
        int pathLength = query < 0 ? pathAndQuery.Length : query;

        head.PathStart = start;
        head.PathLength = pathLength;
        head.QueryStart = start + pathLength;
        head.QueryLength = pathAndQuery.Length - pathLength;
        return mark != query && pathAndQuery[..pathLength].IndexOf("%00"u8) >= 0 ? Http1Faults.NullInPath : null;
    }

    private static bool StartsWithScheme(ReadOnlySpan<byte> target, ReadOnlySpan<byte> scheme) =>
        target.Length >= scheme.Length && Ascii.EqualsIgnoreCase(target[..scheme.Length], scheme);
}
