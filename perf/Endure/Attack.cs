// An attack on the server, a well-behaved client beside it, and figures before, at the worst and afterwards.

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Endure;

/// <param name="Name">On the command line.</param>
/// <param name="Connections">How many, if nothing else is asked for.</param>
/// <param name="RunOneAsync">What one connection does until the time is over: what it says it saw is counted.</param>
internal sealed record Attack(string Name, int Connections, Func<AttackRun, Task> RunOneAsync)
{
    public static readonly Attack[] All =
    [
        new("slowloris", 1000, Attacks.SlowlorisAsync),
        new("slow-readers", 200, Attacks.SlowReaderAsync),
        new("idle", 10_000, Attacks.IdleAsync),
        new("resets", 200, Attacks.ResetsAsync),
        new("header-flood", 200, Attacks.HeaderFloodAsync),
    ];

    // A pause between the SYNs, so that the backlog does not drop them.
    private const int ConnectsAtOnce = 100;

    // What a process may keep: pools that have grown once do not shrink to nothing.
    private const long KeptMaxKib = 64 * 1024;

    // The runtime opens one now and then for itself.
    private const int DescriptorsKeptMax = 3;

    public async Task<bool> RunAsync(Options options, CancellationToken interrupt)
    {
        int count = options.Connections > 0 ? options.Connections : Connections;
        using ServerProcess server = await ServerProcess.StartAsync(options, interrupt);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt);
        using var calm = new WellBehavedClient(server.EndPoint);
        await calm.MeasureAsync(TimeSpan.FromSeconds(1), interrupt);
        Figures before = await RestAsync(server, interrupt);
        Console.WriteLine($"\n{Name}: {count:N0} connections");

        stop.CancelAfter(options.Duration);
        var run = new AttackRun(server.EndPoint, stop.Token);
        Task beside = calm.MeasureAsync(options.Duration, stop.Token);
        Task attack = RunAllAsync(run, count);
        var worst = new Figures();
        int heldMost = 0;
        while (!attack.IsCompleted)
        {
            await Task.WhenAny(attack, Task.Delay(250, CancellationToken.None));
            Figures now = server.Read();
            worst = worst.Max(now);
            heldMost = Math.Max(heldMost, run.Held);
        }
        await stop.CancelAsync();
        await beside;
        return await ReportAsync(server, run, calm, before, worst, heldMost, interrupt);
    }

    private async Task RunAllAsync(AttackRun run, int count)
    {
        var connections = new List<Task>(count);
        for (int i = 0; i < count && !run.Stop.IsCancellationRequested; i++)
        {
            connections.Add(Task.Run(() => GuardAsync(run)));
            if (i % ConnectsAtOnce == 0)
                await Task.Delay(10, CancellationToken.None);
        }
        await Task.WhenAll(connections);
    }

    private async Task GuardAsync(AttackRun run)
    {
        try
        {
            await RunOneAsync(run);
        }
        catch (Exception) when (run.Stop.IsCancellationRequested)
        {
            run.See("left alone until the end");
        }
        catch (Exception e)
        {
            run.See($"{e.GetType().Name}: {e.Message}");
        }
    }

    private static async Task<bool> ReportAsync(
        ServerProcess server, AttackRun run, WellBehavedClient calm, Figures before, Figures worst, int heldMost, CancellationToken stop)
    {
        foreach (string seen in run.Seen)
            Console.WriteLine($"  {seen}");
        if (server.HasExited)
        {
            Console.WriteLine("  The server has ended.");
            return false;
        }
        // Closing is seen by the server in its own time, and memory goes back to the system in the collector's.
        Figures after = before;
        for (int i = 0; i < 20; i++)
        {
            after = await RestAsync(server, stop);
            if (after.Descriptors <= before.Descriptors)
                break;
        }
        double each = (worst.ResidentKib - before.ResidentKib) * 1024.0 / Math.Max(1, heldMost);
        Console.WriteLine($"  held at most {heldMost:N0} connections; memory {Mib(before)} before, {Mib(worst)} at the worst "
            + $"({each:N0} bytes a connection), {Mib(after)} afterwards");
        Console.WriteLine($"  descriptors {before.Descriptors}, {worst.Descriptors}, {after.Descriptors}; threads {before.Threads}, "
            + $"{worst.Threads}, {after.Threads}");
        Console.WriteLine($"  a well-behaved client beside it: {calm.Report()}");
        bool isGivenBack = after.Descriptors <= before.Descriptors + DescriptorsKeptMax
            && after.ResidentKib - before.ResidentKib <= KeptMaxKib;
        bool isGood = isGivenBack && calm.Failures == 0;
        Console.WriteLine($"  {(isGivenBack ? "everything was given back" : "NOT everything was given back")}"
            + $"{(calm.Failures == 0 ? "" : "; the well-behaved client was NOT served")}");
        return isGood;
    }

    /// <summary>The figures after a collection, once the connection that asked for it is gone too.</summary>
    private static async Task<Figures> RestAsync(ServerProcess server, CancellationToken stop)
    {
        await server.AskAsync("/collect", stop);
        await Task.Delay(250, stop);
        return server.Read();
    }

    private static string Mib(Figures figures) => $"{figures.ResidentKib / 1024.0:N1} MiB";
}

/// <summary>The connections of one attack, and what they see.</summary>
internal sealed class AttackRun(IPEndPoint server, CancellationToken stop)
{
    private readonly ConcurrentDictionary<string, (int Count, double First, double Last)> _seen = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private int _held;

    public CancellationToken Stop { get; } = stop;

    public int Held => Volatile.Read(ref _held);

    /// <summary>What the server did, how often, and between which seconds.</summary>
    public IEnumerable<string> Seen => _seen.OrderByDescending(seen => seen.Value.Count)
        .Select(seen => $"{seen.Value.Count,8:N0} x {seen.Key}, after {seen.Value.First:N1} to {seen.Value.Last:N1} s");

    public async Task<RawConnection> OpenAsync(int receiveBufferSize = 0)
    {
        RawConnection connection = await RawConnection.OpenAsync(server, Stop, receiveBufferSize);
        Interlocked.Increment(ref _held);
        return connection;
    }

    public void Close(RawConnection connection)
    {
        connection.Dispose();
        Interlocked.Decrement(ref _held);
    }

    public void See(string what)
    {
        double now = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        _seen.AddOrUpdate(what, (1, now, now), (_, seen) => (seen.Count + 1, seen.First, now));
    }

    /// <summary>The status, if there is one.</summary>
    public static string AnswerOf(string received) =>
        received.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? received[9..12] : "nothing";

    /// <summary>Waits for the end of the connection and notes how it came.</summary>
    public async Task SeeEndAsync(RawConnection connection)
    {
        (bool isFin, string before) = await connection.ReadEndAsync(Stop);
        See($"{AnswerOf(before)}, then {(isFin ? "FIN" : "RST")}");
    }
}

/// <summary>Asks for something small, again and again on one connection, and keeps how long each answer took.</summary>
internal sealed class WellBehavedClient(IPEndPoint server) : IDisposable
{
    private readonly List<double> _milliseconds = [];
    private RawConnection? _connection;

    public int Failures { get; private set; }

    public async Task MeasureAsync(TimeSpan duration, CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        _milliseconds.Clear();
        while (!stop.IsCancellationRequested && Stopwatch.GetElapsedTime(start) < duration)
        {
            try
            {
                long sent = Stopwatch.GetTimestamp();
                _connection ??= await RawConnection.OpenAsync(server, stop);
                await _connection.SendAsync("GET /bytes?n=100 HTTP/1.1\r\nHost: a\r\n\r\n", stop);
                if (await _connection.ReadResponseAsync(stop) is not { Status: 200, Content.Length: 100 })
                    Fail();
                _milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                await Task.Delay(5, stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (SocketException)
            {
                Fail();
            }
        }
        Dispose();
    }

    public string Report()
    {
        double[] sorted = [.. _milliseconds.Order()];
        return sorted.Length == 0
            ? "nothing answered"
            : $"{sorted.Length:N0} answers, p50 {sorted[sorted.Length / 2]:N2} ms, p99 {sorted[sorted.Length * 99 / 100]:N2} ms, "
                + $"{Failures} failures";
    }

    public void Dispose()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private void Fail()
    {
        Failures++;
        Dispose(); // the next request has a connection of its own
    }
}
