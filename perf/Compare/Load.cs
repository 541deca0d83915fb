// One run of wrk against one server, pinned to the other core, with the server's CPU time around it.

using System.Diagnostics;
using System.Globalization;

namespace Compare;

/// <summary>What one run gave: requests per second, the server's CPU time per request, latencies, and what went wrong.</summary>
internal sealed record Measurement(
    string Scenario, string Server, int Round, double RequestsPerSecond, double CpuMicrosecondsPerRequest,
    double P50Milliseconds, double P99Milliseconds, long SocketErrors, long StatusErrors);

internal static class Load
{
    public const int Core = 1;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    public static async Task<Measurement> RunAsync(Server server, Scenario scenario, int round, int seconds, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds) + Grace);

        var cpuBefore = server.CpuTime;
        string output = await WrkAsync(server.Address + scenario.Target, scenario, seconds, limit.Token);
        double cpu = (server.CpuTime - cpuBefore).TotalMicroseconds;

        string line = output.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"wrk gave no result for {server.Name}:\n{output}");
        long[] values = [.. line.Split(' ').Skip(1).Select(value => long.Parse(value, CultureInfo.InvariantCulture))];
        if (values is not [> 0 and var requests, var duration, var p50, var p99, var socketErrors, var statusErrors])
            throw new InvalidOperationException($"{server.Name} answered no request:\n{output}");
        return new Measurement(
            scenario.Name, server.Name, round, requests * 1e6 / duration, cpu / requests,
            p50 / 1e3, p99 / 1e3, socketErrors, statusErrors);
    }

    private static async Task<string> WrkAsync(string url, Scenario scenario, int seconds, CancellationToken stop)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "wrk.lua");
        string[] arguments =
        [
            "-c", $"{Core}", "wrk", "-t1", $"-c{scenario.Connections}", $"-d{seconds}s", "--timeout", "10s", "-s", script, url, "--",
            .. scenario.Arguments,
        ];
        using var wrk = Process.Start(new ProcessStartInfo("taskset", arguments) { RedirectStandardOutput = true })!;
        try
        {
            string output = await wrk.StandardOutput.ReadToEndAsync(stop);
            await wrk.WaitForExitAsync(stop);
            return output;
        }
        finally
        {
            if (!wrk.HasExited)
                wrk.Kill();
        }
    }
}
