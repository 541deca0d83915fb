// Header blocks in the steady state: nothing is allocated by reading and writing them.

using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class HpackTests
{
    private const int Rounds = 10_000;

    [OptimizedFact]
    public void A_request_read() => DemandNone(new HpackBlockReading());

    [OptimizedFact]
    public void A_response_written() => DemandNone(new HpackBlockWriting());

    /// <summary>A value that is another one each time is read and written as a literal, past the end of the ring.</summary>
    [OptimizedFact]
    public void Fields_that_are_never_the_same()
    {
        var decoder = new HpackDecoder();
        var into = new FieldBytes(1000);
        byte[] block = [0x40, 1, (byte)'a', 4, 0, 0, 0, 0];
        long before = 0;
        for (int i = 0; i < 2 * Rounds; i++)
        {
            if (i == Rounds)
                before = GC.GetAllocatedBytesForCurrentThread();
            BitConverter.TryWriteBytes(block.AsSpan(4), i);
            into.Clear();
            int position = 0;
            decoder.BeginBlock();
            if (decoder.Next(block, ref position, into, out _) != HpackResult.Field)
                Assert.Fail("The block is not read.");
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(decoder.TableSize, 4000, 4096);
    }

    private static void DemandNone(HpackBlockReading reading) => DemandNone(reading.SetUp, reading.BrowserRequest);

    private static void DemandNone(HpackBlockWriting writing) => DemandNone(writing.SetUp, writing.SixFields);

    private static void DemandNone(Action setUp, Func<int> benchmark)
    {
        setUp();
        for (int i = 0; i < Rounds; i++)
            benchmark();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
            benchmark();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
