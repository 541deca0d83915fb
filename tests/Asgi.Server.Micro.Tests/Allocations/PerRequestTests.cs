// What is taken for a new Date, and what is not.

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class PerRequestTests
{
    [OptimizedTheory]
    [InlineData(0)]
    [InlineData(24)]
    public void Requests_that_allocate_the_same(long bytes) => Assert.Equal(bytes, PerRequest.Of(Requests(bytes)));

    [OptimizedFact]
    public void One_request_in_ten_may_meet_a_new_second()
    {
        var requests = Requests(24);
        foreach (var i in Enumerable.Range(0, 10))
            requests[10 * i] += PerRequest.DateSize;

        Assert.True(PerRequest.DateSize > 0);
        Assert.Equal(24, PerRequest.Of(requests));

        requests[1] += PerRequest.DateSize;
        Assert.NotNull(Record.Exception(() => PerRequest.Of(requests)));
    }

    [OptimizedFact]
    public void One_request_may_not_allocate_more()
    {
        var requests = Requests(0);
        requests[50] = 24;

        Assert.NotNull(Record.Exception(() => PerRequest.Of(requests)));
    }

    private static long[] Requests(long bytes) => [.. Enumerable.Repeat(bytes, 100)];
}
