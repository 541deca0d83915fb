// The pseudo-fields of a request (RFC 9113, sections 8.3.1 and 8.5; RFC 8441, section 4): which there are, and what each may be. The
// target is held to the rules that HTTP/1 has for it. Called by HeadReader; no state.

using System.Buffers;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http2;

[Flags]
internal enum PseudoField : byte
{
    None = 0,
    Method = 0x01,
    Scheme = 0x02,
    Authority = 0x04,
    Path = 0x08,
    Protocol = 0x10,
}

internal static class PseudoFields
{
    // What HTTP/1.1 writes around method and target: two spaces, the version, CRLF. The limit means the same in both versions.
    private const int RequestLineOverhead = 12;

    private static readonly SearchValues<byte> SchemeBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-."u8);

    /// <summary>None for a name that is none of a request, such as ":status".</summary>
    public static PseudoField Of(ReadOnlySpan<byte> name) => name.Length switch
    {
        5 when name.SequenceEqual(":path"u8) => PseudoField.Path,
        7 when name.SequenceEqual(":method"u8) => PseudoField.Method,
        7 when name.SequenceEqual(":scheme"u8) => PseudoField.Scheme,
        9 when name.SequenceEqual(":protocol"u8) => PseudoField.Protocol,
        10 when name.SequenceEqual(":authority"u8) => PseudoField.Authority,
        _ => PseudoField.None,
    };

    /// <summary>Judges them together, and fills what the head says of the target. Null for a request that is well formed.</summary>
    public static Http2Fault? Decide(Http2RequestHead head, PseudoField seen, Http2Limits limits)
    {
        if ((seen & PseudoField.Method) == 0)
            return Http2Faults.MissingPseudoField;
        if (!Grammar.IsToken(head[head.Method]))
            return Http2Faults.InvalidMethod;

        bool isConnect = head[head.Method].SequenceEqual("CONNECT"u8);
        if ((seen & PseudoField.Protocol) != 0 && (!isConnect || !limits.AllowsExtendedConnect || !Grammar.IsToken(head[head.Protocol])))
            return Http2Faults.InvalidExtendedConnect;
        bool namesTunnel = isConnect && (seen & PseudoField.Protocol) == 0;
        Http2Fault? fault = namesTunnel ? DecideTunnel(head, seen) : DecideTarget(head, seen);

        if (head.Method.Length + head.Target.Length + RequestLineOverhead > limits.MaxRequestLineSize)
            head.Fault = Http2Faults.RequestLineTooLong;
        return fault;
    }

    /// <summary>CONNECT names host and port, both required, and nothing else (8.5).</summary>
    private static Http2Fault? DecideTunnel(Http2RequestHead head, PseudoField seen)
    {
        if (seen != (PseudoField.Method | PseudoField.Authority)
            || !HostHeader.TrySplit(head[head.Authority], out _, out int port)
            || port < 0)
        {
            return Http2Faults.InvalidConnect;
        }
        head.Form = TargetForm.Authority;
        head.Target = head.Authority;
        return null;
    }

    private static Http2Fault? DecideTarget(Http2RequestHead head, PseudoField seen)
    {
        if ((seen & PseudoField.Scheme) == 0 || (seen & PseudoField.Path) == 0)
            return Http2Faults.MissingPseudoField;
        ReadOnlySpan<byte> scheme = head[head.Scheme];
        if (scheme.IsEmpty || !char.IsAsciiLetter((char)scheme[0]) || scheme.ContainsAnyExcept(SchemeBytes))
            return Http2Faults.InvalidScheme;
        // An empty one says what Host says when it is empty: the target has no authority.
        if (!HostHeader.IsValid(head[head.Authority]))
            return Http2Faults.InvalidAuthority;

        ReadOnlySpan<byte> path = head[head.Target];
        if (path.SequenceEqual("*"u8))
        {
            head.Form = TargetForm.Asterisk;
            return head[head.Method].SequenceEqual("OPTIONS"u8) ? null : Http2Faults.AsteriskFormOnlyForOptions;
        }
        head.Form = TargetForm.Origin;
        if (!path.StartsWith((byte)'/') || path.ContainsAnyExcept(Grammar.TargetBytes))
            return Http2Faults.InvalidPath;
        return SplitPath(path, head);
    }

    private static Http2Fault? SplitPath(ReadOnlySpan<byte> target, Http2RequestHead head)
    {
        // Most targets have neither, so one search settles both questions.
        int mark = target.IndexOfAny((byte)'?', (byte)'%');
        int query = mark < 0 || target[mark] == '?' ? mark : target.IndexOf((byte)'?');
        int length = query < 0 ? target.Length : query;

        head.Path = new(head.Target.Start, length);
        head.Query = new(head.Target.Start + length, target.Length - length);
        return mark != query && target[..length].IndexOf("%00"u8) >= 0 ? Http2Faults.NullInPath : null;
    }
}
