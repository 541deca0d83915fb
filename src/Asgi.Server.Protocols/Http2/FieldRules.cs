// What a single field line of a message may be (RFC 9113, sections 8.2.1 and 8.2.2). Called by the readers of sections; no state.

using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http2;

internal static class FieldRules
{
    /// <summary>tchar without upper case: names arrive in lower case.</summary>
    private static readonly SearchValues<byte> NameBytes = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Null for a field line that may stand in a header or trailer section.</summary>
    public static Http2Fault? Judge(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool allowsAnyEncoding)
    {
        if (name.IsEmpty || name.ContainsAnyExcept(NameBytes))
            return Http2Faults.InvalidFieldName;
        if (!IsValue(value, allowsAnyEncoding))
            return Http2Faults.InvalidFieldValue;
        return IsConnectionSpecific(name, value) ? Http2Faults.ConnectionSpecificField : null;
    }

    /// <summary>No whitespace around it, no control character but HTAB within it, and above ASCII what the application can read.</summary>
    private static bool IsValue(ReadOnlySpan<byte> value, bool allowsAnyEncoding)
    {
        if (value.IsEmpty)
            return true;
        if (Grammar.IsWhitespace(value[0]) || Grammar.IsWhitespace(value[^1]))
            return false;
        int other = value.IndexOfAnyExcept(Grammar.FieldValueAscii);
        return other < 0
            || (!value[other..].ContainsAnyExcept(Grammar.FieldValueBytes) && (allowsAnyEncoding || Utf8.IsValid(value)));
    }

    /// <summary>The fields of 8.2.2. The length alone rules out most others.</summary>
    private static bool IsConnectionSpecific(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => name.Length switch
    {
        2 => name.SequenceEqual("te"u8) && !Ascii.EqualsIgnoreCase(value, "trailers"u8),
        7 => name.SequenceEqual("upgrade"u8),
        10 => name.SequenceEqual("connection"u8) || name.SequenceEqual("keep-alive"u8),
        16 => name.SequenceEqual("proxy-connection"u8),
        17 => name.SequenceEqual("transfer-encoding"u8),
        _ => false,
    };
}
