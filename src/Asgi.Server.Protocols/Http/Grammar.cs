// The character classes of RFC 9110 (section 5) and RFC 9112 (section 3), as vectorised sets.
// Called by the parsers and the writers, from any thread; immutable.

using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Asgi.Server.Protocols.Http;

internal static class Grammar
{
    private const string LettersAndDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const string Token = "!#$%&'*+-.^_`|~" + LettersAndDigits;
    private const string Authority = "-._~!$&'()*+,;=:@[]%" + LettersAndDigits;

    /// <summary>tchar (RFC 9110, 5.6.2).</summary>
    public static readonly SearchValues<byte> TokenBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Token));

    /// <inheritdoc cref="TokenBytes"/>
    public static readonly SearchValues<char> TokenChars = SearchValues.Create(Token);

    /// <summary>What a field value holds without obs-text: VCHAR, SP, HTAB (RFC 9110, 5.5).</summary>
    public static readonly SearchValues<byte> FieldValueAscii = SearchValues.Create([(byte)'\t', .. Range(' ', '~')]);

    /// <summary>What a field value or a chunk extension holds, with obs-text (RFC 9110, 5.5).</summary>
    public static readonly SearchValues<byte> FieldValueBytes =
        SearchValues.Create([(byte)'\t', .. Range(' ', '~'), .. Range('\u0080', '\u00FF')]);

    /// <summary>VCHAR (RFC 5234, B.1).</summary>
    public static readonly SearchValues<byte> VisibleBytes = SearchValues.Create(Range('!', '~'));

    /// <summary>What may stand in a request target: VCHAR without '#', for a fragment is no part of a target (RFC 9112, 3.2).</summary>
    public static readonly SearchValues<byte> TargetBytes = SearchValues.Create([.. Range('!', '"'), .. Range('$', '~')]);

    /// <summary>What may stand in an authority (RFC 3986, 3.2).</summary>
    public static readonly SearchValues<byte> AuthorityBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Authority));

    private static readonly SearchValues<char> FieldValueChars = SearchValues.Create("\t" + Encoding.ASCII.GetString(Range(' ', '~')));

    private static readonly SearchValues<char> ControlChars =
        SearchValues.Create(Encoding.ASCII.GetString([.. Range('\0', '\b'), .. Range('\n', '\u001F'), 0x7F]));

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenChars);

    /// <summary>A received value: obs-text is allowed where it is UTF-8, as the application will read it.</summary>
    public static bool IsFieldValue(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(FieldValueBytes) && Utf8.IsValid(text);

    /// <summary>A value to send: HTAB and 0x20-0x7E.</summary>
    public static bool IsFieldValue(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(FieldValueChars);

    /// <summary>A value to send in another encoding than ASCII: no control character but HTAB.</summary>
    public static bool IsText(ReadOnlySpan<char> text) => !text.ContainsAny(ControlChars);

    /// <summary>OWS (RFC 9110, 5.6.3).</summary>
    public static bool IsWhitespace(byte b) => b is (byte)' ' or (byte)'\t';

    public static ReadOnlySpan<byte> TrimWhitespace(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);

    private static byte[] Range(char first, char last)
    {
        var bytes = new byte[last - first + 1];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(first + i);
        return bytes;
    }
}
