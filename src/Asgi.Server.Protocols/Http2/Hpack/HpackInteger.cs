// Integers with a prefix (RFC 7541, 5.1). Called by the decoder and by the writer of blocks; no state.

namespace Asgi.Server.Protocols.Http2.Hpack;

internal static class HpackInteger
{
    /// <summary>The most octets an integer takes: nothing that is meant needs more than 28 bits behind the prefix.</summary>
    public const int SizeMax = 5;

    private const int ShiftMax = 7 * (SizeMax - 2);

    /// <param name="block">The header block.</param>
    /// <param name="position">The place of the octet with the prefix; then that of the first octet behind the integer.</param>
    /// <param name="mask">The bits of the prefix, all ones.</param>
    /// <param name="value">The integer.</param>
    public static HpackFault? Read(ReadOnlySpan<byte> block, ref int position, int mask, out int value)
    {
        value = block[position++] & mask;
        return value < mask ? null : ReadRest(block, ref position, ref value);
    }

    /// <summary>Writes an integer; <paramref name="target"/> has <see cref="SizeMax"/> bytes at least.</summary>
    /// <returns>The octets it took.</returns>
    public static int Write(Span<byte> target, int pattern, int mask, int value)
    {
        if (value < mask)
        {
            target[0] = (byte)(pattern | value);
            return 1;
        }
        target[0] = (byte)(pattern | mask);
        value -= mask;
        int size = 1;
        for (; value >= 0x80; value >>= 7)
            target[size++] = (byte)(value | 0x80);
        target[size++] = (byte)value;
        return size;
    }

    private static HpackFault? ReadRest(ReadOnlySpan<byte> block, ref int position, ref int value)
    {
        for (int shift = 0; ; shift += 7)
        {
            if (position == block.Length)
                return HpackFault.Truncated;
            if (shift > ShiftMax)
                return HpackFault.IntegerTooLarge;
            int octet = block[position++];
            value += (octet & 0x7F) << shift;
            if (octet < 0x80)
                return null;
        }
    }
}
