// Draws connections of HTTP/2: mostly what clients do, each frame sometimes in the wrong place, with a wrong size or id, or changed.

using Asgi.Server.Protocols.Http2;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Fuzz.Frames;

internal static class FrameGrammar
{
    private static readonly string[] Fields =
    [
        "x: y", "x: ", "cookie: a=b", "cookie: c", "content-length: 5", "content-length: 0", "te: trailers", "host: a",
        "expect: 100-continue", "accept: */*",
        "te: gzip", "X: y", "connection: close", ": x", ":path: /", "x:  y", "x: \u0001", "x: \u00E9", "host: b",
        "content-length: x",
    ];

    private static readonly string[] Paths = ["/", "/a?b", "/%2e", "*", "", "a", "/%00", "/ "];

    private static readonly uint[] Increments = [1, 100, 256, 65_535, 0, int.MaxValue, int.MaxValue - 65_535, 0x8000_0001];

    public static FuzzCase Draw(Random random)
    {
        var steps = new List<FrameStep>();
        uint next = 1;
        for (int count = random.Next(1, 30); count > 0; count--)
        {
            // Of a stream that was used mostly; now and then of none.
            uint some = random.Next(12) == 0 ? (uint)random.Next(12) : 1 + 2 * (uint)random.Next((int)(next + 1) / 2);
            foreach (byte[] frame in DrawFrames(random, some, ref next))
            {
                byte[] bytes = random.Next(25) == 0 ? Mutate(random, frame) : frame;
                var act = random.Next(2) == 0 ? DriverAct.None : (DriverAct)random.Next(9);
                if (act == DriverAct.FinishGoAway && random.Next(10) != 0)
                    act = DriverAct.Release;
                int choice = random.Next(random.Next(4) == 0 ? 20_000 : 20);
                steps.Add(new(bytes, random.Next(5) == 0 ? random.Next(700) : 0, act, choice));
            }
        }
        return new FrameCase([.. steps], DrawLimits(random));
    }

    private static Http2Limits DrawLimits(Random random) => random.Next(3) == 0 ? Http2Limits.Default : new Http2Limits
    {
        MaxStreamsPerConnection = random.Next(1, 6),
        HeaderTableSize = random.Next(3) * 40,
        MaxRequestHeadersTotalSize = random.Next(150, 600),
        MaxRequestHeaderCount = random.Next(1, 8),
        MaxRequestLineSize = random.Next(15, 100),
        InitialStreamWindowSize = random.Next(70_000),
        InitialConnectionWindowSize = random.Next(100_000),
        AbuseWindowMilliseconds = random.Next(1, 1000),
        StreamResetsMax = random.Next(1, 9),
        StreamFaultsMax = random.Next(1, 9),
        SettingsMax = random.Next(1, 9),
        PingsMax = random.Next(1, 9),
        EmptyDataFramesMax = random.Next(1, 9),
        PrioritiesMax = random.Next(1, 9),
        UnknownFramesMax = random.Next(1, 9),
        TinyWindowUpdatesMax = random.Next(1, 9),
        ContinuationsMax = random.Next(4),
        AllowsExtendedConnect = random.Next(2) == 0,
        AllowsHostOverride = random.Next(2) == 0,
    };

    private static byte[][] DrawFrames(Random random, uint some, ref uint next)
    {
        switch (random.Next(16))
        {
            case < 5:
                uint id = next;
                next += random.Next(10) == 0 ? 4u : 2u;
                return Fragment(random, id, [.. DrawPseudoFields(random), .. DrawFields(random)], end: random.Next(2) == 0);
            case < 8:
                return [DrawData(random, some)];
            case 8:
                return Fragment(random, some, DrawFields(random), end: random.Next(4) != 0);
            case 9:
                return [RstStream(some, (uint)random.Next(16))];
            case 10 or 11:
                return [WindowUpdate(random.Next(3) == 0 ? 0 : some, Increments[random.Next(random.Next(3) == 0 ? Increments.Length : 4)])];
            case 12:
                return [Settings((4, (uint)random.Next(70_000)), ((ushort)random.Next(10), (uint)random.Next(3)))];
            case 13:
                return [random.Next(2) == 0 ? SettingsAck() : Ping(random.Next(2))];
            case 14:
                return [random.Next(2) == 0 ? Priority(some) : GoAway()];
            default:
                return [Frame((byte)random.Next(20), random.Next(256), random.Next(3) == 0 ? 0 : some, RandomBytes(random, 12))];
        }
    }

    private static byte[] DrawData(Random random, uint id)
    {
        int length = random.Next(8) == 0 ? random.Next(16_300) : random.Next(8);
        bool end = random.Next(4) == 0;
        return random.Next(3) == 0
            ? PaddedData(id, new string('p', length), (byte)random.Next(80), end)
            : DataFrame(id, new string('d', length), end);
    }

    private static string[] DrawPseudoFields(Random random)
    {
        string method = random.Next(8) == 0 ? "CONNECT" : random.Next(8) == 0 ? "OPTIONS" : "POST";
        string path = Paths[random.Next(random.Next(4) == 0 ? Paths.Length : 2)];
        string[] all = [$":method: {method}", ":scheme: http", $":path: {path}", ":authority: a"];
        if (random.Next(10) == 0)
            all[random.Next(all.Length)] = ":protocol: websocket";
        return random.Next(20) == 0 ? all[1..] : all;
    }

    private static string[] DrawFields(Random random) =>
        [.. Enumerable.Range(0, random.Next(5)).Select(_ => Fields[random.Next(random.Next(6) == 0 ? Fields.Length : 10)])];

    /// <summary>HEADERS, often with CONTINUATION; the block sometimes with fields of the tables, and their changes.</summary>
    private static byte[][] Fragment(Random random, uint id, string[] fields, bool end)
    {
        byte[] block = Block(fields);
        if (random.Next(3) == 0)
            block = [.. block, 0x40, 1, (byte)'i', 2, (byte)'x', (byte)random.Next('a', 'z')];
        if (random.Next(4) == 0)
            block = [.. block, (byte)random.Next(0xBE, 0xC2)];
        if (random.Next(12) == 0)
            block = [.. RandomBytes(random, 3), .. block];
        int flags = end ? EndStream : 0;
        if (random.Next(3) != 0)
            return [Frame(HeadersType, flags | EndHeaders, id, block)];

        byte[][] pieces = [.. block.Chunk(random.Next(1, block.Length + 2))];
        if (pieces.Length is 0 or > 6)
            return [Frame(HeadersType, flags, id, block), Frame(Continuation, EndHeaders, id)];
        return
        [
            Frame(HeadersType, flags | (pieces.Length == 1 ? EndHeaders : 0), id, pieces[0]),
            .. pieces.Skip(1).Select((piece, i) => Frame(Continuation, i == pieces.Length - 2 ? EndHeaders : 0, id, piece)),
        ];
    }

    private static byte[] Mutate(Random random, byte[] frame)
    {
        byte[] bytes = [.. frame];
        int position = random.Next(random.Next(2) == 0 ? 9 : bytes.Length);
        switch (random.Next(4))
        {
            case 0:
                bytes[position] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[position] = (byte)random.Next(256);
                return bytes;
            case 2:
                return bytes[..position];
            default:
                return [.. bytes, .. RandomBytes(random, 20)];
        }
    }

    private static byte[] RandomBytes(Random random, int lengthMax)
    {
        var bytes = new byte[random.Next(lengthMax)];
        random.NextBytes(bytes);
        return bytes;
    }
}
