// Bytes and characters to Huffman-coded strings (RFC 7541, 5.2). Called by the writer of blocks; no state.

using System.Buffers.Binary;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal static class HuffmanEncoder
{
    // Bits by character of a field value, 0 for what a value in ASCII may not hold: HTAB and 0x20-0x7E are all.
    private static readonly byte[] ValueLengths = MakeValueLengths();

    /// <summary>The bytes that the code of a string takes.</summary>
    public static int GetLength(ReadOnlySpan<byte> text)
    {
        long bits = 0;
        foreach (byte symbol in text)
            bits += HuffmanCode.Lengths[symbol];
        return (int)((bits + 7) / 8);
    }

    /// <summary>The same for a field value in ASCII; -1 for one that may not be sent.</summary>
    public static int GetLength(ReadOnlySpan<char> value)
    {
        long bits = 0;
        ReadOnlySpan<byte> lengths = ValueLengths;
        foreach (char symbol in value)
        {
            int length = symbol < lengths.Length ? lengths[symbol] : 0;
            if (length == 0)
                return -1;
            bits += length;
        }
        return (int)((bits + 7) / 8);
    }

    /// <summary>Writes the code of a string. <paramref name="target"/> has exactly the bytes it takes.</summary>
    public static void Encode(ReadOnlySpan<byte> text, Span<byte> target)
    {
        var output = new Output(target);
        foreach (byte symbol in text)
            output.Append(symbol);
        output.Pad();
    }

    /// <inheritdoc cref="Encode(ReadOnlySpan{byte}, Span{byte})"/>
    public static void Encode(ReadOnlySpan<char> value, Span<byte> target)
    {
        var output = new Output(target);
        foreach (char symbol in value)
            output.Append((byte)symbol);
        output.Pad();
    }

    private static byte[] MakeValueLengths()
    {
        var lengths = new byte[128];
        lengths['\t'] = HuffmanCode.Lengths['\t'];
        for (char symbol = ' '; symbol <= '~'; symbol++)
            lengths[symbol] = HuffmanCode.Lengths[symbol];
        return lengths;
    }

    private ref struct Output(Span<byte> target)
    {
        private Span<byte> _rest = target;
        private ulong _bits; // the last ones are the newest
        private int _count;

        public void Append(byte symbol)
        {
            int length = HuffmanCode.Lengths[symbol];
            _bits = _bits << length | HuffmanCode.Codes[symbol];
            _count += length;
            if (_count < 32)
                return;
            _count -= 32;
            BinaryPrimitives.WriteUInt32BigEndian(_rest, (uint)(_bits >> _count));
            _rest = _rest[sizeof(uint)..];
        }

        // With ones, the beginning of EOS.
        public void Pad()
        {
            int padding = -_count & 7;
            _bits = _bits << padding | ((1u << padding) - 1);
            for (_count += padding; _count > 0; _rest = _rest[1..])
            {
                _count -= 8;
                _rest[0] = (byte)(_bits >> _count);
            }
        }
    }
}
