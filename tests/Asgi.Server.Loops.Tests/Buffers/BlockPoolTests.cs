// Blocks and their owners.

using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Loops.Tests.Buffers;

public sealed class BlockPoolTests
{
    private readonly BlockPool _pool = new();

    [Fact]
    public void What_is_rented_is_counted_until_it_is_returned()
    {
        Block[] blocks = [_pool.Rent(), _pool.RentAsStranger(), _pool.RentLarge(100_000)];
        Assert.Equal(3, _pool.RentedCount);
        Assert.Equal([Block.DefaultSize, Block.DefaultSize, 100_000], blocks.Select(block => block.Size));

        Array.ForEach(blocks, _pool.Return);

        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void A_returned_block_is_rented_again_as_new()
    {
        var first = _pool.Rent();
        first.SetContentEnd(100);
        first.ContentStart = 10;
        first.Link(_pool.Rent());
        _pool.Return(first);

        var second = _pool.Rent();

        Assert.Same(first, second);
        Assert.Equal((0, 0, 0L), (second.ContentStart, second.ContentEnd, second.RunningIndex));
        Assert.Null(second.Next);
    }

    [Fact]
    public void A_block_goes_back_to_the_tier_it_came_from()
    {
        var own = _pool.Rent();
        var strangers = _pool.RentAsStranger();
        _pool.Return(strangers);
        _pool.Return(own);

        Assert.Same(own, _pool.Rent());
        Assert.Same(strangers, _pool.RentAsStranger());
        Assert.NotSame(strangers, _pool.RentAsStranger());
    }

    [Fact]
    public void A_large_block_is_not_kept()
    {
        var large = _pool.RentLarge(Block.DefaultSize);
        _pool.Return(large);

        Assert.NotSame(large, _pool.RentAsStranger());
        Assert.NotSame(large, _pool.Rent());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_tier_keeps_so_many_blocks(bool isStranger)
    {
        Block Rent() => isStranger ? _pool.RentAsStranger() : _pool.Rent();
        var blocks = Enumerable.Range(0, BlockPool.RetainedCountMax + 1).Select(_ => Rent()).ToHashSet();
        foreach (var block in blocks)
        {
            _pool.Return(block);
        }

        var again = Enumerable.Range(0, BlockPool.RetainedCountMax + 1).Select(_ => Rent()).ToArray();

        Assert.Equal(BlockPool.RetainedCountMax, again.Count(blocks.Contains));
    }

#if DEBUG
    [Fact]
    public unsafe void The_use_of_a_returned_block_throws()
    {
        var block = _pool.Rent();
        _pool.Return(block);

        Assert.Throws<InvalidOperationException>(() => block.Array);
        Assert.Throws<InvalidOperationException>(() => (nint)block.Pointer);
        Assert.Throws<InvalidOperationException>(() => block.SetContentEnd(1));
        Assert.Throws<InvalidOperationException>(() => _pool.Return(block));
    }

    [Fact]
    public void What_is_read_from_a_returned_block_is_poison()
    {
        var block = _pool.Rent();
        var array = block.Array;
        array.AsSpan().Fill(1);

        _pool.Return(block);

        Assert.DoesNotContain((byte)1, array);
    }
#endif

    [Fact]
    public void Strangers_may_rent_and_return_on_any_thread()
    {
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                var block = _pool.RentAsStranger();
                block.Array[0] = 1;
                _pool.Return(block);
            }
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        for (var i = 0; i < 10_000; i++)
        {
            _pool.Return(_pool.Rent());
        }

        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(0, _pool.RentedCount);
    }
}
