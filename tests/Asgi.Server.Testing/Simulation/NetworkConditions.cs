// How the simulated network misbehaves, within what TCP and the kernel are allowed. Drawn from a seed, or set by a test.

namespace Asgi.Server.Testing.Simulation;

internal sealed record NetworkConditions
{
    /// <summary>Nothing is ever cut, delayed or refused, but for the sizes of the buffers.</summary>
    public static readonly NetworkConditions Calm = new();

    /// <summary>The most bytes that one step brings from one side to the other; each step brings 1 to so many.</summary>
    public int SegmentLengthMax { get; init; } = int.MaxValue;

    /// <summary>The server's receive buffer in the kernel: what a client may have sent and the server not received.</summary>
    public int ReceiveCapacity { get; init; } = 64 * 1024;

    /// <summary>The server's send buffer in the kernel: beyond it a send would block.</summary>
    public int SendCapacity { get; init; } = 64 * 1024;

    /// <summary>Room that a blocked send waits for before it is told of any: Linux waits for a third of the buffer.</summary>
    public int WritableRoomMin { get; init; } = 1;

    /// <summary>How often a step brings nothing although something is on its way.</summary>
    public double DelayChance { get; init; }

    /// <summary>How often a send takes fewer bytes than there is room for.</summary>
    public double ShortSendChance { get; init; }

    /// <summary>How often a send would block although there is room; the edge follows with the next step.</summary>
    public double BlockedSendChance { get; init; }

    /// <summary>How often an edge is reported although nothing is new.</summary>
    public double SpuriousEdgeChance { get; init; }

    /// <summary>Seed 0 is calm; the others are rough, each in its own way.</summary>
    /// <param name="seed">What the conditions are drawn from.</param>
    /// <param name="segmentLengthMin">The least of the segments' maximum: greater than 1 for a test that moves many bytes.</param>
    public static NetworkConditions Of(int seed, int segmentLengthMin = 1)
    {
        if (seed == 0)
        {
            return Calm;
        }

        // Not the sequence the network itself draws from.
        var random = new Random(~seed);
        int[] sizes = [1, 2, 7, 100, 1460, 4096, 16 * 1024, 64 * 1024];
        return new NetworkConditions
        {
            SegmentLengthMax = Math.Max(segmentLengthMin, Pick()),
            ReceiveCapacity = Math.Max(segmentLengthMin, Pick()),
            SendCapacity = Math.Max(segmentLengthMin, Pick()),
            DelayChance = random.NextDouble() / 2,
            ShortSendChance = random.NextDouble(),
            BlockedSendChance = random.NextDouble() / 2,
            SpuriousEdgeChance = random.NextDouble() / 4,
        };

        int Pick() => sizes[random.Next(sizes.Length)];
    }
}
