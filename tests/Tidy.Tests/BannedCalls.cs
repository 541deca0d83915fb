// Calls this code does without, each with what to write instead, and the allowances: where one is right after all, and why.
// Called by BannedCallsTests. An allowance names a file and a ban; one that nothing needs any more is itself untidy.

using System.Text.RegularExpressions;

namespace Tidy.Tests;

internal sealed record Ban(string Name, string Folder, string Pattern, string Mend);

internal sealed record Allowance(string Path, string Ban, string Reason);

internal static class BannedCalls
{
    private const string Clock = "take the time from the loop or from a TimeProvider that was handed in";
    private const string Wait = "a test waits for the event itself (a message, a TaskCompletionSource) or moves the virtual clock";
    private const string Blocking = "await it, or read the result where IsCompleted was just seen; a loop thread must not block";

    // Without an end it is no clock: it waits for its token.
    private const string Delay = @"\bTask\.Delay\b(?!\s*\(\s*Timeout\.Infinite)";

    public static readonly Ban[] Bans =
    [
        new("Thread.Sleep", "src", @"\bThread\.Sleep\b", "wait for the event, or let the timer wheel call"),
        new("Task.Delay", "src", Delay, "let the timer wheel call"),
        new("DateTime.Now", "src", @"\bDateTime(Offset)?\.(Utc)?Now\b", Clock),
        new("Console", "src", @"(?<![\w.])(System\.)?Console\.", "log it (Diagnostics)"),
        new("lock", "src", @"\block\s*\(", "one loop owns the data: post to it (Loop.Post)"),
        new("async void", "src", @"\basync\s+void\b", "return a Task and observe it: an exception here ends the process"),
        new("Task.Run", "src", @"\bTask\.Run\s*[(<]", "run it from the ready list or the spares: the pool is the application's"),
        new("Result", "src", @"(?<=[\w)\]])\.Result\b(?!\s*[(=])", Blocking),
        new("Wait", "src", @"\.Wait\s*\(", Blocking),
        new("GetResult", "src", @"\.GetAwaiter\(\)\s*\.GetResult\(\)", Blocking),
        new("Thread.Sleep", "tests", @"\bThread\.Sleep\b", Wait),
        new("Task.Delay", "tests", Delay, Wait),
        new("DateTime.Now", "tests", @"\bDateTime(Offset)?\.(Utc)?Now\b|\bEnvironment\.TickCount", "use the virtual clock"),
        new("Stopwatch", "tests", @"\bStopwatch\b", "assert what happened, not how long it took; speed is measured in perf"),
    ];

    // The sample shows what an application may do, and a command line talks to its console.
    private static readonly string[] Applications = ["src/Asgi.Server.Sample", "src/Asgi.Server.Cli"];

    public static readonly Allowance[] Allowances =
    [
        new("src/Asgi.Server/Hosting/AsgiServer.cs", "GetResult",
            "IDisposable is synchronous: a host that disposes without stopping does so on its own thread, which may block"),
        new("src/Asgi.Server.Loops/Loop.cs", "Wait", "a stop, on the host's thread, waits for the loop to end"),
        new("src/Asgi.Server.Loops/SpareThreads.cs", "Wait", "a spare thread waits for its work"),
        new("src/Asgi.Server.Loops/SpareThreads.cs", "lock", "the spares belong to all loops; only calls that block are on this way"),
        new("src/Asgi.Server/Connections/BlockingRoutes.cs", "lock", "what is learned belongs to all loops; only a hand-off writes it"),
        new("src/Asgi.Server/Connections/ToldRoutes.cs", "lock", "the log belongs to all loops; only a route that is learned comes here"),
    ];

    public static IEnumerable<Finding> Check(SourceFile file) =>
        Found(file).Where(found => !Allowances.Any(allowed => Covers(allowed, file, found.Ban))).Select(found => found.Finding);

    public static IEnumerable<Finding> Stale(IEnumerable<Allowance> allowances, IEnumerable<SourceFile> files) =>
        from allowed in allowances
        where !files.Any(file => Found(file).Any(found => Covers(allowed, file, found.Ban)))
        select new Finding("tests/Tidy.Tests/BannedCalls.cs", 1, $"{allowed.Path} no longer uses {allowed.Ban}", "delete its allowance");

    private static bool Covers(Allowance allowed, SourceFile file, Ban ban) => allowed.Path == file.Path && allowed.Ban == ban.Name;

    private static IEnumerable<(Ban Ban, Finding Finding)> Found(SourceFile file) =>
        from ban in Bans
        where file.IsCSharp && file.IsUnder(ban.Folder) && !Applications.Any(file.IsUnder)
        from line in Enumerable.Range(0, file.Code.Length)
        where Regex.IsMatch(file.Code[line], ban.Pattern) && !(ban.Mend == Blocking && BlocksNobody(file, line))
        select (ban, file.At(line, $"{ban.Name}: {file.Code[line].Trim()}",
            $"{ban.Mend}; where it is right after all, say why in BannedCalls.Allowances"));

    // The result of a task seen to be complete (IsCompleted, or an OnCompleted callback), and what bears the name in a protocol,
    // to which Layers closes tasks altogether.
    private static bool BlocksNobody(SourceFile file, int line) =>
        file.IsUnder("src/Asgi.Server.Protocols")
        || file.Code[Math.Max(0, line - 8)..(line + 1)].Any(code => code.Contains("Completed", StringComparison.Ordinal));
}
