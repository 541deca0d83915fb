// Whether the values of a head can be decoded where an operator has chosen encodings for them. Called by Http1Driver on its loop's thread.
using System.Text;
using System.Text.Unicode;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal static class FieldEncodings
{
    /// <summary>A fault when a value has bytes that its encoding does not have; UTF-8 where none was chosen.</summary>
    public static HttpFault? Judge(FieldSection fields, Func<string, Encoding?> encodings)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            var value = fields.GetValue(i);
            if (!Ascii.IsValid(value) && !IsDecodable(value, encodings(Encoding.ASCII.GetString(fields.GetName(i)))))
            {
                return Http1Faults.InvalidFieldValue;
            }
        }

        return null;
    }

    private static bool IsDecodable(ReadOnlySpan<byte> value, Encoding? encoding)
    {
        if (encoding is null)
        {
            return Utf8.IsValid(value);
        }

        try
        {
            encoding.GetCharCount(value);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
