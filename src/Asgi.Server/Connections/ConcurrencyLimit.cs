// How many of something there may be at a time, over all loops: connections, upgraded connections, requests. Any thread.
namespace Asgi.Server.Connections;

internal sealed class ConcurrencyLimit(long max)
{
    private long _count;

    public long Count => Volatile.Read(ref _count);

    /// <summary>Counts one more, unless there are as many as there may be.</summary>
    public bool TryEnter()
    {
        // Not an increment that is taken back: while it stands, another would be refused a place that is free.
        var count = Volatile.Read(ref _count);
        while (count < max)
        {
            var seen = Interlocked.CompareExchange(ref _count, count + 1, count);
            if (seen == count)
            {
                return true;
            }

            count = seen;
        }

        return false;
    }

    /// <summary>One that has entered is gone.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);
}
