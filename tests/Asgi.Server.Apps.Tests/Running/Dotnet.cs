// The `dotnet` command as its users type it, in a process of its own that leaves no build server behind. Called by tests and fixtures.

using System.Diagnostics;

namespace Asgi.Server.Apps.Tests;

internal static class Dotnet
{
    // A publish on a loaded machine with one core; no test waits it out unless it fails.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    // What the `dotnet test` around us set for its own children.
    private static readonly string[] NotInherited = ["MSBuildSDKsPath", "MSBuildExtensionsPath", "MSBuildLoadMicrosoftTargetsReadOnly"];

    /// <summary>Runs a command that must succeed.</summary>
    /// <returns>All it printed.</returns>
    public static Task<string> RunAsync(string folder, params string[] arguments) => RunAsync(folder, [], arguments);

    public static async Task<string> RunAsync(string folder, Dictionary<string, string> variables, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["MSBUILDDISABLENODEREUSE"] = "1",
                ["UseSharedCompilation"] = "false",
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
                ["DOTNET_CLI_UI_LANGUAGE"] = "en",
                ["DOTNET_NOLOGO"] = "1",
            },
        };
        foreach (var name in NotInherited)
            start.Environment.Remove(name);
        foreach (var (name, value) in variables)
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(Patience);
            var said = await output + await errors;
            Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}: {said}");
            return said;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}

/// <summary>Classes that build apps do so one after the other: each build uses all the machine has.</summary>
[CollectionDefinition(nameof(Builds))]
public sealed class Builds;
