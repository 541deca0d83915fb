// The character classes of RFC 9110 (section 5) and RFC 9112 (section 3), as vectorised sets.
// Called by the parsers and the writers, from any thread; immutable.

using System.Buffers;
using System.Text.Unicode;

namespace Asgi.Server.Protocols.Http;

internal static class Grammar
{
    private const string Token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>tchar (RFC 9110, 5.6.2).</summary>
    public static readonly SearchValues<byte> TokenBytes = SearchValues.Create(Class(c => Token.Contains((char)c)));

    /// <inheritdoc cref="TokenBytes"/>
    public static readonly SearchValues<char> TokenChars = SearchValues.Create(Token);

    /// <summary>What a field value holds without obs-text: VCHAR, SP, HTAB (RFC 9110, 5.5).</summary>
    public static readonly SearchValues<byte> FieldValueAscii = SearchValues.Create(Class(c => c is '\t' or (>= ' ' and <= '~')));

    /// <summary>What a field value or a chunk extension holds, with obs-text (RFC 9110, 5.5).</summary>
    public static readonly SearchValues<byte> FieldValueBytes = SearchValues.Create(Class(c => c is '\t' or (>= ' ' and not 0x7F)));

    /// <summary>VCHAR (RFC 5234, B.1).</summary>
    public static readonly SearchValues<byte> VisibleBytes = SearchValues.Create(Class(c => c is > ' ' and <= '~'));

    /// <summary>What may stand in a request target: VCHAR without '#', for a fragment is no part of a target (RFC 9112, 3.2).</summary>
    public static readonly SearchValues<byte> TargetBytes = SearchValues.Create(Class(c => c is > ' ' and <= '~' and not '#'));

    /// <summary>What may stand in an authority (RFC 3986, 3.2).</summary>
    public static readonly SearchValues<byte> AuthorityBytes =
        SearchValues.Create(Class(c => char.IsAsciiLetterOrDigit((char)c) || "-._~!$&'()*+,;=:@[]%".Contains((char)c)));

    private static readonly SearchValues<char> FieldValueChars =
        SearchValues.Create(Array.ConvertAll(Class(c => c is '\t' or (>= ' ' and <= '~')), b => (char)b));

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenChars);

    /// <summary>A received value: obs-text is allowed where it is UTF-8, as the application will read it.</summary>
    public static bool IsFieldValue(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(FieldValueBytes) && Utf8.IsValid(text);

    /// <summary>A value to send: HTAB and 0x20-0x7E.</summary>
    public static bool IsFieldValue(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(FieldValueChars);

    /// <summary>OWS (RFC 9110, 5.6.3).</summary>
    public static bool IsWhitespace(byte b) => b is (byte)' ' or (byte)'\t';

    public static ReadOnlySpan<byte> TrimWhitespace(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);

    private static byte[] Class(Func<int, bool> contains) => [.. Enumerable.Range(0, 256).Where(contains).Select(c => (byte)c)];
}
