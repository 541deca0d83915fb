// What a comparison prints: a line as each run ends, and a table at the end.

using System.Globalization;
using System.Text;

namespace Compare;

internal static class Table
{
    public static string Line(Measurement run) => string.Create(CultureInfo.InvariantCulture,
        $"{run.Scenario,-13} round {run.Round}  {run.Server,-13} {run.RequestsPerSecond,10:N0} rps"
        + $" {run.CpuMicrosecondsPerRequest,9:N1} us CPU {Latency(run.P99Milliseconds)} ms p99"
        + $"{Errors(run.SocketErrors, run.StatusErrors)}");

    public static string Of(Result result)
    {
        var table = new StringBuilder();
        table.Append($"{"scenario",-13} {"server",-13} {"median rps",11}  {"by rate (min-max)",-17} {"target",6} ");
        table.AppendLine($"{"us CPU/req",11}  {"by CPU (min-max)",-17} {"core",5} {"p50 ms",8} {"p99 ms",8} {"RSS MiB",8}  errors");
        foreach (string scenario in result.Settings.Scenarios)
            foreach (string server in result.Settings.Servers)
                if (result.Of(scenario, server) is { Length: > 0 } runs) // an interrupt may have come before its turn
                    table.AppendLine(Row(result, runs).TrimEnd());
        foreach (string scenario in result.Settings.Scenarios)
            if (result.ByRate(scenario, "asgi", "floor") is { } rate && result.ByCpu(scenario, "asgi", "floor") is { } cpu)
            {
                bool isBusy = Result.Median(result.Of(scenario, "floor"), run => run.CoreShare) >= Result.Busy;
                string limit = isBusy ? "" : " (the load was the floor's limit)";
                table.AppendLine($"{scenario}: asgi reaches {Text(rate)} of the floor by rate{limit}, {Text(cpu)} by CPU.");
            }
        foreach (string failure in result.Failures)
            table.AppendLine($"failed: {failure.Split('\n')[0]}"); // what the load said was shown when it happened
        return table.ToString();
    }

    private static string Row(Result result, Measurement[] runs)
    {
        string scenario = runs[0].Scenario, server = runs[0].Server;
        string rate = Text(result, server, result.ByRate(scenario, server, result.Reference));
        string cpu = Text(result, server, result.ByCpu(scenario, server, result.Reference));
        double? goal = server == "asgi" ? result.Goal(scenario) : null;
        return string.Create(CultureInfo.InvariantCulture,
            $"{scenario,-13} {server,-13} {Result.Median(runs, run => run.RequestsPerSecond),11:N0}  {rate,-17} {goal,6:N1}"
            + $" {Result.Median(runs, run => run.CpuMicrosecondsPerRequest),11:N1}  {cpu,-17}"
            + $" {Result.Median(runs, run => run.CoreShare),5:P0} {Latency(Result.MedianOrNull(runs, run => run.P50Milliseconds))}"
            + $" {Latency(Result.MedianOrNull(runs, run => run.P99Milliseconds))} {runs[^1].ResidentMebibytes,8:N0}"
            + $" {Errors(runs.Sum(run => run.SocketErrors), runs.Sum(run => run.StatusErrors))}");
    }

    private static string Text(Result result, string server, Ratio? ratio) =>
        ratio is not { } known ? "" : server == result.Reference ? "1" : Text(known);

    private static string Text(Ratio ratio) =>
        string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:N2} ({ratio.Least:N2}-{ratio.Greatest:N2})");

    private static string Latency(double? milliseconds) =>
        milliseconds is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known,8:N2}") : $"{"-",8}";

    private static string Errors(long socket, long status) => socket + status == 0 ? "" : $" {socket} socket, {status} status";
}
