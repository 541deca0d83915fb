// The server under load: a process of its own, on core 0 where taskset is there, asked for its memory, descriptors and threads as /proc
// counts them. Disposing it ends it by its id.

using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Endure;

/// <summary>What /proc says: resident memory in KiB, open descriptors, threads.</summary>
internal readonly record struct Figures(long ResidentKib, int Descriptors, int Threads)
{
    /// <summary>The greatest of each.</summary>
    public Figures Max(Figures other) => new(
        Math.Max(ResidentKib, other.ResidentKib), Math.Max(Descriptors, other.Descriptors), Math.Max(Threads, other.Threads));
}

internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    public IPEndPoint EndPoint { get; private set; } = null!;

    public bool HasExited => _process.HasExited;

    public static async Task<ServerProcess> StartAsync(Options options, CancellationToken stop)
    {
        string[] command = ["dotnet", typeof(ServerProcess).Assembly.Location, "serve"];
        if (options.Timeout > 0)
            command = [.. command, "--timeout", options.Timeout.ToString(CultureInfo.InvariantCulture)];
        if (File.Exists("/usr/bin/taskset") && Environment.ProcessorCount > 1)
            command = ["/usr/bin/taskset", "-c", "0", .. command]; // it becomes the server (exec), so the id is the server's
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_gcServer"] = "0";
        var server = new ServerProcess(Process.Start(start)!);
        try
        {
            string address = await server._process.StandardOutput.ReadLineAsync(stop).AsTask().WaitAsync(StartLimit, stop)
                ?? throw new InvalidOperationException("The server ended before it listened.");
            server.EndPoint = new IPEndPoint(IPAddress.Loopback, new Uri(address).Port);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public Figures Read()
    {
        if (HasExited)
            return default;
        string folder = $"/proc/{_process.Id}";
        string[] status = File.ReadAllLines($"{folder}/status");
        long Value(string name)
        {
            string line = status.Single(line => line.StartsWith(name, StringComparison.Ordinal));
            return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        return new Figures(Value("VmRSS:"), Directory.GetFiles($"{folder}/fd").Length, (int)Value("Threads:"));
    }

    /// <summary>Asks one of the app's routes for a number.</summary>
    public async Task<long> AskAsync(string route, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(EndPoint, stop);
        await connection.SendAsync($"GET {route} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", stop);
        Response? response = await connection.ReadResponseAsync(stop);
        return response is { Status: 200 } ? long.Parse(response.Text, CultureInfo.InvariantCulture) : -1;
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
