// The blocks of one loop. Two tiers: a stack that only the loop's thread touches, and a queue for everybody else, because an application
// that went asynchronous writes its response on another thread. A block goes back to the tier it came from, so neither runs dry.
using System.Collections.Concurrent;

namespace Asgi.Server.Loops.Buffers;

internal sealed class BlockPool
{
    /// <summary>Blocks each tier keeps (16 MiB); what comes back beyond that is left to the garbage collector.</summary>
    public const int RetainedCountMax = 1024;

    private readonly Block[] _retained = new Block[RetainedCountMax];
    private readonly ConcurrentQueue<Block> _strangers = new();
    private int _retainedCount;
    private int _strangerCount;
    private int _rentedByLoop;
    private int _rentedByStrangers;

    /// <summary>Blocks out of the pool and not yet back: what a test of leaks compares with zero.</summary>
    public int RentedCount => _rentedByLoop + Volatile.Read(ref _rentedByStrangers);

    /// <summary>Blocks kept for the next who rents. Any thread; while the loop runs, the figure may be just past.</summary>
    public int PooledCount => Volatile.Read(ref _retainedCount) + Volatile.Read(ref _strangerCount);

    /// <summary>A block of <see cref="Block.DefaultSize"/>. Loop thread only.</summary>
    public Block Rent()
    {
        var block = _retainedCount > 0 ? _retained[--_retainedCount] : new Block(Block.DefaultSize, isPooled: true);
        _rentedByLoop++;
        block.IsFromStranger = false;
        block.MarkRented();
        return block;
    }

    /// <summary>A block of <see cref="Block.DefaultSize"/>. Any thread.</summary>
    public Block RentAsStranger()
    {
        if (_strangers.TryDequeue(out var block))
        {
            Interlocked.Decrement(ref _strangerCount);
        }

        return LendToStranger(block ?? new Block(Block.DefaultSize, isPooled: true));
    }

    /// <summary>
    /// A block of <paramref name="size"/> bytes that is never pooled: heads and writes beyond a block are rare. Any thread.
    /// </summary>
    public Block RentLarge(int size) => LendToStranger(new Block(size, isPooled: false));

    /// <summary>Takes a block back. Any block, loop thread only, except blocks rented by strangers: those any thread may return.</summary>
    public void Return(Block block)
    {
        block.MarkReturned();
        if (!block.IsFromStranger)
        {
            _rentedByLoop--;
            if (_retainedCount < RetainedCountMax)
            {
                _retained[_retainedCount++] = block;
            }

            return;
        }

        Interlocked.Decrement(ref _rentedByStrangers);
        if (!block.IsPooled)
        {
            return;
        }

        if (Interlocked.Increment(ref _strangerCount) <= RetainedCountMax)
        {
            _strangers.Enqueue(block);
        }
        else
        {
            Interlocked.Decrement(ref _strangerCount);
        }
    }

    private Block LendToStranger(Block block)
    {
        Interlocked.Increment(ref _rentedByStrangers);
        block.IsFromStranger = true;
        block.MarkRented();
        return block;
    }
}
