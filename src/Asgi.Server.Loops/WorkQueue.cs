// The one door through which other threads reach a loop. Many producers, one consumer, no lock: a stack that the consumer takes whole.
namespace Asgi.Server.Loops;

/// <summary>Work to run on a loop's thread. Intrusive: an item stands in at most one queue at a time, which its owner sees to.</summary>
internal abstract class WorkItem
{
    internal WorkItem? NextItem { get; set; }

    /// <summary>Runs on the loop's thread. Driver code only; calls into an application belong on the ready list.</summary>
    public abstract void Run();
}

internal sealed class WorkQueue
{
    private WorkItem? _top;

    public bool IsEmpty => Volatile.Read(ref _top) is null;

    /// <summary>Adds an item. Any thread. A full fence: what was written before is seen by the loop when it runs the item.</summary>
    public void Push(WorkItem item)
    {
        WorkItem? top;
        do
        {
            top = Volatile.Read(ref _top);
            item.NextItem = top;
        }
        while (Interlocked.CompareExchange(ref _top, item, top) != top);
    }

    /// <summary>Runs what is queued, oldest first; what an item adds waits for the next call. Loop thread only.</summary>
    /// <returns>Whether there was anything.</returns>
    public bool RunAll()
    {
        if (IsEmpty)
        {
            return false;
        }

        // Taking the whole stack at once leaves no room for the ABA problem.
        var item = Reverse(Interlocked.Exchange(ref _top, null));
        while (item is not null)
        {
            var next = item.NextItem;
            item.NextItem = null;
            item.Run();
            item = next;
        }

        return true;
    }

    private static WorkItem? Reverse(WorkItem? item)
    {
        WorkItem? reversed = null;
        while (item is not null)
        {
            (item.NextItem, reversed, item) = (reversed, item, item.NextItem);
        }

        return reversed;
    }
}
