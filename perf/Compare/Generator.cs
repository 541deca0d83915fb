// The programs that make load, as a table: how each is called and how its output is read.

using System.Globalization;
using System.Text.RegularExpressions;

namespace Compare;

/// <summary>What a load tells at its end. Durations and latencies in microseconds; null where it tells none.</summary>
internal readonly record struct Figures(
    long Requests, double Duration, double? P50, double? P99, long SocketErrors, long StatusErrors);

/// <param name="Program">A command, or a path below perf/.</param>
/// <param name="Command">What calls it for so many seconds.</param>
/// <param name="Read">Reads its output; null when the figures are not in it.</param>
internal sealed partial record Generator(string Program, Func<Uri, Scenario, int, string[]> Command, Func<string, Figures?> Read)
{
    /// <summary>A file h2load sends: the prefix of a message of gRPC, and 64 octets.</summary>
    public const string GrpcMessage = "obj/message.grpc";

    public static readonly Generator Wrk = new("wrk", WrkCommand, ReadResult);

    /// <summary>For WebSockets.</summary>
    public static readonly Generator Echo = new("obj/echo", WithPort, ReadResult);

    /// <summary>For connections with TLS that end after a request.</summary>
    public static readonly Generator Handshake = new("obj/handshake", WithPort, ReadResult);

    /// <summary>For HTTP/2.</summary>
    public static readonly Generator H2load = new("h2load", H2loadCommand, ReadH2load);

    public bool IsInstalled() => Program.Contains('/')
        ? File.Exists(Program)
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, Program)));

    private static string[] WrkCommand(Uri server, Scenario scenario, int seconds) =>
    [
        "wrk", "-t1", $"-c{scenario.Connections}", $"-d{seconds}s", "--timeout", "10s",
        "-s", Path.Combine(AppContext.BaseDirectory, "wrk.lua"), Address(server, scenario), "--", .. scenario.Arguments,
    ];

    private static string[] WithPort(Uri server, Scenario scenario, int seconds) =>
    [
        scenario.Generator.Program, $"{server.Port}", scenario.Target, $"{scenario.Connections}", $"{seconds}", .. scenario.Arguments,
    ];

    // 32 streams at once on each connection. It tells no percentiles, and a log of its requests would take half its core.
    private static string[] H2loadCommand(Uri server, Scenario scenario, int seconds)
    {
        File.WriteAllBytes(GrpcMessage, [0, 0, 0, 0, 64, .. new byte[64]]);
        return
        [
            "h2load", "-t1", $"-c{scenario.Connections}", "-m32", $"-D{seconds}", .. scenario.Arguments, Address(server, scenario),
        ];
    }

    private static string Address(Uri server, Scenario scenario) => server.GetLeftPart(UriPartial.Authority) + scenario.Target;

    // The line of wrk.lua and of the programs in C.
    private static Figures? ReadResult(string output)
    {
        string? line = output.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal));
        if (line is null)
            return null;
        long[] values = [.. line.Split(' ').Skip(1).Select(value => long.Parse(value, CultureInfo.InvariantCulture))];
        return values is [var requests, var duration, var p50, var p99, var socketErrors, var statusErrors]
            ? new Figures(requests, duration, p50, p99, socketErrors, statusErrors)
            : null;
    }

    private static Figures? ReadH2load(string output)
    {
        var rate = RateLine().Match(output);
        var requests = RequestsLine().Match(output);
        var statuses = StatusLine().Match(output);
        if (!rate.Success || !requests.Success || !statuses.Success)
            return null;
        long done = Number(requests, "done");
        return new Figures(
            done, done / double.Parse(rate.Groups["rate"].Value, CultureInfo.InvariantCulture) * 1e6,
            P50: null, P99: null, Number(requests, "errored"), Number(statuses, "client") + Number(statuses, "server"));
    }

    private static long Number(Match match, string group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^finished in .*, (?<rate>[\d.]+) req/s", RegexOptions.Multiline)]
    private static partial Regex RateLine();

    [GeneratedRegex(@"^requests: .*, (?<done>\d+) done, .*, (?<errored>\d+) errored", RegexOptions.Multiline)]
    private static partial Regex RequestsLine();

    [GeneratedRegex(@"^status codes: .*, (?<client>\d+) 4xx, (?<server>\d+) 5xx", RegexOptions.Multiline)]
    private static partial Regex StatusLine();
}
