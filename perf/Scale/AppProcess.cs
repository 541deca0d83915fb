// One app under measurement: a process of its own on the cores it is given, asked for its address, its CPU time, its memory and threads
// (as /proc counts them), and for what only it knows by its routes. Disposing it ends it by its id, on every way out.

using System.Diagnostics;
using System.Globalization;

namespace Scale;

/// <summary>What /proc says of a process.</summary>
internal readonly record struct Figures(long ResidentKib, int Threads);

internal sealed class AppProcess : IDisposable
{
    /// <summary>The server's core, when the load has one of its own.</summary>
    public const string OneCore = "0";

    /// <summary>All there are, for server and load alike.</summary>
    public const string BothCores = "0,1";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private AppProcess(Contender contender, Process process)
    {
        Contender = contender;
        _process = process;
    }

    public Contender Contender { get; }

    public string Address { get; private set; } = "";

    public int Port => new Uri(Address).Port;

    /// <summary>User and system time of the process so far, in steps of 10 ms.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<AppProcess> StartAsync(string app, Contender contender, string cores, CancellationToken stop)
    {
        // taskset becomes the app (exec), so the id is the app's.
        string[] command = ["-c", cores, "dotnet", app, "--server", contender.Server, .. contender.Arguments];
        var start = new ProcessStartInfo("taskset", command) { RedirectStandardOutput = true };
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment.Remove("ASPNETCORE_URLS");
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = contender.Server == "kestrel-tuned" ? "1" : "0";
        var process = new AppProcess(contender, Process.Start(start)!);
        try
        {
            process.Address = await process._process.StandardOutput.ReadLineAsync(stop).AsTask().WaitAsync(StartLimit, stop)
                ?? throw new InvalidOperationException($"{contender.Name} ended before it listened.");
            return process;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    public static async Task<AppProcess[]> StartAllAsync(
        string app, IReadOnlyList<Contender> contenders, string cores, CancellationToken stop)
    {
        var started = new List<AppProcess>();
        try
        {
            foreach (var contender in contenders)
                started.Add(await StartAsync(app, contender, cores, stop));
            return [.. started];
        }
        catch
        {
            started.ForEach(process => process.Dispose());
            throw;
        }
    }

    public Figures Read()
    {
        string[] status = File.ReadAllLines($"/proc/{_process.Id}/status");
        long Value(string name)
        {
            string line = status.Single(line => line.StartsWith(name, StringComparison.Ordinal));
            return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        return new Figures(Value("VmRSS:"), (int)Value("Threads:"));
    }

    /// <summary>Asks one of the app's routes for a number, on a connection that ends with it.</summary>
    public async Task<long> AskAsync(string route, CancellationToken stop)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = AnswerLimit };
        client.DefaultRequestHeaders.ConnectionClose = true;
        return long.Parse(await client.GetStringAsync(new Uri(Address + route), stop), CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until resident memory has stayed within 0.5 % for so long, half a minute at most, and tells it in KiB.</summary>
    public async Task<long> SettleAsync(int seconds, CancellationToken stop)
    {
        const int PerSecond = 2;
        var samples = new List<long>();
        while (samples.Count < 30 * PerSecond)
        {
            samples.Add(Read().ResidentKib);
            var last = samples.TakeLast((seconds * PerSecond) + 1).ToArray();
            if (last.Length > seconds * PerSecond && last.Max() - last.Min() <= last.Max() / 200)
                break;
            await Task.Delay(1000 / PerSecond, stop);
        }
        return samples[^1];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }
}
