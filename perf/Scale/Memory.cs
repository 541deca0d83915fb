// What a connection costs that rests after one request: resident memory as it comes, after a collection, and the managed heap; then the
// same again after all were closed, which shows whether their memory serves the next.

namespace Scale;

/// <summary>Resident memory as it settled by itself, after a full collection, and the managed heap after it.</summary>
internal sealed record MemoryState(long SettledKib, long CollectedKib, long HeapBytes);

/// <param name="Server">Which server.</param>
/// <param name="Round">Which round.</param>
/// <param name="Connections">How many rested.</param>
/// <param name="Warm">Before the first; collected in a process of its own, so that nothing was forced before the others.</param>
/// <param name="First">With the first connections at rest.</param>
/// <param name="Closed">After their end.</param>
/// <param name="Second">With as many others at rest.</param>
internal sealed record MemoryRun(
    string Server, int Round, int Connections, MemoryState Warm, MemoryState First, MemoryState Closed, MemoryState Second)
{
    public double Settled(MemoryState state) => Kilobytes((state.SettledKib - Warm.SettledKib) * 1024);

    public double Collected(MemoryState state) => Kilobytes((state.CollectedKib - Warm.CollectedKib) * 1024);

    public double Heap(MemoryState state) => Kilobytes(state.HeapBytes - Warm.HeapBytes);

    private double Kilobytes(long growth) => growth / 1000.0 / Connections;
}

internal static class Memory
{
    private static readonly Traffic WarmUp = new("/plaintext", 64);

    // With the second lot the process may be so many times as large as with the first before it is told that memory is not used again.
    private const double ReuseMax = 1.1;

    public static async Task RunAsync(Options options, Action<MemoryRun> add, CancellationToken stop)
    {
        for (int round = 1; round <= options.Rounds; round++)
            foreach (string server in options.Servers)
            {
                Console.WriteLine($"{server}, round {round} of {options.Rounds}:");
                var run = await MeasureAsync(options, new Contender(server, server), round, stop);
                add(run);
                Console.WriteLine(
                    $"  {Table.Number(run.Settled(run.First), 2)} kB a connection, {Table.Number(run.Collected(run.First), 2)} after a"
                    + $" collection, {Table.Number(run.Heap(run.First), 2)} in the heap");
            }
    }

    public static (string Text, bool IsGood) Report(Options options, IReadOnlyList<MemoryRun> runs)
    {
        var table = new Table(
            "server", "RSS, kB each", "collected", "heap", "again: RSS, kB each", "collected", "heap",
            "RSS MiB, warm", "at rest", "closed");
        bool isGood = true;
        string text = "";
        foreach (string server in options.Servers)
        {
            MemoryRun[] own = [.. runs.Where(run => run.Server == server)];
            if (own.Length == 0)
                continue; // an interrupt came before its turn
            string Each(Func<MemoryRun, double> figure) => Table.Spread([.. own.Select(figure)], 2);
            string Mebibytes(Func<MemoryRun, MemoryState> state) =>
                Table.Number(Table.Median(own.Select(run => state(run).CollectedKib / 1024.0)), 1);
            table.Add(
                server, Each(run => run.Settled(run.First)), Each(run => run.Collected(run.First)), Each(run => run.Heap(run.First)),
                Each(run => run.Settled(run.Second)), Each(run => run.Collected(run.Second)), Each(run => run.Heap(run.Second)),
                Mebibytes(run => run.Warm), Mebibytes(run => run.First), Mebibytes(run => run.Closed));
            if (server == "asgi" && own.Any(run => run.Second.CollectedKib > ReuseMax * run.First.CollectedKib))
            {
                text = $"{server}: connections that came after others took more memory than those.\n";
                isGood = false;
            }
        }
        string title = $"{Table.Number(options.Connections)} connections at rest after one request each; the last three columns collected";
        return ($"{text}\n{title}:\n\n{table}", isGood);
    }

    private static async Task<MemoryRun> MeasureAsync(Options options, Contender contender, int round, CancellationToken stop)
    {
        MemoryState collectedWarm;
        using (var twin = await StartWarmAsync(options, contender, stop))
            collectedWarm = await StateAsync(twin, options.Seconds, stop);

        using var app = await StartWarmAsync(options, contender, stop);
        using var loader = LoaderProcess.Hold(app);
        var warm = collectedWarm with { SettledKib = await app.SettleAsync(options.Seconds, stop) };
        await loader.OpenAsync(options.Connections, stop);
        Console.WriteLine($"  {options.Connections} connections rest");
        var first = await StateAsync(app, options.Seconds, stop);
        await loader.CloseAsync(stop);
        Console.WriteLine("  and are closed");
        var closed = await StateAsync(app, options.Seconds, stop);
        await loader.OpenAsync(options.Connections, stop);
        Console.WriteLine("  and as many others rest");
        var second = await StateAsync(app, options.Seconds, stop);
        return new MemoryRun(contender.Name, round, options.Connections, warm, first, closed, second);
    }

    private static async Task<AppProcess> StartWarmAsync(Options options, Contender contender, CancellationToken stop)
    {
        var app = await AppProcess.StartAsync(options.App, contender, AppProcess.OneCore, stop);
        try
        {
            await Wrk.RunAsync(app, WarmUp, options.WarmUp, Wrk.OneCore, stop);
            return app;
        }
        catch
        {
            app.Dispose();
            throw;
        }
    }

    private static async Task<MemoryState> StateAsync(AppProcess app, int seconds, CancellationToken stop)
    {
        long settled = await app.SettleAsync(seconds, stop);
        long heap = await app.AskAsync("/collect", stop);
        return new MemoryState(settled, await app.SettleAsync(seconds, stop), heap);
    }
}
