// What each of many requests allocates. But for one thing: once a second, at the first response that needs it, the server writes its Date
// anew. That is nobody's request. It is known by its size, which is measured here, and by being rare.

namespace Asgi.Server.Micro.Tests.Allocations;

internal static class PerRequest
{
    /// <summary>Requests of which one at most may meet a new second: there are thousands in one.</summary>
    private const int RequestsPerDateMin = 10;

    /// <summary>What a new Date costs, in bytes.</summary>
    public static long DateSize { get; } = MeasureDate();

    /// <summary>The bytes that each request allocates, which must be the same for all.</summary>
    /// <param name="allocated">Bytes by request, of a server that sends no Server field.</param>
    public static long Of(ReadOnlySpan<long> allocated)
    {
        var perRequest = long.MaxValue;
        foreach (var bytes in allocated)
        {
            perRequest = Math.Min(perRequest, bytes);
        }

        var dates = 0L;
        var others = new List<string>();
        for (var i = 0; i < allocated.Length; i++)
        {
            var beyond = allocated[i] - perRequest;
            dates += beyond / DateSize;
            if (beyond % DateSize != 0)
            {
                others.Add($"request {i}: {allocated[i]}");
            }
        }

        Assert.True(
            others.Count == 0, $"Most requests allocate {perRequest} bytes, {others.Count} others: {string.Join(", ", others.Take(20))}");
        Assert.True(
            dates <= allocated.Length / RequestsPerDateMin,
            $"{dates} of {allocated.Length} requests allocate as a new Date does: {DateSize}.");
        return perRequest;
    }

    private static long MeasureDate()
    {
        // The first makes what is made once in a process.
        new DefaultFields(TimeProvider.System, serverName: null).GetLines(ResponseFieldTraits.None);
        var fields = new DefaultFields(TimeProvider.System, serverName: null);
        var before = GC.GetAllocatedBytesForCurrentThread();
        fields.GetLines(ResponseFieldTraits.None);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
