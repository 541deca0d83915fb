// Field values in an encoding that the application has chosen, and the check of a whole section before it is sent. The rules are those of
// the HTTP/1 head writer. Called by the encoder, and by whoever has to refuse a section early; no state.

using System.Text;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal static class FieldValueText
{
    /// <summary>The name of the first field that must not be sent, or null.</summary>
    public static string? FindInvalid(FieldSource fields)
    {
        byte[] bytes = [];
        FieldCursor cursor = default;
        while (fields.Next(ref cursor))
        {
            bool isValid = Grammar.IsToken(cursor.Name) && (cursor.Encoding is null
                ? Grammar.IsFieldValue(cursor.Value)
                : TryGetBytes(cursor.Value, cursor.Encoding, ref bytes, out _));
            if (!isValid)
                return cursor.Name ?? string.Empty;
        }
        return null;
    }

    /// <summary>
    /// The bytes of a value, in an array that is replaced when it is too small. False for a value with control characters, be it that the
    /// encoding makes them, or with what the encoding cannot say.
    /// </summary>
    public static bool TryGetBytes(string value, Encoding encoding, ref byte[] bytes, out int length)
    {
        length = 0;
        if (!Grammar.IsText(value))
            return false;
        try
        {
            int size = encoding.GetByteCount(value);
            if (size > bytes.Length)
                bytes = new byte[Math.Max(size, 2 * bytes.Length)];
            length = encoding.GetBytes(value, bytes);
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
        return !bytes.AsSpan(0, length).ContainsAnyExcept(Grammar.FieldValueBytes);
    }
}
