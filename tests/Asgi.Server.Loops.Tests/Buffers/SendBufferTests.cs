// What is queued leaves in order, and blocks go back when their last byte has left.

using Asgi.Server.Loops.Buffers;
using Asgi.Server.Loops.Interop;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests.Buffers;

public sealed class SendBufferTests
{
    private readonly BlockPool _pool = new();
    private readonly SendBuffer _buffer;

    public SendBufferTests() => _buffer = new SendBuffer(_pool);

    [Fact]
    public void A_range_that_continues_the_last_is_one_with_it()
    {
        var block = _pool.Rent();
        _buffer.Append(new OutputRange(block, 0, 10, Give: false));
        _buffer.Append(new OutputRange(block, 10, 30, Give: false));
        Assert.Equal((1, 30L), (GatherCount(), _buffer.Length));

        _buffer.Append(new OutputRange(block, 31, 40, Give: true));
        Assert.Equal((2, 39L), (GatherCount(), _buffer.Length));

        _buffer.Consume(39);
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void A_block_that_was_given_continues_nothing()
    {
        var block = _pool.Rent();
        _buffer.Append(new OutputRange(block, 0, 10, Give: true));
        var other = _pool.Rent();
        _buffer.Append(new OutputRange(other, 10, 20, Give: true));

        Assert.Equal(2, GatherCount());
        _buffer.Clear();
        Assert.Equal((0, 0L, true), (_pool.RentedCount, _buffer.Length, _buffer.IsEmpty));
    }

    [Fact]
    public void A_trim_loses_nothing_that_is_queued()
    {
        for (var i = 0; i < 5; i++)
        {
            _buffer.Trim();
            _buffer.Append(new OutputRange(_pool.Rent(), 0, 10, Give: true));
        }

        _buffer.Trim();
        Assert.Equal((5, 50L), (GatherCount(), _buffer.Length));

        _buffer.Consume(50);
        _buffer.Trim();
        Assert.Equal((0, true, 0), (GatherCount(), _buffer.IsEmpty, _pool.RentedCount));

        _buffer.Append(new OutputRange(_pool.Rent(), 0, 10, Give: true));
        _buffer.Append(new OutputRange(_pool.Rent(), 0, 10, Give: true));
        Assert.Equal(2, GatherCount());
        _buffer.Clear();
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void A_block_is_returned_with_its_last_byte_and_not_before()
    {
        _buffer.Append(new OutputRange(_pool.Rent(), 0, 100, Give: true));

        _buffer.Consume(99);
        Assert.Equal((1, 1L), (_pool.RentedCount, _buffer.Length));

        _buffer.Consume(1);
        Assert.Equal((0, true), (_pool.RentedCount, _buffer.IsEmpty));
    }

    [Fact]
    public void A_borrowed_block_stays_with_its_writer()
    {
        var block = _pool.Rent();
        _buffer.Append(new OutputRange(block, 0, 100, Give: false));
        _buffer.Consume(100);
        Assert.Equal(1, _pool.RentedCount);

        _buffer.Append(new OutputRange(block, 100, 100, Give: true));
        Assert.Equal((0, true), (_pool.RentedCount, _buffer.IsEmpty));
    }

    [Fact]
    public void An_empty_range_behind_others_gives_its_block_when_they_are_sent()
    {
        _buffer.Append(new OutputRange(_pool.Rent(), 0, 10, Give: true));
        _buffer.Append(new OutputRange(_pool.Rent(), 5, 5, Give: true));

        _buffer.Consume(10);

        Assert.Equal((0, true), (_pool.RentedCount, _buffer.IsEmpty));
    }

    [Fact]
    public void A_gather_gives_no_more_than_it_is_asked_for()
    {
        for (var i = 0; i < 100; i++)
        {
            _buffer.Append(new OutputRange(_pool.Rent(), 0, 1, Give: true));
        }

        Assert.Equal(SendBuffer.GatherCountMax, GatherCount());
        _buffer.Clear();
        Assert.Equal(0, _pool.RentedCount);
    }

    [Fact]
    public void Random_operations_agree_with_a_naive_model() => Seeds.Run(10, seed =>
    {
        var random = new Random(seed);
        var pool = new BlockPool();
        var buffer = new SendBuffer(pool);
        var model = new Queue<byte>();
        var block = pool.Rent();
        var end = 0;
        byte next = 0;
        for (var operation = 0; operation < 1000; operation++)
        {
            if (random.Next(3) > 0)
            {
                var start = end + (random.Next(3) == 0 ? 1 : 0);
                end = start + random.Next(40);
                for (var i = start; i < end; i++)
                {
                    block.Array[i] = next;
                    model.Enqueue(next++);
                }

                var give = random.Next(4) == 0 || end > Block.DefaultSize - 100;
                buffer.Append(new OutputRange(block, start, end, give));
                (block, end) = give ? (pool.Rent(), 0) : (block, end);
            }
            else
            {
                var gathered = Gather(buffer);
                var sent = random.Next(gathered.Length + 1);
                Assert.Equal(model.Take(gathered.Length), gathered);
                for (var i = 0; i < sent; i++)
                {
                    model.Dequeue();
                }

                buffer.Consume(sent);
            }

            Assert.Equal(model.Count, buffer.Length);
        }

        buffer.Append(new OutputRange(block, end, end, Give: true));
        while (!buffer.IsEmpty)
        {
            buffer.Consume(Gather(buffer).Length);
        }

        Assert.Equal(0, pool.RentedCount);
    });

    private int GatherCount() => _buffer.Gather(new IoVector[SendBuffer.GatherCountMax], out _);

    private static byte[] Gather(SendBuffer buffer)
    {
        var vectors = new IoVector[SendBuffer.GatherCountMax];
        var bytes = new List<byte>();
        foreach (var vector in vectors.AsSpan(0, buffer.Gather(vectors, out _)))
        {
            bytes.AddRange(vector.Span);
        }

        return [.. bytes];
    }
}
