// Loads that wrk has not: connections that rest, and connections without a request. A process of its own on the load's core, the same
// program with "hold" or "connect"; at its end, what starts it and talks to it by lines.

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Scale;

internal static class Loader
{
    private const int PerSourceAddress = 1000;
    private const int SourceAddresses = 250;
    private const int InFlight = 64;

    /// <summary>"open n" opens n connections with one request on each, "close" closes them; each is answered by a line.</summary>
    public static void Hold(int port)
    {
        var held = new List<Socket>();
        int opened = 0;
        while (Console.ReadLine() is { } line)
        {
            if (line == "close")
            {
                held.ForEach(socket => socket.Dispose());
                held.Clear();
            }
            else
            {
                int count = int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
                for (int i = 0; i < count; i++)
                {
                    held.Add(Open(port, opened++));
                    Ask(held[^1]);
                }
            }
            Console.WriteLine(held.Count);
        }
    }

    /// <summary>
    /// Opens and ends connections without a request for so long: 64 at a time, each gone when the server has ended it too. Writes their
    /// number and the microseconds they took.
    /// </summary>
    public static void Connect(int port, int seconds)
    {
        var inFlight = new Queue<Socket>();
        int opened = 0;
        int ended = 0;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            Socket socket = Open(port, opened++);
            socket.Shutdown(SocketShutdown.Send);
            inFlight.Enqueue(socket);
            if (inFlight.Count == InFlight)
                AwaitEnd();
        }
        while (inFlight.Count > 0)
            AwaitEnd();
        Console.WriteLine($"{ended} {(long)watch.Elapsed.TotalMicroseconds}");

        void AwaitEnd()
        {
            using Socket socket = inFlight.Dequeue();
            if (socket.Receive(new byte[1]) != 0)
                throw new InvalidOperationException("The server answered nothing.");
            ended++;
        }
    }

    // From one address after another, for the ports of one do not last: an ended connection keeps its port for a minute.
    private static Socket Open(int port, int number)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, (byte)(2 + (number / PerSourceAddress % SourceAddresses))]), 0));
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static void Ask(Socket socket)
    {
        socket.Send("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        Span<byte> buffer = stackalloc byte[1024];
        int length = 0;
        while (buffer[..length].IndexOf("Hello, World!"u8) < 0)
        {
            int received = socket.Receive(buffer[length..]);
            length += received > 0 ? received : throw new InvalidOperationException("A connection ended before its response.");
        }
        if (!buffer.StartsWith("HTTP/1.1 200 "u8))
            throw new InvalidOperationException("A response was not 200.");
    }
}

internal sealed class LoaderProcess : IDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMinutes(2);

    private readonly Process _process;

    private LoaderProcess(params string[] arguments) =>
        _process = Process.Start(new ProcessStartInfo(
            "taskset", ["-c", Wrk.OneCore, "dotnet", typeof(LoaderProcess).Assembly.Location, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    public static LoaderProcess Hold(AppProcess app) => new("hold", $"{app.Port}");

    /// <summary>The connections that were opened and ended without a request, and how many a second that were.</summary>
    public static async Task<(long Count, double PerSecond)> ConnectAsync(AppProcess app, int seconds, CancellationToken stop)
    {
        using var loader = new LoaderProcess("connect", $"{app.Port}", $"{seconds}");
        long[] values = [.. (await loader.ReadAsync(stop)).Split(' ').Select(value => long.Parse(value, CultureInfo.InvariantCulture))];
        return (values[0], values[0] * 1e6 / values[1]);
    }

    /// <summary>Opens so many connections more, each with one request.</summary>
    public Task OpenAsync(int count, CancellationToken stop) => SayAsync($"open {count}", stop);

    public Task CloseAsync(CancellationToken stop) => SayAsync("close", stop);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private async Task SayAsync(string line, CancellationToken stop)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), stop);
        await _process.StandardInput.FlushAsync(stop);
        await ReadAsync(stop);
    }

    private async Task<string> ReadAsync(CancellationToken stop) =>
        await _process.StandardOutput.ReadLineAsync(stop).AsTask().WaitAsync(AnswerLimit, stop)
        ?? throw new InvalidOperationException("The load ended early; see above for why.");
}
