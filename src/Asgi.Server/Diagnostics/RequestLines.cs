// Request lines as text for a log: bounded, on one line, unambiguous within quotes. Called by drivers, any thread.
using System.Globalization;
using System.Text;

namespace Asgi.Server.Diagnostics;

internal static class RequestLines
{
    /// <summary>Bytes of a request line that are logged; what is left of a longer one is told by dots.</summary>
    public const int LengthMax = 2048;

    /// <summary>The line of a request that was accepted.</summary>
    public static string Of(ReadOnlySpan<byte> method, string target, string version)
    {
        var text = new StringBuilder();
        var isWhole = Append(text, method, LengthMax) && Append(text, " "u8, LengthMax)
            && Append(text, Encoding.Latin1.GetBytes(target), LengthMax);
        return isWhole ? text.Append(" HTTP/").Append(version).ToString() : text.Append("...").ToString();
    }

    /// <summary>The first line of what was refused, whatever it is; a hyphen if there is nothing.</summary>
    public static string OfRefused(ReadOnlySpan<byte> received)
    {
        var lineFeed = received.IndexOf((byte)'\n');
        var line = (lineFeed < 0 ? received : received[..lineFeed]).TrimEnd((byte)'\r');
        if (line.IsEmpty)
        {
            return "-";
        }

        var text = new StringBuilder();
        return Append(text, line, LengthMax) ? text.ToString() : text.Append("...").ToString();
    }

    // False: there is no room for all of it.
    private static bool Append(StringBuilder text, ReadOnlySpan<byte> bytes, int lengthMax)
    {
        foreach (var value in bytes)
        {
            if (text.Length >= lengthMax)
            {
                return false;
            }

            if (value is < 0x20 or > 0x7e or (byte)'"' or (byte)'\\')
            {
                text.Append(CultureInfo.InvariantCulture, $"\\x{value:X2}");
            }
            else
            {
                text.Append((char)value);
            }
        }

        return true;
    }
}
