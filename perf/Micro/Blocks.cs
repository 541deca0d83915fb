// Memory: blocks in and out of their pool, and bytes through a connection's send buffer.

using Asgi.Server.Loops.Buffers;
using Asgi.Server.Loops.Interop;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class Blocks
{
    private const int Many = 16;
    private readonly BlockPool _pool = new();
    private readonly IoVector[] _vectors = new IoVector[SendBuffer.GatherCountMax];
    private SendBuffer _sending = null!;
    private Block _kept = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _sending = new SendBuffer(_pool);
        _kept = _pool.Rent();
    }

    /// <summary>Yields what is out of the pool at the most: one is kept by the other benchmarks.</summary>
    [Benchmark(Baseline = true), Yields(2)]
    public int RentAndReturn()
    {
        var block = _pool.Rent();
        int count = _pool.RentedCount;
        _pool.Return(block);
        return count;
    }

    [Benchmark, Yields(2)]
    public int RentAndReturnAsStranger()
    {
        var block = _pool.RentAsStranger();
        int count = _pool.RentedCount;
        _pool.Return(block);
        return count;
    }

    /// <summary>A response in a block that goes on being filled: appended, gathered, sent.</summary>
    [Benchmark, Yields(115)]
    public int SendOneResponse()
    {
        _sending.Append(new OutputRange(_kept, 0, 115, Give: false));
        int length = Gathered(_sending.Gather(_vectors, out _));
        _sending.Consume(length);
        return _sending.IsEmpty ? length : -1;
    }

    /// <summary>Full blocks, given with their ranges; the first send takes one and a half of them.</summary>
    [Benchmark, Yields(Many * Block.DefaultSize)]
    public int SendManyBlocksInTwoSends()
    {
        for (int i = 0; i < Many; i++)
            _sending.Append(new OutputRange(_pool.Rent(), 0, Block.DefaultSize, Give: true));
        const int First = Block.DefaultSize * 3 / 2;
        _sending.Consume(Math.Min(First, Gathered(_sending.Gather(_vectors, out _))));
        int rest = Gathered(_sending.Gather(_vectors, out _));
        _sending.Consume(rest);
        return _sending.IsEmpty && _pool.RentedCount == 1 ? First + rest : -1;
    }

    private int Gathered(int count)
    {
        int length = 0;
        foreach (var vector in _vectors.AsSpan(0, count))
            length += vector.Span.Length;
        return length;
    }
}
