// Routes that tell what only the process itself knows: its managed heap, before and after a collection, and how often a loop went on
// with another thread. The one counter that is listened to moves only when a handler blocks.

using System.Diagnostics.Metrics;

internal static class OwnFigures
{
    public static void MapOwnFigures(this WebApplication app)
    {
        long handOffs = 0;
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "asgi.server.hand_offs")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref handOffs, count));
        listener.Start();
        app.Lifetime.ApplicationStopped.Register(listener.Dispose);

        app.MapGet("/hand-offs", () => $"{Interlocked.Read(ref handOffs)}");
        app.MapGet("/heap", () => $"{GC.GetTotalMemory(forceFullCollection: false)}");
        app.MapGet("/collect", () =>
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            return $"{GC.GetTotalMemory(forceFullCollection: false)}";
        });
    }
}
