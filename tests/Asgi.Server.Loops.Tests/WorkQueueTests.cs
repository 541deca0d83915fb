// Many producers, one consumer.

namespace Asgi.Server.Loops.Tests;

public sealed class WorkQueueTests
{
    private readonly WorkQueue _queue = new();
    private readonly List<int> _ran = [];

    [Fact]
    public void An_empty_queue_has_nothing_to_run()
    {
        Assert.True(_queue.IsEmpty);
        Assert.False(_queue.RunAll());
    }

    [Fact]
    public void Items_run_in_the_order_they_were_added()
    {
        for (var i = 0; i < 100; i++)
        {
            Push(i);
        }

        Assert.False(_queue.IsEmpty);
        Assert.True(_queue.RunAll());
        Assert.Equal(Enumerable.Range(0, 100), _ran);
        Assert.True(_queue.IsEmpty);
    }

    [Fact]
    public void What_an_item_adds_waits_for_the_next_call()
    {
        _queue.Push(new Work(() => Push(2)));
        Push(1);

        _queue.RunAll();
        Assert.Equal([1], _ran);

        _queue.RunAll();
        Assert.Equal([1, 2], _ran);
    }

    [Fact]
    public void An_item_may_add_itself_again()
    {
        Work? item = null;
        item = new Work(() =>
        {
            _ran.Add(_ran.Count);
            _queue.Push(item!);
        });
        _queue.Push(item);

        for (var i = 0; i < 3; i++)
        {
            Assert.True(_queue.RunAll());
        }

        Assert.Equal([0, 1, 2], _ran);
    }

    [Fact]
    public void Many_producers_lose_nothing_and_keep_their_order()
    {
        const int ThreadCount = 4;
        const int ItemCount = 50_000;
        var next = new int[ThreadCount];
        var isInOrder = true;
        var threads = Enumerable.Range(0, ThreadCount).Select(number => new Thread(() =>
        {
            for (var i = 0; i < ItemCount; i++)
            {
                var expected = i;
                _queue.Push(new Work(() => isInOrder &= next[number]++ == expected));
            }
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());

        var wait = new SpinWait();
        while (next.Sum() < ThreadCount * ItemCount && isInOrder)
        {
            if (!_queue.RunAll())
            {
                wait.SpinOnce(sleep1Threshold: -1);
            }
        }

        Array.ForEach(threads, thread => thread.Join());
        Assert.True(isInOrder);
        Assert.All(next, count => Assert.Equal(ItemCount, count));
    }

    private void Push(int number) => _queue.Push(new Work(() => _ran.Add(number)));
}
