// Where and on what a comparison ran: figures without it are worth nothing.

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Compare;

/// <summary>The commit is that of the measured source, with +dirty after it where the work tree had changes; null outside git.</summary>
internal sealed record Machine(string Cpu, int Cores, string Kernel, string System, string Runtime, string? Commit)
{
    public static Machine Read() => new(
        Cpu: File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':') + 1)..].Trim()
            : RuntimeInformation.ProcessArchitecture.ToString(),
        Cores: Environment.ProcessorCount,
        Kernel: File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        System: RuntimeInformation.OSDescription,
        Runtime: RuntimeInformation.FrameworkDescription,
        Commit: ReadCommit());

    private static string? ReadCommit() =>
        Git("rev-parse", "--short=12", "HEAD") is { Length: > 0 } commit
            ? commit + (Git("status", "--porcelain") is "" ? "" : "+dirty")
            : null;

    private static string? Git(params string[] arguments)
    {
        try
        {
            using var git = Process.Start(
                new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? output.Trim() : null;
        }
        catch (global::System.ComponentModel.Win32Exception) // no git here
        {
            return null;
        }
    }
}
