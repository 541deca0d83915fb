// The sample as users run it: a process of its own, started at a free port, found by the line it prints, ended by SIGTERM. One for each
// test class (an xunit class fixture).

using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace Asgi.Server.Clients.Tests;

public class SampleProcess : IAsyncLifetime
{
    private const string Listening = "Now listening on: ";
    private const int Sigterm = 15;

    private readonly string[] _arguments;
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process _process = null!;

    public SampleProcess()
        : this([])
    {
    }

    protected SampleProcess(string[] arguments) => _arguments = arguments;

    public Uri Address { get; private set; } = null!;

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Address.Port);

    public async Task InitializeAsync()
    {
        _process = Process.Start(CreateStartInfo())!;
        _process.OutputDataReceived += (_, line) => Find(line.Data);
        _process.ErrorDataReceived += (_, _) => { };
        _process.Exited += (_, _) => _address.TrySetException(new InvalidOperationException("The sample ended before it listened."));
        _process.EnableRaisingEvents = true;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Address = await _address.Task.WaitAsync(ClientProcess.Patience);
    }

    /// <summary>Ends the sample as an operator does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        Assert.Equal(0, Kill(_process.Id, Sigterm));
        await _process.WaitForExitAsync().WaitAsync(ClientProcess.Patience);
        return _process.ExitCode;
    }

    public Task DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        return Task.CompletedTask;
    }

    private ProcessStartInfo CreateStartInfo()
    {
        var sample = typeof(Program).Assembly.Location;
        return new ProcessStartInfo("dotnet", [sample, .. _arguments, "--urls", "http://127.0.0.1:0"])
        {
            // Where wwwroot is.
            WorkingDirectory = SourceFolder("src/Asgi.Server.Sample"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }

    private static string SourceFolder(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Asgi.Server.sln")))
                return Path.Combine(folder.FullName, path);
        }
        throw new InvalidOperationException("The tests run outside of the repository.");
    }

    private void Find(string? line)
    {
        if (line?.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var index)
            _address.TrySetResult(new Uri(line[(index + Listening.Length)..].Trim()));
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);
}

/// <summary>The sample's native application.</summary>
public sealed class RawSampleProcess() : SampleProcess(["--raw"]);
