// The closing table and the JSON file of one comparison. A ratio is taken within a round, where both servers met the same
// machine; the median of the rounds is shown with their least and greatest.

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Compare;

internal static class Report
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Line(Measurement run) => string.Create(CultureInfo.InvariantCulture,
        $"{run.Scenario,-10} round {run.Round}  {run.Server,-14} {run.RequestsPerSecond,10:N0} rps"
        + $" {run.CpuMicrosecondsPerRequest,9:N1} us CPU {run.P99Milliseconds,9:N2} ms p99{Errors(run.SocketErrors, run.StatusErrors)}");

    public static string Table(Options options, IReadOnlyList<Measurement> runs)
    {
        var table = new StringBuilder();
        table.Append($"{"scenario",-10} {"server",-14} {"median rps",11} {"ratio (min-max)",18} ");
        table.AppendLine($"{"us CPU/req",11} {"CPU ratio",10} {"p99 ms",9}  errors");
        foreach (var scenario in options.Scenarios)
            foreach (string server in options.Servers)
                if (Of(runs, scenario, server) is { Length: > 0 } own) // an interrupt may have come before its turn
                    table.AppendLine(Row(own, Of(runs, scenario, options.Servers[0])));
        return table.ToString();
    }

    public static string Save(string folder, Options options, IReadOnlyList<Measurement> runs)
    {
        Directory.CreateDirectory(folder);
        var now = DateTimeOffset.UtcNow;
        string path = Path.Combine(folder, $"{now:yyyy-MM-dd'T'HHmmss'Z'}.json");
        var machine = new { RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, Environment.ProcessorCount };
        var settings = new { options.Servers, options.Rounds, options.Seconds, options.WarmUp };
        var content = new { Date = now, Machine = machine, Settings = settings, Runs = runs };
        File.WriteAllText(path, JsonSerializer.Serialize(content, Indented));
        return path;
    }

    private static string Row(Measurement[] own, Measurement[] first)
    {
        double[] ratios = [.. own.Zip(first, (mine, theirs) => mine.RequestsPerSecond / theirs.RequestsPerSecond)];
        double cpuRatio = Median(own.Zip(first, (mine, theirs) => mine.CpuMicrosecondsPerRequest / theirs.CpuMicrosecondsPerRequest));
        bool isFirst = own[0].Server == first[0].Server;
        string ratio = isFirst
            ? "1"
            : string.Create(CultureInfo.InvariantCulture, $"{Median(ratios):N2} ({ratios.Min():N2}-{ratios.Max():N2})");
        return string.Create(CultureInfo.InvariantCulture,
            $"{own[0].Scenario,-10} {own[0].Server,-14} {Median(own.Select(run => run.RequestsPerSecond)),11:N0} {ratio,18} "
            + $"{Median(own.Select(run => run.CpuMicrosecondsPerRequest)),11:N1} {cpuRatio,10:N2} "
            + $"{Median(own.Select(run => run.P99Milliseconds)),9:N2} "
            + $"{Errors(own.Sum(run => run.SocketErrors), own.Sum(run => run.StatusErrors))}");
    }

    private static string Errors(long socket, long status) => socket + status == 0 ? "" : $" {socket} socket, {status} status";

    private static Measurement[] Of(IEnumerable<Measurement> runs, Scenario scenario, string server) =>
        [.. runs.Where(run => run.Scenario == scenario.Name && run.Server == server).OrderBy(run => run.Round)];

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
