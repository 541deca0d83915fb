// The mixed load: every scenario with its clients, for as long as was asked, and a line of figures a minute. Ends with a verdict.

using System.Diagnostics;

namespace Endure;

internal static class Soak
{
    // Of the resident memory: less is the noise of a garbage collector that has no reason to hurry.
    private const double GrowthMax = 0.05;
    private const long GrowthMaxKib = 4 * 1024;

    public static async Task<bool> RunAsync(Options options, CancellationToken interrupt)
    {
        using ServerProcess server = await ServerProcess.StartAsync(options, interrupt);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt);
        stop.CancelAfter(options.Duration);
        var tally = new Tally();
        Task[] clients =
        [
            .. from scenario in Scenario.All
               from _ in Enumerable.Range(0, scenario.Clients)
               select Task.Run(() => RepeatAsync(scenario, server, tally, stop.Token), CancellationToken.None),
        ];
        List<long> resident = await WatchAsync(server, tally, options.Duration, stop.Token);
        await Task.WhenAll(clients);
        return Judge(server, tally, resident);
    }

    private static async Task RepeatAsync(Scenario scenario, ServerProcess server, Tally tally, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await scenario.RoundAsync(server.EndPoint, tally, stop);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                // The end of the soak, whatever it looks like to a scenario.
            }
            catch (Exception e)
            {
                tally.CountError(scenario.Name, e);
                await Task.Delay(10, CancellationToken.None); // a server that is gone is not asked a million times
            }
        }
    }

    /// <summary>Prints a line a minute, or ten in a shorter run, and gives the resident memory once a second.</summary>
    private static async Task<List<long>> WatchAsync(ServerProcess server, Tally tally, TimeSpan duration, CancellationToken stop)
    {
        var resident = new List<long>();
        long start = Stopwatch.GetTimestamp();
        int interval = (int)Math.Clamp(duration.TotalSeconds / 10, 1, 60);
        Console.WriteLine(
            $"{"seconds",8} {"responses",11} {"errors",7} {"lost",6} {"wrong",6} {"RSS MiB",8} {"heap MiB",9} {"fds",5} {"threads",8}");
        try
        {
            for (int second = 1; !stop.IsCancellationRequested && !server.HasExited; second++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), stop);
                Figures figures = server.Read();
                resident.Add(figures.ResidentKib);
                if (second % interval != 0)
                    continue;
                double heap = await server.AskAsync("/heap", stop) / 1048576.0;
                Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds,8:N0} {tally.Right,11:N0} {tally.Errors,7} "
                    + $"{tally.Lost,6} {tally.Wrong,6} {figures.ResidentKib / 1024.0,8:N1} {heap,9:N1} {figures.Descriptors,5} "
                    + $"{figures.Threads,8}");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The time is over.
        }
        return resident;
    }

    private static bool Judge(ServerProcess server, Tally tally, List<long> resident)
    {
        foreach (string detail in tally.Details)
            Console.WriteLine($"  {detail}");
        if (server.HasExited)
        {
            Console.WriteLine("The server has ended.");
            return false;
        }
        int third = resident.Count / 3;
        bool isFlat = true;
        if (third > 0)
        {
            long middle = Median(resident[third..(2 * third)]);
            long last = Median(resident[^third..]);
            isFlat = last - middle <= Math.Max(GrowthMaxKib, middle * GrowthMax);
            Console.WriteLine($"memory {(isFlat ? "flat" : "GROWS")}: median RSS {middle / 1024.0:N1} MiB in the middle third, "
                + $"{last / 1024.0:N1} MiB in the last");
        }
        Console.WriteLine($"{tally.Right:N0} right, {tally.Errors} errors, {tally.Lost} lost, {tally.Wrong} wrong");
        return isFlat && tally.IsClean && tally.Right > 0;
    }

    private static long Median(List<long> values) => values.Order().ElementAt(values.Count / 2);
}
