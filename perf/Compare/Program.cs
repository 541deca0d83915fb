// The verbs of perf/run that compare servers. An interrupt ends what was started, and what was measured until then is reported.

using System.Runtime.InteropServices;
using Compare;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

try
{
    return args switch
    {
        ["compare", .. var options] => await Comparison.RunAsync(Options.Parse(options), stop.Token),
        ["chart", var file] => Redrawing.Run(Caller.FullPath(file), Caller.FullPath(Path.ChangeExtension(file, ".svg"))),
        ["chart", var file, "--to", var picture] => Redrawing.Run(Caller.FullPath(file), Caller.FullPath(picture)),
        _ => throw new FormatException("chart takes a file of results."),
    };
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n{Options.Usage}");
    return 2;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true; // the way out is through the finally blocks
    stop.Cancel();
}
