// Measures what a comparison of rates does not: blocking handlers, memory of connections at rest, churn, and how cost grows. Run by
// perf/run with the verb. An interrupt ends servers and loads and reports what there is.

using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using Scale;

// The loads, which are children of the measurement.
if (args is ["hold", var heldPort])
{
    Loader.Hold(int.Parse(heldPort, CultureInfo.InvariantCulture));
    return 0;
}
if (args is ["connect", var port, var seconds])
{
    Loader.Connect(int.Parse(port, CultureInfo.InvariantCulture), int.Parse(seconds, CultureInfo.InvariantCulture));
    return 0;
}

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n{Options.Usage}");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

return options.Verb switch
{
    "blocking" => await CarryOutAsync<BlockingRun>(Blocking.RunAsync, Blocking.Report),
    "memory" => await CarryOutAsync<MemoryRun>(Memory.RunAsync, Memory.Report),
    "churn" => await CarryOutAsync<ChurnRun>(Churn.RunAsync, Churn.Report),
    _ => await CarryOutAsync<ScalingRun>(Scaling.RunAsync, Scaling.Report),
};

async Task<int> CarryOutAsync<TRun>(
    Func<Options, Action<TRun>, CancellationToken, Task> runAsync, Func<Options, IReadOnlyList<TRun>, (string Text, bool IsGood)> report)
{
    string commit = Results.ReadCommit(); // of what was built: it may be another by the end
    var runs = new List<TRun>();
    int exit = 0;
    try
    {
        await runAsync(options, runs.Add, stop.Token);
    }
    catch (Exception) when (stop.IsCancellationRequested) // one of the terminal ends the children as well, by whose end it may be met first
    {
        exit = 130;
    }
    catch (Exception e) when (e is InvalidOperationException or HttpRequestException or TimeoutException or OperationCanceledException
        or IOException or Win32Exception) // the last two of /proc: a server ended while it was looked at
    {
        Console.Error.WriteLine(e.Message);
        exit = 1;
    }

    if (runs.Count == 0)
        return exit;
    string saved = Results.Save("results", options, commit, runs);
    var (text, isGood) = report(options, runs);
    string caller = Environment.GetEnvironmentVariable("PERF_CALLER") ?? "."; // perf/run works in its own folder
    Console.WriteLine($"\n{text.Trim()}\n\n{Path.GetRelativePath(caller, saved)}");
    return exit != 0 ? exit : isGood ? 0 : 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true; // the way out is through the finally blocks
    stop.Cancel();
}
