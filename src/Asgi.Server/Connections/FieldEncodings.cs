// Whether the values of a head can be decoded where an operator has chosen encodings for them. Called by drivers on their loop's thread.
using System.Text;
using System.Text.Unicode;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal static class FieldEncodings
{
    /// <summary>A fault when a value has bytes that its encoding does not have; UTF-8 where none was chosen.</summary>
    /// <param name="machine">The machine that has read the head.</param>
    /// <param name="buffer">Where the head lies.</param>
    /// <param name="start">Its place there.</param>
    /// <param name="limits">Hold the encodings; where there are none every value is UTF-8, which the machine has seen to.</param>
    public static HttpFault? Judge(Http1Machine machine, byte[] buffer, int start, ConnectionLimits limits) =>
        limits.RequestEncodings is { } encodings ? Judge(machine.Head.Fields, buffer, start, encodings) : null;

    private static HttpFault? Judge(FieldSection fields, byte[] buffer, int start, Func<string, Encoding?> encodings)
    {
        fields.Bind(buffer, start);
        return AreDecodable(fields, encodings) ? null : Http1Faults.InvalidFieldValue;
    }

    /// <summary>Whether each value of a section that is bound has the bytes of its encoding only.</summary>
    public static bool AreDecodable(FieldSection fields, Func<string, Encoding?> encodings)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            var value = fields.GetValue(i);
            if (!Ascii.IsValid(value) && !IsDecodable(value, encodings(Encoding.ASCII.GetString(fields.GetName(i)))))
            {
                return false;
            }
        }

        return true;
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
