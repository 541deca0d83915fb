// The path of a request target (RFC 9112, section 3.2) as applications see it: decoded once, without dot segments.
// Called by the driver when it fills the scope; no state.

using System.Buffers;
using System.Text;

namespace Asgi.Server.Protocols.Http;

/// <summary>The forms of a request target (RFC 9112, 3.2).</summary>
internal enum TargetForm
{
    Origin,
    Absolute,
    Authority,
    Asterisk,
}

internal static class RequestTarget
{
    // Paths are nearly always shorter; the stack holds them while they are decoded.
    private const int StackLimit = 512;

    /// <summary>
    /// Percent-decodes a path as UTF-8, once, and removes dot segments afterwards, so that "%2e%2e" cannot climb where ".." could not.
    /// "%2F" stays, for it is data and no separator; so does whatever does not decode to UTF-8. An empty path means "/" (RFC 9110, 4.2.3).
    /// </summary>
    public static string DecodePath(ReadOnlySpan<byte> rawPath)
    {
        if (rawPath.IsEmpty)
            return "/";
        if (!rawPath.Contains((byte)'%') && rawPath.IndexOf("/."u8) < 0)
            return rawPath.Length == 1 ? "/" : Encoding.ASCII.GetString(rawPath);

        byte[]? rented = null;
        Span<byte> path = rawPath.Length <= StackLimit
            ? stackalloc byte[StackLimit]
            : rented = ArrayPool<byte>.Shared.Rent(rawPath.Length);

        path = path[..PercentDecode(rawPath, path)];
        path = path[..RemoveDotSegments(path)];
        string decoded = Encoding.UTF8.GetString(path);

        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return decoded;
    }

    private static int PercentDecode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int written = 0;
        while (!source.IsEmpty)
        {
            int literal = source.IndexOf((byte)'%');
            if (literal < 0)
                literal = source.Length;
            if (literal == 0)
                literal = DecodeCharacter(ref source, destination, ref written) ? 0 : 1;

            source[..literal].CopyTo(destination[written..]);
            written += literal;
            source = source[literal..];
        }
        return written;
    }

    /// <summary>
    /// Decodes the encoded octets of one character; false leaves <paramref name="source"/> alone: its '%' is then a literal.
    /// </summary>
    private static bool DecodeCharacter(ref ReadOnlySpan<byte> source, Span<byte> destination, ref int written)
    {
        Span<byte> octets = stackalloc byte[4];
        int count = 0;
        while (count < octets.Length && TryDecodeOctet(source[(count * 3)..], out octets[count]))
        {
            count++;
            if (octets[0] < 0x80)
                break;
        }

        // Rune refuses overlong forms, surrogates and incomplete sequences, which is the strictness RFC 3629, section 10, asks for.
        if (Rune.DecodeFromUtf8(octets[..count], out _, out int length) != OperationStatus.Done || octets[0] == '/')
            return false;
        octets[..length].CopyTo(destination[written..]);
        written += length;
        source = source[(length * 3)..];
        return true;
    }

    private static bool TryDecodeOctet(ReadOnlySpan<byte> source, out byte octet)
    {
        octet = 0;
        if (source.Length < 3 || source[0] != '%' || !char.IsAsciiHexDigit((char)source[1]) || !char.IsAsciiHexDigit((char)source[2]))
            return false;
        octet = (byte)((HexValue(source[1]) << 4) | HexValue(source[2]));
        return true;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    /// <summary>
    /// RFC 3986, 5.2.4, in place, for a path that begins with '/': the output never overtakes the input. Returns the new length.
    /// </summary>
    private static int RemoveDotSegments(Span<byte> path)
    {
        int read = 0;
        int written = 0;
        while (read < path.Length)
        {
            int length = path[(read + 1)..].IndexOf((byte)'/');
            int next = length < 0 ? path.Length : read + 1 + length;
            Span<byte> segment = path[read..next];
            bool isLast = next == path.Length;

            if (segment.SequenceEqual("/."u8) || segment.SequenceEqual("/.."u8))
            {
                if (segment.Length == 3)
                    written = Math.Max(path[..written].LastIndexOf((byte)'/'), 0);
                if (isLast)
                    path[written++] = (byte)'/';
            }
            else
            {
                segment.CopyTo(path[written..]);
                written += segment.Length;
            }
            read = next;
        }
        return written;
    }
}
