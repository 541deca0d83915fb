// The chunked transfer coding (RFC 9112, section 7.1) as a sender writes it. Called by Http1Stream; no state.

using System.Buffers.Text;
using System.Diagnostics;
using System.Numerics;

namespace Asgi.Server.Protocols.Http1;

internal static class ChunkedCoding
{
    private const int MaxSizeDigits = 8;

    /// <summary>The longest size line: eight digits and CRLF.</summary>
    public const int MaxPrefixSize = MaxSizeDigits + 2;

    /// <summary>What follows the data of each chunk.</summary>
    public static ReadOnlySpan<byte> ChunkEnd => "\r\n"u8;

    /// <summary>The last chunk and an empty trailer section.</summary>
    public static ReadOnlySpan<byte> LastChunk => "0\r\n\r\n"u8;

    /// <summary>The last chunk; trailer fields and an empty line follow.</summary>
    public static ReadOnlySpan<byte> LastChunkBeforeTrailers => "0\r\n"u8;

    /// <summary>Writes the size line of a chunk with <paramref name="length"/> bytes of data; returns the length of the line.</summary>
    public static int WritePrefix(Span<byte> destination, int length)
    {
        // A chunk of size 0 would end the content.
        Debug.Assert(length > 0);
        int digits = GetDigits(length);
        WriteLine(destination[..(digits + 2)], length);
        return digits + 2;
    }

    /// <summary>
    /// Writes the size line so that it ends where <paramref name="gap"/> ends, directly before data that is already in place; returns
    /// the length of the line.
    /// </summary>
    public static int WritePrefixBefore(Span<byte> gap, int length)
    {
        Debug.Assert(length > 0);
        int size = GetDigits(length) + 2;
        WriteLine(gap[^size..], length);
        return size;
    }

    private static int GetDigits(int length) => (BitOperations.Log2((uint)length) >> 2) + 1;

    private static void WriteLine(Span<byte> line, int length)
    {
        Utf8Formatter.TryFormat(length, line, out int digits, 'x');
        ChunkEnd.CopyTo(line[digits..]);
    }
}
