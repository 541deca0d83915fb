// One run of a load generator against one server, pinned to the other core, with the server's CPU time around it.

using System.Diagnostics;

namespace Compare;

/// <summary>
/// What one run gave: requests per second, the server's CPU time per request, latencies, what went wrong, the share of its core the
/// server used (below 1 it waited for the load), and the server's resident memory at the end.
/// </summary>
internal sealed record Measurement(
    string Scenario, string Server, int Round, double RequestsPerSecond, double CpuMicrosecondsPerRequest,
    double? P50Milliseconds, double? P99Milliseconds, long SocketErrors, long StatusErrors,
    double CoreShare, double ResidentMebibytes)
{
    public bool HasErrors => SocketErrors + StatusErrors > 0;
}

internal static class Load
{
    public const int Core = 1;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    public static async Task<Measurement> RunAsync(Server server, Scenario scenario, int round, int seconds, CancellationToken stop)
    {
        var cpuBefore = server.CpuTime;
        string output = await OutputAsync(server, scenario, seconds, stop);
        double cpu = (server.CpuTime - cpuBefore).TotalMicroseconds;

        if (scenario.Generator.Read(output) is not { } figures)
            throw new InvalidOperationException($"The load gave no result for {server.Name}:\n{output}");
        if (figures.Requests == 0)
            throw new InvalidOperationException($"{server.Name} answered no request:\n{output}");
        var (requests, duration, p50, p99, socketErrors, statusErrors) = figures;
        return new Measurement(
            scenario.Name, server.Name, round, requests * 1e6 / duration, cpu / requests,
            p50 / 1e3, p99 / 1e3, socketErrors, statusErrors, cpu / duration, server.ResidentMebibytes);
    }

    private static async Task<string> OutputAsync(Server server, Scenario scenario, int seconds, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds) + Grace);
        string[] arguments = ["-c", $"{Core}", .. scenario.Generator.Command(new Uri(server.Address), scenario, seconds)];
        using var load = Process.Start(new ProcessStartInfo("taskset", arguments) { RedirectStandardOutput = true })!;
        try
        {
            string output = await load.StandardOutput.ReadToEndAsync(limit.Token);
            await load.WaitForExitAsync(limit.Token);
            stop.ThrowIfCancellationRequested(); // an interrupt of the terminal ends the load early, and its figures are of no full run
            return output;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new InvalidOperationException($"The load on {server.Name} did not end {Grace.TotalSeconds} s after its time.");
        }
        finally
        {
            if (!load.HasExited)
                load.Kill();
        }
    }
}
