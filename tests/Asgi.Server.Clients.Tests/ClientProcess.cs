// Runs a client to its end and keeps what it said. Called by tests.

using System.Diagnostics;

namespace Asgi.Server.Clients.Tests;

internal sealed record ClientOutput(int ExitCode, string Output, string Errors)
{
    /// <summary>The output of a client that must have succeeded.</summary>
    public string Succeeded
    {
        get
        {
            Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Errors}{Output}");
            return Output;
        }
    }
}

internal static class ClientProcess
{
    // Long enough for a loaded machine; no test waits it out unless it fails.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static Task<ClientOutput> RunAsync(string program, params string[] arguments) => RunAsync(program, input: null, arguments);

    public static async Task<ClientOutput> RunAsync(string program, byte[]? input, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = input is not null,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            if (input is not null)
            {
                await process.StandardInput.BaseStream.WriteAsync(input);
                process.StandardInput.Close();
            }
            await process.WaitForExitAsync().WaitAsync(Patience);
            return new ClientOutput(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
