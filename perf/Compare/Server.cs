// One app process under measurement, pinned to its core: started, asked for its address and CPU time, and ended by its id.
// Disposing it ends the process on every way out, an interrupt included.

using System.Diagnostics;

namespace Compare;

internal sealed class Server : IDisposable
{
    public const int Core = 0;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private Server(string name, Process process)
    {
        Name = name;
        _process = process;
    }

    public string Name { get; }

    public string Address { get; private set; } = "";

    /// <summary>User and system time of the process so far, as /proc counts it (in hundredths of a second).</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<Server> StartAsync(string app, string name, CancellationToken stop)
    {
        // taskset becomes the app (exec), so the id is the app's.
        var start = new ProcessStartInfo("taskset", ["-c", $"{Core}", "dotnet", app, "--server", name]) { RedirectStandardOutput = true };
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment.Remove("ASPNETCORE_URLS");
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = name == "kestrel-tuned" ? "1" : "0";
        var server = new Server(name, Process.Start(start)!);
        try
        {
            server.Address = await server._process.StandardOutput.ReadLineAsync(stop).AsTask().WaitAsync(StartLimit, stop)
                ?? throw new InvalidOperationException($"{name} ended before it listened.");
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
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
