// A connection of a simulated server, and what its thread allocates: everything runs on the test's thread, so the figure is exact.

using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Micro.Tests.Allocations;

internal sealed class AllocationBed : IDisposable
{
    public const int RequestCount = 10_000;

    /// <summary>Pools and buffers are filled, strings made, code compiled.</summary>
    public const int WarmUpCount = 1_000;

    /// <summary>Time between requests: all of them together are longer than a turn of the timers.</summary>
    private const int StepMilliseconds = 10;

    private readonly long[] _allocated = new long[RequestCount];
    private readonly SimulatedServer _server;
    private readonly SimulatedClient _client;

    public AllocationBed(IAsgiApplication application)
        : this(_ => application)
    {
    }

    public AllocationBed(Func<Diagnostics.ServerLog, IAsgiApplication> application)
    {
        _server = new SimulatedServer(application, logMinimum: LogLevel.Warning);
        _client = _server.Connect();
    }

    /// <summary>Sends and reads on one connection.</summary>
    /// <returns>What is allocated for each of <see cref="RequestCount"/> sends, after the warm-up, in bytes.</returns>
    public long AllocatedBy(string request, string response)
    {
        var bytes = Messages.Bytes(request);
        _client.Send(bytes);
        _server.Run();
        Assert.Equal(response, _client.Take());
        for (var i = 0; i < WarmUpCount; i++)
        {
            Exchange(bytes, response.Length);
        }

        for (var i = 0; i < RequestCount; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Exchange(bytes, response.Length);
            _allocated[i] = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return PerRequest.Of(_allocated);
    }

    /// <summary>The same for an application that ends its requests on another thread, which is counted too.</summary>
    public long AllocatedBy(string request, string response, OtherThread other)
    {
        var bytes = Messages.Bytes(request);
        for (var i = 0; i < WarmUpCount + RequestCount; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Send(bytes);
            var here = GC.GetAllocatedBytesForCurrentThread() - before;
            var there = other.GoOn();
            before = GC.GetAllocatedBytesForCurrentThread();
            _server.Run();
            here += GC.GetAllocatedBytesForCurrentThread() - before;
            Demand(_client.Discard() == response.Length);
            if (i >= WarmUpCount)
            {
                _allocated[i - WarmUpCount] = here + there;
            }
        }

        _client.Send(bytes);
        _server.Run();
        other.GoOn();
        _server.Run();
        Assert.Equal(response, _client.Take());
        return PerRequest.Of(_allocated);
    }

    public void Dispose()
    {
        _server.DemandNothingLeft();
        _server.Dispose();
    }

    private void Exchange(byte[] request, int responseLength)
    {
        Send(request);
        Demand(_client.Discard() == responseLength);
    }

    private void Send(byte[] request)
    {
        _server.Backend.MoveClock(StepMilliseconds);
        _client.Send(request);
        _server.Run();
    }

    private static void Demand(bool isAnswered)
    {
        if (!isAnswered)
        {
            Assert.Fail("A response is not as long as the first.");
        }
    }
}
