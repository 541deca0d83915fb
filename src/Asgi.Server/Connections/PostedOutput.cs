// Ranges on their way from a writer on another thread to the loop. One writer and one taker: the writer adds to the batch that waits, if
// the loop has not taken it yet.
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

/// <summary>What a writer has closed and not handed over.</summary>
internal interface IClosedRanges
{
    /// <summary>Moves all of it, for a thread that is not the loop's: the ranges are to be posted.</summary>
    /// <returns>Their length in bytes.</returns>
    long MoveTo(List<OutputRange> target);
}

internal struct PostedOutput
{
    private Batch? _waiting;
    private Batch? _spare;

    /// <summary>Adds what the output has closed. The writer's thread; post the taking of it afterwards.</summary>
    /// <returns>The bytes added.</returns>
    public long Add(IClosedRanges output)
    {
        var batch = Interlocked.Exchange(ref _waiting, null) ?? Interlocked.Exchange(ref _spare, null) ?? new Batch();
        var length = output.MoveTo(batch.Ranges);
        Volatile.Write(ref _waiting, batch);
        return length;
    }

    /// <summary>Moves what waits into the connection's buffer. Loop thread.</summary>
    public void TakeTo(SendBuffer target)
    {
        if (Volatile.Read(ref _waiting) is null || Interlocked.Exchange(ref _waiting, null) is not { } batch)
        {
            return;
        }

        foreach (var range in batch.Ranges)
        {
            target.Append(range);
        }

        batch.Ranges.Clear();
        Volatile.Write(ref _spare, batch);
    }

    /// <summary>Moves what waits into the content of a stream. Loop thread.</summary>
    public void TakeTo(Http2Pending target)
    {
        if (Volatile.Read(ref _waiting) is null || Interlocked.Exchange(ref _waiting, null) is not { } batch)
        {
            return;
        }

        foreach (var range in batch.Ranges)
        {
            target.Append(range);
        }

        batch.Ranges.Clear();
        Volatile.Write(ref _spare, batch);
    }

    private sealed class Batch
    {
        public List<OutputRange> Ranges { get; } = [];
    }
}
