// Huffman-coded strings to bytes (RFC 7541, 5.2): a table tells the symbols of up to eleven bits, which are nearly all that occur, and the
// order of the canonical code the others. Called by the decoder; no state.

using System.Buffers.Binary;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal static class HuffmanDecoder
{
    // All letters and digits have at most 8 bits, and what else user agents and targets hold has at most 11.
    private const int LookupBits = 11;

    // Length of the code, symbol; 0 for the beginning of a longer code.
    private static readonly ushort[] Lookup = MakeLookup();

    // By length: the first code of the next greater length, as its first 30 bits; what to add to a code for its place among the symbols.
    private static readonly uint[] Ends = new uint[HuffmanCode.LengthMax + 1];
    private static readonly int[] Offsets = new int[HuffmanCode.LengthMax + 1];
    private static readonly ushort[] Symbols = MakeSymbols();

    /// <summary>The most bytes that so many bytes of code can stand for.</summary>
    public static int GetLengthMax(int codeLength) => (int)Math.Min((long)codeLength * 8 / HuffmanCode.LengthMin, int.MaxValue);

    /// <summary>
    /// Decodes a string. What does not fit into <paramref name="target"/> is not written, but counted and checked as the rest.
    /// </summary>
    /// <param name="code">The whole string, with its padding.</param>
    /// <param name="target">Takes the bytes.</param>
    /// <param name="length">The bytes that the string stands for.</param>
    public static HpackFault? Decode(ReadOnlySpan<byte> code, Span<byte> target, out int length)
    {
        ulong bits = 0; // the first bits are the next ones
        int available = 0;
        int next = 0;
        length = 0;
        while (true)
        {
            if (code.Length - next >= sizeof(ulong))
            {
                // Whole bytes are counted; the rest of the last one is there twice, which changes nothing.
                bits |= BinaryPrimitives.ReadUInt64BigEndian(code[next..]) >> available;
                next += (63 - available) >> 3;
                available |= 56;
            }
            else
            {
                for (; available <= 56 && next < code.Length; available += 8)
                    bits |= (ulong)code[next++] << (56 - available);
                if (available < HuffmanCode.LengthMax)
                    break;
            }

            while (available >= HuffmanCode.LengthMax)
            {
                int entry = Lookup[(int)(bits >> (64 - LookupBits))];
                if (entry == 0)
                    entry = FindLong(bits);
                if (entry == 0)
                    return HpackFault.EndOfString;
                if ((uint)length < (uint)target.Length)
                    target[length] = (byte)entry;
                length++;
                bits <<= entry >> 8;
                available -= entry >> 8;
            }
        }
        return DecodeEnd(bits, available, target, ref length);
    }

    // Fewer bits than the longest code are left. Behind them stand ones, as if the padding went on: EOS is all ones, so no symbol but one
    // that reaches into the padding can come of it.
    private static HpackFault? DecodeEnd(ulong bits, int available, Span<byte> target, ref int length)
    {
        while (true)
        {
            ulong padded = bits | (ulong.MaxValue >> available);
            int entry = Lookup[(int)(padded >> (64 - LookupBits))];
            if (entry == 0)
                entry = FindLong(padded);
            int size = entry >> 8;
            if (entry == 0 || size > available)
            {
                if (padded != ulong.MaxValue)
                    return HpackFault.InvalidPadding;
                return available >= 8 ? HpackFault.PaddingTooLong : null;
            }
            if ((uint)length < (uint)target.Length)
                target[length] = (byte)entry;
            length++;
            bits <<= size;
            available -= size;
        }
    }

    // 0 for the end of the string.
    private static int FindLong(ulong bits)
    {
        uint code = (uint)(bits >> (64 - HuffmanCode.LengthMax));
        int length = LookupBits + 1;
        while (code >= Ends[length])
            length++;
        int symbol = Symbols[(int)(code >> (HuffmanCode.LengthMax - length)) + Offsets[length]];
        return symbol == HuffmanCode.EndOfString ? 0 : length << 8 | symbol;
    }

    private static ushort[] MakeLookup()
    {
        var lookup = new ushort[1 << LookupBits];
        for (int symbol = 0; symbol < HuffmanCode.EndOfString; symbol++)
        {
            int length = HuffmanCode.Lengths[symbol];
            if (length > LookupBits)
                continue;
            int spare = LookupBits - length;
            lookup.AsSpan((int)HuffmanCode.Codes[symbol] << spare, 1 << spare).Fill((ushort)(length << 8 | symbol));
        }
        return lookup;
    }

    private static ushort[] MakeSymbols()
    {
        var symbols = new ushort[HuffmanCode.Lengths.Length];
        int count = 0;
        uint code = 0;
        for (int length = HuffmanCode.LengthMin; length <= HuffmanCode.LengthMax; length++, code <<= 1)
        {
            Offsets[length] = count - (int)code;
            for (int symbol = 0; symbol < symbols.Length; symbol++)
            {
                if (HuffmanCode.Lengths[symbol] != length)
                    continue;
                symbols[count++] = (ushort)symbol;
                code++;
            }
            Ends[length] = code << (HuffmanCode.LengthMax - length);
        }
        return symbols;
    }
}
