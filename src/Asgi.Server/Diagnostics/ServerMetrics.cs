// What the server counts, as a meter: for dotnet-counters and OpenTelemetry. Counted on any thread, read by whoever listens.
using System.Diagnostics.Metrics;

namespace Asgi.Server.Diagnostics;

internal sealed class ServerMetrics : IDisposable
{
    public const string MeterName = "Asgi.Server";

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Counter<long> _handOffs;

    /// <param name="factory">Makes and owns the meter; null: the meter is this object's.</param>
    public ServerMetrics(IMeterFactory? factory)
    {
        _ownsMeter = factory is null;
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _handOffs = _meter.CreateCounter<long>(
            "asgi.server.hand_offs", "{hand_off}", "Times an event loop went on with another thread, because application code held it up.");
    }

    public void HandedOff() => _handOffs.Add(1);

    /// <summary>Lets listeners ask for the threads beside the loops, and for what waits for one.</summary>
    public void ObserveSpareThreads(Func<int> threads, Func<int> queuedRequests)
    {
        _meter.CreateObservableUpDownCounter(
            "asgi.server.threads", threads, "{thread}", "Threads that run event loops and blocking routes.");
        _meter.CreateObservableUpDownCounter(
            "asgi.server.queued_requests", queuedRequests, "{request}", "Requests of blocking routes that wait for a thread.");
    }

    /// <summary>Lets listeners ask how many routes are known to block.</summary>
    public void ObserveBlockingRoutes(Func<int> routes) =>
        _meter.CreateObservableUpDownCounter(
            "asgi.server.blocking_routes", routes, "{route}", "Routes that are known to block their thread.");

    public void Dispose()
    {
        if (_ownsMeter)
        {
            _meter.Dispose();
        }
    }
}
