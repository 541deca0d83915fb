// What it costs to make a connection and end it: the server's CPU time per request where each has a connection of its own, less that
// where connections are kept; and that of connections without a request.

namespace Scale;

/// <summary>One run: of requests, or of bare connections.</summary>
internal sealed record ChurnRun(string Server, int Round, string Kind, double PerSecond, double CpuMicrosecondsEach, long Errors);

internal static class Churn
{
    private const string Kept = "kept";
    private const string Ten = "ten";
    private const string Close = "close";
    private const string Bare = "bare";

    private static readonly (string Kind, Traffic Traffic)[] Requests =
    [
        (Kept, new Traffic("/plaintext", 64)),
        (Ten, new Traffic("/plaintext", 63, "close=10")), // 63 and 10 share no factor, so that in turn each connection closes
        (Close, new Traffic("/plaintext", 64, "close=1")),
    ];

    public static async Task RunAsync(Options options, Action<ChurnRun> add, CancellationToken stop)
    {
        Contender[] contenders = [.. options.Servers.Select(server => new Contender(server, server))];
        var apps = await AppProcess.StartAllAsync(options.App, contenders, AppProcess.OneCore, stop);
        try
        {
            foreach (var app in apps)
            {
                Console.WriteLine($"{app.Contender.Name} warms up");
                await Cost.OfRequestsAsync(app, Requests[0].Traffic, options.WarmUp, stop);
                await Cost.OfRequestsAsync(app, Requests[^1].Traffic, options.WarmUp, stop);
            }
            int left = options.Rounds * (Requests.Length + 1) * apps.Length;
            for (int round = 1; round <= options.Rounds; round++)
            {
                foreach (var (kind, traffic) in Requests)
                    foreach (var app in apps)
                    {
                        var (result, cpu) = await Cost.OfRequestsAsync(app, traffic, options.Seconds, stop);
                        Add(new ChurnRun(app.Contender.Name, round, kind, result.PerSecond, cpu, result.Errors));
                    }
                foreach (var app in apps)
                {
                    var (perSecond, cpu) = await Cost.OfConnectionsAsync(app, options.Seconds, stop);
                    Add(new ChurnRun(app.Contender.Name, round, Bare, perSecond, cpu, 0));
                }
            }

            void Add(ChurnRun run)
            {
                add(run);
                Console.WriteLine(
                    $"{run.Kind,-5} round {run.Round}  {run.Server,-14} {Table.Number(run.PerSecond),9} a second"
                    + $" {Table.Number(run.CpuMicrosecondsEach, 1),8} us CPU each; {--left} left");
            }
        }
        finally
        {
            Array.ForEach(apps, app => app.Dispose());
        }
    }

    public static (string Text, bool IsGood) Report(Options options, IReadOnlyList<ChurnRun> runs)
    {
        var table = new Table(
            "server", "us CPU/req kept", "ten/connection", "one/connection", "**us per connection**", "by ten", "bare, us each",
            "bare/s", "requests/s kept", "ten", "one", "errors");
        foreach (string server in options.Servers)
        {
            ILookup<string, ChurnRun> own = runs.Where(run => run.Server == server).ToLookup(run => run.Kind);
            if (own.Count == 0)
                continue; // an interrupt came before its turn
            string Cpu(string kind) => Table.Number(Table.Median(own[kind].Select(run => run.CpuMicrosecondsEach)), 1);
            string Rate(string kind) => Table.Number(Table.Median(own[kind].Select(run => run.PerSecond)));
            string More(string kind, int requests) => Table.Spread(
                [.. own[kind].Zip(own[Kept], (mine, kept) => requests * (mine.CpuMicrosecondsEach - kept.CpuMicrosecondsEach))], 1);
            table.Add(
                server, Cpu(Kept), Cpu(Ten), Cpu(Close), More(Close, 1), More(Ten, 10), Cpu(Bare), Rate(Bare), Rate(Kept), Rate(Ten),
                Rate(Close), $"{own.Sum(kind => kind.Sum(run => run.Errors))}");
        }
        return ($"\n{table}", runs.All(run => run.Server != "asgi" || run.Errors == 0));
    }
}
