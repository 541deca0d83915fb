// What requests allocate, but for one thing: once a second, at the first response that needs it, the server writes its Date anew. That is
// nobody's request. It is known by its size, which is measured here, and by being rare.

namespace Asgi.Server.Micro.Tests.Allocations;

internal sealed class DatedAllocations
{
    /// <summary>Requests for which one at most may meet a new second: there are thousands in one.</summary>
    private const int RequestsPerSecondMin = 10;

    private readonly long _dateSize;
    private long _total;
    private long _dateCount;
    private long _requestCount;

    public DatedAllocations(string? serverName)
    {
        MeasureDate(serverName);
        _dateSize = MeasureDate(serverName);
        Assert.True(_dateSize > 0);
    }

    /// <summary>Bytes allocated by requests.</summary>
    public long Total
    {
        get
        {
            Assert.True(
                _dateCount <= _requestCount / RequestsPerSecondMin,
                $"{_dateCount} of {_requestCount} requests allocate as much as a new Date: {_dateSize} bytes.");
            return _total;
        }
    }

    /// <summary>What the requests of one round have allocated.</summary>
    public void Add(long allocated)
    {
        _requestCount++;
        if (allocated % _dateSize == 0)
        {
            _dateCount += allocated / _dateSize;
        }
        else
        {
            _total += allocated;
        }
    }

    private static long MeasureDate(string? serverName)
    {
        var fields = new DefaultFields(TimeProvider.System, serverName);
        var before = GC.GetAllocatedBytesForCurrentThread();
        fields.GetLines(ResponseFieldTraits.None);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
