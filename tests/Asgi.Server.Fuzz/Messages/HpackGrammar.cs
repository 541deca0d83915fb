// Draws the steps of a connection's HPACK: blocks of the grammar with anything in their integers and strings, blocks that were right once
// and have been changed, and responses.

using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Fuzz.Messages;

internal static class HpackGrammar
{
    private const int StepsMax = 8;
    private const int RepresentationsMax = 10;
    private const int BlockSizeMax = 16 * 1024;

    private static readonly int[] Sizes = [0, 1, 32, 33, 100, 300, 4095, 4096, 4097, 8192];
    private static readonly int[] Statuses = [0, 200, 404, 302, 418];

    // Pattern and mask of each representation, the usual ones more than once.
    private static readonly (int Pattern, int Mask)[] Representations =
        [(0x80, 0x7F), (0x80, 0x7F), (0x80, 0x7F), (0x40, 0x3F), (0x40, 0x3F), (0x00, 0x0F), (0x10, 0x0F), (0x20, 0x1F)];

    public static FuzzCase Draw(Random random)
    {
        var steps = new HpackStep[random.Next(1, StepsMax)];
        for (int i = 0; i < steps.Length; i++)
        {
            int size = random.Next(6) == 0 ? Sizes[random.Next(Sizes.Length)] : -1;
            int room = random.Next(3) == 0 ? random.Next(200) : BlockSizeMax;
            steps[i] = random.Next(2) == 0
                ? new HpackStep(DrawBlock(random), [], 0, size, room)
                : new HpackStep(null, RandomFields.Draw(random), Statuses[random.Next(Statuses.Length)], size, room);
        }
        return new HpackCase(steps, random.Next(3) == 0 ? random.Next(200) : BlockSizeMax);
    }

    private static byte[] DrawBlock(Random random)
    {
        var block = new List<byte>();
        // Mostly where they may stand.
        if (random.Next(4) == 0)
            AddInteger(random, block, 0x20, 0x1F, random.Next(4097));
        int count = random.Next(RepresentationsMax);
        for (int i = 0; i < count; i++)
        {
            (int pattern, int mask) = Representations[random.Next(Representations.Length)];
            if (pattern == 0x20 && random.Next(20) != 0)
                continue;
            AddInteger(random, block, pattern, mask, DrawIndex(random));
            if (pattern >= 0x80 || pattern == 0x20)
                continue;
            if ((block[^1] & mask) == 0)
                AddString(random, block);
            AddString(random, block);
        }
        return random.Next(3) == 0 ? Mutation.Apply(random, Encoding.Latin1.GetString([.. block])) : [.. block];
    }

    private static int DrawIndex(Random random) => random.Next(12) switch
    {
        0 => 0,
        1 => random.Next(200),
        < 7 => random.Next(1, StaticTable.Count + 1),
        _ => StaticTable.Count + random.Next(1, 5),
    };

    private static void AddInteger(Random random, List<byte> block, int pattern, int mask, int value)
    {
        if (random.Next(200) == 0)
            value = random.Next() & 0xFFFFFFF;
        byte[] octets = new byte[HpackInteger.SizeMax + 1];
        block.AddRange(octets[..HpackInteger.Write(octets, pattern, mask, value)]);
    }

    private static void AddString(Random random, List<byte> block)
    {
        byte[] text = new byte[random.Next(20) == 0 ? random.Next(6000) : random.Next(20)];
        if (random.Next(3) == 0)
            random.NextBytes(text);
        else
            text.AsSpan().Fill((byte)random.Next(' ', 127));
        bool isCoded = random.Next(2) == 0;
        if (isCoded && random.Next(20) != 0)
        {
            byte[] code = new byte[HuffmanEncoder.GetLength(text)];
            HuffmanEncoder.Encode(text, code);
            text = code;
        }
        AddInteger(random, block, isCoded ? 0x80 : 0, 0x7F, text.Length);
        block.AddRange(text);
    }
}
