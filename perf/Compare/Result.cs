// One comparison as it is saved in results/ and read back, and the ratios within it. A ratio is taken within a round, where both
// servers met the same machine; the median of the rounds counts, with their least and greatest.

using System.Globalization;
using System.Text.Json;

namespace Compare;

internal sealed record Settings(string[] Servers, string[] Scenarios, int Rounds, int Seconds, int? WarmUp);

/// <summary>A ratio to the first server: above 1 is better.</summary>
internal readonly record struct Ratio(double Median, double Least, double Greatest);

internal sealed record Result(
    DateTimeOffset Date, Machine Machine, IReadOnlyDictionary<string, string> Versions, Settings Settings,
    IReadOnlyList<string> Failures, IReadOnlyList<Measurement> Runs)
{
    /// <summary>From this share of its core a server counts as busy: then its rate is its own and not the load's.</summary>
    public const double Busy = 0.95;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public string Reference => Settings.Servers[0];

    public Measurement[] Of(string scenario, string server) =>
        [.. Runs.Where(run => run.Scenario == scenario && run.Server == server).OrderBy(run => run.Round)];

    /// <summary>Requests per second against the other's; null without a round that both have.</summary>
    public Ratio? ByRate(string scenario, string server, string other) =>
        Within(scenario, server, other, (own, theirs) => own.RequestsPerSecond / theirs.RequestsPerSecond);

    /// <summary>The other's CPU time per request against the server's: requests of one for the CPU time of the other.</summary>
    public Ratio? ByCpu(string scenario, string server, string other) =>
        Within(scenario, server, other, (own, theirs) => theirs.CpuMicrosecondsPerRequest / own.CpuMicrosecondsPerRequest);

    /// <summary>What Asgi.Server is to reach at least; null where the ratios are not to Kestrel, or none is set.</summary>
    public double? Goal(string scenario) => Reference == "kestrel"
        ? Scenario.All.FirstOrDefault(known => known.Name == scenario && known.Goal > 0)?.Goal
        : null;

    /// <summary>The faster of the pair was not busy all the time: the load or a wait was its limit, and the rate is not its own.</summary>
    public bool IsLimitedByLoad(string scenario, string server)
    {
        var own = Of(scenario, server);
        var first = Of(scenario, Reference);
        var faster = Median(own, run => run.RequestsPerSecond) >= Median(first, run => run.RequestsPerSecond) ? own : first;
        return Median(faster, run => run.CoreShare) < Busy;
    }

    /// <summary>One of the pair had errors: a finding before any ratio is.</summary>
    public bool HasErrors(string scenario, string server) =>
        Of(scenario, server).Concat(Of(scenario, Reference)).Any(run => run.HasErrors);

    /// <summary>The fewest rounds of a server in a scenario, and the most: an interrupt or a failure leaves some out.</summary>
    public (int Least, int Greatest) CountRounds()
    {
        int[] counts = [.. Runs.GroupBy(run => (run.Scenario, run.Server), (_, runs) => runs.Count())];
        return (counts.Min(), counts.Max());
    }

    public static double Median(IEnumerable<Measurement> runs, Func<Measurement, double> figure) => Median(runs.Select(figure));

    /// <summary>Null where a run has no such figure.</summary>
    public static double? MedianOrNull(IReadOnlyCollection<Measurement> runs, Func<Measurement, double?> figure) =>
        runs.All(run => figure(run) is not null) ? Median(runs.Select(run => figure(run)!.Value)) : null;

    public string Save(string folder)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Date:yyyy-MM-dd'T'HHmmss'Z'}.json"));
        File.WriteAllText(path, JsonSerializer.Serialize(this, Indented));
        return path;
    }

    public static Result Load(string path) =>
        JsonSerializer.Deserialize<Result>(File.ReadAllText(path)) is
        {
            Runs.Count: > 0, Settings: { Servers.Length: > 0, Scenarios: not null },
            Machine: not null, Versions: not null, Failures: not null,
        } result
            ? result
            : throw new JsonException($"{path} is no comparison.");

    private Ratio? Within(string scenario, string server, string other, Func<Measurement, Measurement, double> divide)
    {
        double[] ratios = [.. Of(scenario, server).Join(Of(scenario, other), run => run.Round, run => run.Round, divide)];
        return ratios.Length == 0 ? null : new Ratio(Median(ratios), ratios.Min(), ratios.Max());
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
