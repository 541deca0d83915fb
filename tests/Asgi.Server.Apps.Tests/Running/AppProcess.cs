// An app as users run it: a process of its own at a free port of loopback, found by the line it prints. Made by tests and fixtures.

using System.Collections.Concurrent;
using System.Diagnostics;

namespace Asgi.Server.Apps.Tests;

internal sealed class AppProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AppProcess(Process process) => _process = process;

    public Uri Address { get; private set; } = null!;

    /// <summary>All lines the app has written.</summary>
    public string Log => string.Join('\n', _log);

    /// <param name="program">An executable, or the dll of an app.</param>
    /// <param name="folder">The content root.</param>
    public static async Task<AppProcess> StartAsync(string program, string folder)
    {
        string[] arguments = ["--urls", "http://127.0.0.1:0"];
        var isLibrary = program.EndsWith(".dll", StringComparison.Ordinal);
        var app = new AppProcess(new Process
        {
            StartInfo = new ProcessStartInfo(isLibrary ? "dotnet" : program, isLibrary ? [program, .. arguments] : arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["ASPNETCORE_ENVIRONMENT"] = "Production",
                    // Keys that protect cookies and forms are kept below it.
                    ["HOME"] = folder,
                },
            },
            EnableRaisingEvents = true,
        });
        await app.StartAsync();
        return app;
    }

    public HttpClient CreateClient() => new() { BaseAddress = Address, Timeout = ClientProcess.Patience };

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task StartAsync()
    {
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException($"The app ended before it listened: {Log}"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            Address = await _address.Task.WaitAsync(ClientProcess.Patience);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    private void Hear(string? line)
    {
        if (line is null)
            return;
        _log.Enqueue(line);
        if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var index)
            _address.TrySetResult(new Uri(line[(index + Listening.Length)..].Trim()));
    }
}
