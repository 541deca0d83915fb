// Compares servers side by side: per scenario it starts the app once on each, warms both, and lets them take turns
// (A/B/A/B), so that a noisy minute meets them all. Run by perf/run. An interrupt ends the servers and reports what there is.

using System.Runtime.InteropServices;
using Compare;

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

var runs = new List<Measurement>();
int exit = 0;
try
{
    foreach (var scenario in options.Scenarios)
        await MeasureAsync(scenario);
}
catch (OperationCanceledException)
{
    exit = 130;
}
catch (InvalidOperationException e)
{
    Console.Error.WriteLine(e.Message);
    exit = 1;
}

if (runs.Count > 0)
{
    string saved = Report.Save("results", options, runs);
    Console.WriteLine($"\n{Report.Table(options, runs)}\n{saved}");
}
return exit;

async Task MeasureAsync(Scenario scenario)
{
    var servers = new List<Server>();
    try
    {
        foreach (string name in options.Servers)
            servers.Add(await Server.StartAsync(options.App, name, stop.Token));
        foreach (var server in servers)
            await Load.RunAsync(server, scenario, round: 0, options.WarmUp, stop.Token);
        for (int round = 1; round <= options.Rounds; round++)
            foreach (var server in servers)
            {
                var run = await Load.RunAsync(server, scenario, round, options.Seconds, stop.Token);
                runs.Add(run);
                Console.WriteLine(Report.Line(run));
            }
    }
    finally
    {
        servers.ForEach(server => server.Dispose());
    }
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true; // the way out is through the finally blocks
    stop.Cancel();
}
