// Asgi.Server with one loop and with two, and the others beside it. Two loops need both cores, so server and load share them in all rows.

namespace Scale;

internal static class Loops
{
    private static readonly int[] Counts = [1, 2];

    public static int RunCount(Options options) => Contenders(options).Length * options.Rounds;

    public static async Task RunAsync(Options options, Action<ScalingRun> add, CancellationToken stop)
    {
        Traffic traffic = new("/plaintext", 64);
        var apps = await AppProcess.StartAllAsync(options.App, Contenders(options), AppProcess.BothCores, stop);
        try
        {
            foreach (var app in apps)
                await Wrk.RunAsync(app, traffic, options.WarmUp, AppProcess.BothCores, stop);
            for (int round = 1; round <= options.Rounds; round++)
                foreach (var app in apps)
                {
                    var (result, cpu) = await Cost.OfRequestsAsync(app, traffic, options.Seconds, stop, cores: AppProcess.BothCores);
                    add(new ScalingRun(Dimension.Loops, app.Contender.Name, 0, round, result, cpu));
                }
        }
        finally
        {
            Array.ForEach(apps, app => app.Dispose());
        }
    }

    public static string Report(Options options, ILookup<(string Contender, int Value), ScalingRun> runs)
    {
        var table = new Table("server and load on both cores", "rps", "us CPU/req", "p99 ms", "errors");
        foreach (var contender in Contenders(options).Where(contender => runs.Contains((contender.Name, 0))))
            table.Add([contender.Name, .. Scaling.Row(runs[(contender.Name, 0)])]);
        return table.ToString();
    }

    private static Contender[] Contenders(Options options) =>
    [
        .. options.Servers.SelectMany(server => server == "asgi"
            ? Counts.Select(count => new Contender($"asgi loops={count}", server, "--loops", $"{count}"))
            : [new Contender(server, server)]),
    ];
}
