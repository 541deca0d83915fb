// The server's CPU time per request and per connection.

namespace Scale;

internal static class Cost
{
    // After a run the server is let end its connections, which belongs to what the run cost.
    private static readonly TimeSpan Ending = TimeSpan.FromMilliseconds(300);

    /// <summary>A run of requests, and its CPU time in microseconds per request, infinite where none was answered.</summary>
    /// <param name="app">Whom to measure.</param>
    /// <param name="traffic">What to send.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="stop">Ends it early.</param>
    /// <param name="connectionMicroseconds">What to take off for each connection of the run.</param>
    /// <param name="cores">The cores of the load.</param>
    public static async Task<(WrkResult Result, double CpuMicroseconds)> OfRequestsAsync(
        AppProcess app, Traffic traffic, int seconds, CancellationToken stop, double connectionMicroseconds = 0, string cores = Wrk.OneCore)
    {
        var before = app.CpuTime;
        var result = await Wrk.RunAsync(app, traffic, seconds, cores, stop);
        double cpu = await SinceAsync(app, before, stop) - (connectionMicroseconds * traffic.Connections);
        return (result, cpu / result.Requests);
    }

    /// <summary>Connections without a request: how many a second, and their CPU time in microseconds each.</summary>
    public static async Task<(double PerSecond, double CpuMicroseconds)> OfConnectionsAsync(
        AppProcess app, int seconds, CancellationToken stop)
    {
        var before = app.CpuTime;
        var (count, perSecond) = await LoaderProcess.ConnectAsync(app, seconds, stop);
        return (perSecond, await SinceAsync(app, before, stop) / count);
    }

    private static async Task<double> SinceAsync(AppProcess app, TimeSpan before, CancellationToken stop)
    {
        await Task.Delay(Ending, stop);
        return (app.CpuTime - before).TotalMicroseconds;
    }
}
