// The code of RFC 7541, Appendix B. It is canonical: codes of one length are consecutive numbers in the order of the symbols, so the
// lengths say all. Read by both directions; immutable.

namespace Asgi.Server.Protocols.Http2.Hpack;

internal static class HuffmanCode
{
    /// <summary>The symbol that ends a string, and must not stand in one (RFC 7541, 5.2).</summary>
    public const int EndOfString = 256;

    public const int LengthMin = 5;
    public const int LengthMax = 30;

    /// <summary>The code of each symbol, in its last bits.</summary>
    public static readonly uint[] Codes = MakeCodes();

    /// <summary>Bits of the code of each symbol.</summary>
    public static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, // 0x00
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, // 0x20
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, // 0x40
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, // 0x60
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, // 0x80
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, // 0xA0
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, // 0xC0
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, // 0xE0
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    private static uint[] MakeCodes()
    {
        var codes = new uint[Lengths.Length];
        uint code = 0;
        for (int length = LengthMin; length <= LengthMax; length++, code <<= 1)
        {
            for (int symbol = 0; symbol < codes.Length; symbol++)
            {
                if (Lengths[symbol] == length)
                    codes[symbol] = code++;
            }
        }
        return codes;
    }
}
