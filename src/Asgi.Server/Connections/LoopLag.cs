// Measures how long loops are busy between two looks for events, while somebody listens. One per server; on the threads of its loops.
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class LoopLag(ServerDiagnostics diagnostics) : ILoopObserver
{
    public long BusyBegan() =>
        diagnostics.Metrics.LoopLag.Enabled || diagnostics.Events.IsEnabled() ? diagnostics.Time.GetTimestamp() : 0;

    public void BusyEnded(Loop loop, long began)
    {
        var lag = diagnostics.Time.GetElapsedTime(began);
        diagnostics.Metrics.LoopLag.Record(lag.TotalSeconds, ServerMetrics.LoopTag(loop.Name));
        diagnostics.Events.LoopLagged(lag);
    }
}
