// How cost grows with what is asked of the server: a dimension after the other, each value measured on each server in turn. Server and
// load have a core each; Loops measures what needs more.

namespace Scale;

/// <summary>One run at one value.</summary>
internal sealed record ScalingRun(string Dimension, string Contender, int Value, int Round, WrkResult Result, double CpuMicroseconds);

internal static class Scaling
{
    // From so many on, the time in which they are made is a part of the run: it lasts twice as long.
    private const int ManyConnections = 4096;

    private const int BareSeconds = 2;

    public static async Task RunAsync(Options options, Action<ScalingRun> add, CancellationToken stop)
    {
        int left = options.Dimensions.Sum(dimension => dimension.Name == Dimension.Loops
            ? Loops.RunCount(options)
            : dimension.Values.Length * options.Servers.Length * options.Rounds);
        foreach (var dimension in options.Dimensions)
        {
            Console.WriteLine($"{dimension.Name}: the servers warm up");
            await (dimension.Name == Dimension.Loops
                ? Loops.RunAsync(options, Add, stop)
                : MeasureAllAsync(options, dimension, Add, stop));
        }

        void Add(ScalingRun run)
        {
            add(run);
            string value = run.Dimension == Dimension.Loops ? "" : $" {run.Value}";
            string errors = run.Result.Errors > 0 ? $", {run.Result.Errors} errors" : "";
            Console.WriteLine(
                $"{run.Dimension}{value} round {run.Round}  {run.Contender}: {Table.Number(run.Result.PerSecond)} rps,"
                + $" {Table.Number(run.CpuMicroseconds, 2)} us CPU, {Table.Number(run.Result.P99Milliseconds, 2)} ms p99{errors};"
                + $" {--left} left");
        }
    }

    public static (string Text, bool IsGood) Report(Options options, IReadOnlyList<ScalingRun> runs)
    {
        string text = "";
        bool isGood = runs.All(run => run.Result.Errors == 0 || !run.Contender.StartsWith("asgi", StringComparison.Ordinal));
        foreach (var dimension in options.Dimensions)
        {
            var own = runs.Where(run => run.Dimension == dimension.Name).ToLookup(run => (run.Contender, run.Value));
            if (own.Count == 0)
                continue; // an interrupt came before its turn
            if (dimension.Name == Dimension.Loops)
            {
                text += $"\n{Loops.Report(options, own)}";
                continue;
            }
            text += $"\n{GrowthTable(options, dimension, own)}";
            foreach (string server in options.Servers)
            {
                var points = Points(dimension, server, own);
                if (points.Length < dimension.Values.Length || !Growth.IsWorseThanLinear(points))
                    continue;
                text += $"\n{server}: the last step costs over {Growth.WorseMin} times the median of those before it, {dimension.Unit}.\n";
                isGood &= server != "asgi";
            }
        }
        return (text, isGood);
    }

    /// <summary>Rate, CPU time, p99 and errors of the runs of one row.</summary>
    public static string[] Row(IEnumerable<ScalingRun> runs)
    {
        ScalingRun[] all = [.. runs];
        return
        [
            Table.Number(Table.Median(all.Select(run => run.Result.PerSecond))),
            Table.Number(Table.Median(all.Select(run => run.CpuMicroseconds)), 2),
            Table.Number(Table.Median(all.Select(run => run.Result.P99Milliseconds)), 2),
            $"{all.Sum(run => run.Result.Errors)}",
        ];
    }

    private static async Task MeasureAllAsync(Options options, Dimension dimension, Action<ScalingRun> add, CancellationToken stop)
    {
        Contender[] contenders = [.. options.Servers.Select(server => new Contender(server, server))];
        var apps = await AppProcess.StartAllAsync(options.App, contenders, AppProcess.OneCore, stop);
        try
        {
            // What a connection costs by itself, to be taken off where there are many and no run is long enough to forget them.
            var connectionMicroseconds = new double[apps.Length];
            for (int i = 0; i < apps.Length; i++)
            {
                foreach (int value in new[] { dimension.Values[1], dimension.Values[^2] })
                    await Wrk.RunAsync(apps[i], dimension.TrafficOf(value), options.WarmUp, Wrk.OneCore, stop);
                if (dimension.Name == Dimension.Connections)
                    (_, connectionMicroseconds[i]) = await Cost.OfConnectionsAsync(apps[i], BareSeconds, stop);
            }
            for (int round = 1; round <= options.Rounds; round++)
                foreach (int value in dimension.Values)
                    for (int i = 0; i < apps.Length; i++)
                    {
                        bool isLong = dimension.Name == Dimension.Connections && value >= ManyConnections;
                        var (result, cpu) = await Cost.OfRequestsAsync(
                            apps[i], dimension.TrafficOf(value), isLong ? 2 * options.Seconds : options.Seconds, stop,
                            connectionMicroseconds[i]);
                        add(new ScalingRun(dimension.Name, apps[i].Contender.Name, value, round, result, cpu));
                    }
        }
        finally
        {
            Array.ForEach(apps, app => app.Dispose());
        }
    }

    private static string GrowthTable(Options options, Dimension dimension, ILookup<(string Contender, int Value), ScalingRun> runs)
    {
        var table = new Table(
        [
            dimension.Head,
            .. options.Servers.SelectMany(server => new[] { $"{server}: rps", "us CPU/req", "p99 ms", "errors", $"us {dimension.Unit}" }),
        ]);
        var marginals = options.Servers.ToDictionary(server => server, server => Growth.Marginals(Points(dimension, server, runs)));
        for (int i = 0; i < dimension.Values.Length; i++)
        {
            var row = new List<string> { Table.Number(dimension.Values[i]) };
            foreach (string server in options.Servers)
            {
                row.AddRange(Row(runs[(server, dimension.Values[i])]));
                row.Add(i > 0 && i <= marginals[server].Length ? Table.Number(marginals[server][i - 1], 3) : "");
            }
            table.Add([.. row]);
        }
        return table.ToString();
    }

    private static (double Units, double Cost)[] Points(Dimension dimension, string server, ILookup<(string, int), ScalingRun> runs) =>
    [
        .. dimension.Values.Where(value => runs.Contains((server, value))).Select(value => (
            dimension.UnitsOf(value),
            dimension.RequestsOf(value) * Table.Median(runs[(server, value)].Select(run => run.CpuMicroseconds)))),
    ];
}
