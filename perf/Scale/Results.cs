// The JSON file of one measurement: when, on what, of which commit, with which options, and each run.

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scale;

internal static class Results
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static string Save<TRun>(string folder, Options options, string commit, IReadOnlyList<TRun> runs)
    {
        Directory.CreateDirectory(folder);
        var now = DateTimeOffset.UtcNow;
        string date = now.ToString("yyyy-MM-dd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        string path = Path.Combine(folder, $"{date}-{options.Verb}.json");
        var machine = new
        {
            Processor = ProcessorName(),
            Environment.ProcessorCount,
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription,
        };
        var settings = new
        {
            options.Servers,
            options.Rounds,
            options.Seconds,
            options.WarmUp,
            options.Connections,
            Variants = options.Variants.Select(variant => variant.Name),
            Dimensions = options.Dimensions.Select(dimension => dimension.Name),
            options.Sweeps,
        };
        var content = new { Date = now, options.Verb, Commit = commit, Machine = machine, Settings = settings, Runs = runs };
        File.WriteAllText(path, JsonSerializer.Serialize(content, Format));
        return path;
    }

    private static string ProcessorName() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            : "unknown";

    public static string ReadCommit()
    {
        try
        {
            var describe = new ProcessStartInfo("git", ["describe", "--always", "--dirty"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var git = Process.Start(describe)!;
            return git.StandardOutput.ReadToEnd().Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return ""; // no git here
        }
    }
}
