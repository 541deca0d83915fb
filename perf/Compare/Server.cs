// One server under measurement, pinned to its core: started in a folder of its own, asked for its address, CPU time and memory,
// and ended by its id. Disposing it ends the process and its children on every way out, an interrupt included.

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Compare;

internal sealed partial class Server : IDisposable
{
    public const int Core = 0;

    private const int SigTerm = 15;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(3);

    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private Server(string name, Process process, DirectoryInfo folder)
    {
        Name = name;
        _process = process;
        _folder = folder;
    }

    public string Name { get; }

    public string Address { get; private set; } = "";

    public int Id => _process.Id;

    /// <summary>User and system time of the server so far, as /proc counts it (in hundredths of a second).</summary>
    public TimeSpan CpuTime => _process.HasExited
        ? throw new InvalidOperationException($"{Name} has ended by itself.")
        : ProcessTree.CpuTime(Id);

    public double ResidentMebibytes => ProcessTree.ResidentBytes(Id) / (double)(1 << 20);

    /// <summary>Starts a server of the table ServerKind for a scenario; <paramref name="app"/> is the path of App.dll.</summary>
    public static async Task<Server> StartAsync(string app, string name, Scenario scenario, CancellationToken stop)
    {
        var kind = ServerKind.Named(name);
        int port = kind.PrintsAddress ? 0 : FreePort();
        var folder = StaticFiles.Create();
        var server = new Server(
            name, Process.Start(StartInfo(kind, kind.Command(new Start(app, folder.FullName, port, scenario.Protocol))))!, folder);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(StartLimit);
            server.Address = kind.PrintsAddress
                ? await server._process.StandardOutput.ReadLineAsync(limit.Token) ?? throw EndedEarly(name)
                : await server.ListeningAsync(port, limit.Token);
            return server;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            server.Dispose();
            throw new InvalidOperationException($"{name} did not listen within {StartLimit.TotalSeconds} seconds.");
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
            _ = Kill(_process.Id, SigTerm); // nginx ends its worker on this one only
            if (!_process.WaitForExit(StopLimit))
            {
                _process.Kill(entireProcessTree: true);
                _process.WaitForExit();
            }
        }
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static ProcessStartInfo StartInfo(ServerKind kind, string[] command)
    {
        // taskset becomes the server (exec), so the id is the server's; children inherit the core.
        var start = new ProcessStartInfo("taskset", ["-c", $"{Core}", .. command]) { RedirectStandardOutput = kind.PrintsAddress };
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment.Remove("ASPNETCORE_URLS");
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = kind.Name == "kestrel-tuned" ? "1" : "0";
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        return start;
    }

    private async Task<string> ListeningAsync(int port, CancellationToken stop)
    {
        while (!_process.HasExited)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port, stop);
                return $"http://127.0.0.1:{port}";
            }
            catch (SocketException)
            {
                await Task.Delay(50, stop);
            }
        }
        throw EndedEarly(Name);
    }

    private static InvalidOperationException EndedEarly(string name) => new($"{name} ended before it listened.");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int id, int signal);
}
