// One run of wrk on the cores it is given; what it sends is in ../Compare/wrk.lua.

using System.Diagnostics;
using System.Globalization;

namespace Scale;

/// <summary>What wrk sends: the route, its connections, the arguments of wrk.lua.</summary>
internal sealed record Traffic(string Target, int Connections, params string[] Arguments);

/// <summary>What a run of wrk gave. Without any answer the percentiles are infinite.</summary>
internal sealed record WrkResult(long Requests, double PerSecond, double P50Milliseconds, double P99Milliseconds, long Errors);

internal static class Wrk
{
    /// <summary>The core of the load, when the server has one of its own.</summary>
    public const string OneCore = "1";

    // wrk ends by its own clock; this is for one that hangs.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    public static async Task<WrkResult> RunAsync(AppProcess app, Traffic traffic, int seconds, string cores, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds) + Grace);
        string script = Path.Combine(AppContext.BaseDirectory, "wrk.lua");
        string[] command =
        [
            "-c", cores, "wrk", "-t1", $"-c{traffic.Connections}", $"-d{seconds}s", "--timeout", "10s", "-s", script,
            app.Address + traffic.Target, "--", .. traffic.Arguments,
        ];
        using var wrk = Process.Start(new ProcessStartInfo("taskset", command) { RedirectStandardOutput = true })!;
        string output;
        try
        {
            output = await wrk.StandardOutput.ReadToEndAsync(limit.Token);
            await wrk.WaitForExitAsync(limit.Token);
            stop.ThrowIfCancellationRequested(); // an interrupt of the terminal ends it early, and its figures are of no full run
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new InvalidOperationException($"wrk did not end against {app.Contender.Name}.");
        }
        finally
        {
            if (!wrk.HasExited)
                wrk.Kill();
        }
        string line = output.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"wrk gave no result for {app.Contender.Name}:\n{output}");
        long[] values = [.. line.Split(' ').Skip(1).Select(value => long.Parse(value, CultureInfo.InvariantCulture))];
        return values is [var requests, > 0 and var duration, var p50, var p99, var socketErrors, var statusErrors]
            ? new WrkResult(requests, requests * 1e6 / duration, Latency(p50), Latency(p99), socketErrors + statusErrors)
            : throw new InvalidOperationException($"wrk's result is not understood: {line}");

        double Latency(long microseconds) => requests > 0 ? microseconds / 1e3 : double.PositiveInfinity;
    }
}
