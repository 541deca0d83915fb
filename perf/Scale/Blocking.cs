// Blocking handlers beside fast ones: how the latency of plaintext changes when other clients of the same server ask for a route that
// holds its thread. Server and load share all cores. Each round measures plaintext alone and then beside the blocking route.

namespace Scale;

/// <param name="Name">What it is asked for by.</param>
/// <param name="Traffic">What the blocking clients send.</param>
/// <param name="IdealPerSecond">What they would get if nothing but the handler itself took time.</param>
internal sealed record BlockingVariant(string Name, Traffic Traffic, double IdealPerSecond)
{
    public static readonly BlockingVariant[] All =
    [
        new("sleep", new Traffic("/sleep?milliseconds=50", 64), 64 / 0.05),
        new("wait", new Traffic("/wait?milliseconds=50", 64), 64 / 0.05),
        new("brief", new Traffic("/sleep?milliseconds=5", 64), 64 / 0.005), // less than the threshold at which a loop changes hands
        new("compute", new Traffic("/compute?steps=10000000", 8), double.NaN), // about 20 ms; what it gets is the cores' to say
    ];
}

/// <summary>One round of one server. Threads and memory are of the moment when both loads were on.</summary>
internal sealed record BlockingRun(
    string Variant, string Contender, int Round, WrkResult Alone, WrkResult Beside, WrkResult Blocking,
    long HandOffs, int Threads, long ResidentKib)
{
    public double P99Ratio => Beside.P99Milliseconds / Alone.P99Milliseconds;

    public long Errors => Alone.Errors + Beside.Errors + Blocking.Errors;
}

internal static class Blocking
{
    /// <summary>Greater is a failure of Asgi.Server's own settings, where the handler sleeps.</summary>
    private const double P99RatioMax = 3;

    private static readonly Traffic Plaintext = new("/plaintext", 32);

    // The blocking clients begin so much earlier and end so much later than the ones they are measured beside.
    private const int LeadSeconds = 1;

    public static async Task RunAsync(Options options, Action<BlockingRun> add, CancellationToken stop)
    {
        int left = options.Variants.Length * Contenders(options).Length * options.Rounds;
        foreach (var variant in options.Variants)
        {
            var apps = await AppProcess.StartAllAsync(options.App, Contenders(options), AppProcess.BothCores, stop);
            try
            {
                foreach (var app in apps)
                {
                    Console.WriteLine($"{app.Contender.Name} warms up");
                    await MeasureAsync(app, variant, 0, options.WarmUp, stop);
                }
                for (int round = 1; round <= options.Rounds; round++)
                    foreach (var app in apps)
                    {
                        var run = await MeasureAsync(app, variant, round, options.Seconds, stop);
                        add(run);
                        Console.WriteLine($"{Line(run)}; {--left} left");
                    }
            }
            finally
            {
                Array.ForEach(apps, app => app.Dispose());
            }
        }
    }

    public static (string Text, bool IsGood) Report(Options options, IReadOnlyList<BlockingRun> runs)
    {
        string text = "";
        string[] asgi = [.. Contenders(options).Where(contender => contender.IsAsgi).Select(contender => contender.Name)];
        bool isGood = runs.All(run => run.Errors == 0 || !asgi.Contains(run.Contender));
        foreach (var variant in options.Variants)
        {
            var table = new Table(
                options.Sweeps.Length > 0 ? "asgi with" : "server", "plaintext/s alone", "beside", "p50 ms alone", "beside", "p99 ms alone",
                "beside", "p99 ratio", $"{variant.Name}/s{Ideal(variant)}", "hand-offs", "threads",
                "RSS MiB", "errors");
            foreach (var contender in Contenders(options))
            {
                BlockingRun[] own = [.. runs.Where(run => run.Variant == variant.Name && run.Contender == contender.Name)];
                if (own.Length == 0)
                    continue; // an interrupt came before its turn
                string Middle(Func<BlockingRun, double> figure, int digits = 0) =>
                    Table.Number(Table.Median(own.Select(figure)), digits);
                double[] ratios = [.. own.Select(run => run.P99Ratio)];
                table.Add(
                    contender.Name, Middle(run => run.Alone.PerSecond), Middle(run => run.Beside.PerSecond),
                    Middle(run => run.Alone.P50Milliseconds, 2), Middle(run => run.Beside.P50Milliseconds, 2),
                    Middle(run => run.Alone.P99Milliseconds, 2), Middle(run => run.Beside.P99Milliseconds, 2), Table.Spread(ratios, 1),
                    Middle(run => run.Blocking.PerSecond), contender.IsAsgi ? $"{own.Max(run => run.HandOffs)}" : "-",
                    $"{own.Max(run => run.Threads)}", Middle(run => run.ResidentKib / 1024.0), $"{own.Sum(run => run.Errors)}");
                if (variant.Name == "sleep" && contender.Name == "asgi" && !(Table.Median(ratios) <= P99RatioMax)) // nor is it none
                {
                    text += $"{contender.Name}: the p99 of plaintext is over {P99RatioMax} times its value without blocking handlers.\n";
                    isGood = false;
                }
            }
            string title = $"`{variant.Name}`, {variant.Traffic.Connections} connections beside {Plaintext.Connections} of plaintext";
            text += $"\n{title}:\n\n{table}";
        }
        return (text, isGood);
    }

    private static string Line(BlockingRun run) =>
        $"{run.Variant} round {run.Round}  {run.Contender}: p99 of plaintext {Table.Number(run.Alone.P99Milliseconds, 2)} ms alone,"
        + $" {Table.Number(run.Beside.P99Milliseconds, 2)} ms beside; {Table.Number(run.Alone.PerSecond)} and"
        + $" {Table.Number(run.Beside.PerSecond)} a second; {run.Variant} {Table.Number(run.Blocking.PerSecond)} a second";

    private static string Ideal(BlockingVariant variant) =>
        double.IsNaN(variant.IdealPerSecond) ? "" : $" (ideal {Table.Number(variant.IdealPerSecond)})";

    private static Contender[] Contenders(Options options) =>
        options.Sweeps.Length > 0
            ? Sweep.Combine(options.Sweeps)
            : [.. options.Servers.Select(server => new Contender(server, server))];

    private static async Task<BlockingRun> MeasureAsync(
        AppProcess app, BlockingVariant variant, int round, int seconds, CancellationToken stop)
    {
        var alone = await Wrk.RunAsync(app, Plaintext, seconds, AppProcess.BothCores, stop);

        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var blocking = Wrk.RunAsync(app, variant.Traffic, seconds + (2 * LeadSeconds), AppProcess.BothCores, both.Token);
        WrkResult beside;
        Figures figures;
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(LeadSeconds), both.Token);
            beside = await Wrk.RunAsync(app, Plaintext, seconds, AppProcess.BothCores, both.Token);
            figures = app.Read();
            await blocking;
        }
        catch
        {
            await both.CancelAsync();
            await blocking.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }

        // What had begun is let end, so that it is not charged to whose turn is next.
        await Task.Delay(TimeSpan.FromSeconds(LeadSeconds), stop);
        long handOffs = app.Contender.IsAsgi ? await app.AskAsync("/hand-offs", stop) : 0;
        return new BlockingRun(
            variant.Name, app.Contender.Name, round, alone, beside, await blocking, handOffs, figures.Threads, figures.ResidentKib);
    }
}
