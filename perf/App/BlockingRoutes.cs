// Routes whose handlers hold their thread, in the ways that are common, for perf/run blocking.

internal static class BlockingRoutes
{
    public static void MapBlocking(this WebApplication app)
    {
        app.MapGet("/sleep", (int milliseconds) =>
        {
            Thread.Sleep(milliseconds);
            return "slept";
        });

        // Synchronous over asynchronous: the wait needs a thread of the runtime's pool to end it.
        app.MapGet("/wait", (int milliseconds) =>
        {
            Task.Delay(milliseconds).Wait();
            return "waited";
        });

        // Work and not time, so that a thread that is not let run has not computed.
        app.MapGet("/compute", (int steps) =>
        {
            ulong value = 1;
            for (int i = 0; i < steps; i++)
            {
                value ^= value << 13;
                value ^= value >> 7;
                value ^= value << 17;
            }
            return $"{value}";
        });
    }
}
