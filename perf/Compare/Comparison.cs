// The verb compare: per scenario it starts the app once on each server that knows it, warms all, and lets them take turns
// (A/B/A/B), so that a noisy minute meets them all. What fails is told and left out; the rest is measured.

namespace Compare;

internal sealed class Comparison
{
    private readonly Options _options;
    private readonly ServerKind[] _kinds;
    private readonly Progress _progress;
    private readonly List<Measurement> _runs = [];
    private readonly List<string> _failures = [];

    private Comparison(Options options, ServerKind[] kinds)
    {
        _options = options;
        _kinds = kinds;
        int[] knowing = [.. options.Scenarios.Select(scenario => kinds.Count(kind => kind.Knows(scenario)))];
        _progress = new Progress(
            knowing.Sum() * options.Rounds,
            options.Scenarios.Zip(knowing, (scenario, servers) => servers * (WarmUp(scenario) + options.Rounds * options.Seconds)).Sum());
    }

    /// <summary>0, or 1 when Asgi.Server had an error or anything failed, or 130 after an interrupt.</summary>
    public static async Task<int> RunAsync(Options options, CancellationToken stop)
    {
        var machine = Machine.Read();
        var versions = new Dictionary<string, string>();
        foreach (string name in options.Servers)
        {
            if (ServerKind.Named(name).Version() is { } version)
                versions.Add(name, version);
            else
                Console.WriteLine($"{name} is left out: it is not installed.");
        }
        foreach (var generator in options.Scenarios.Select(scenario => scenario.Generator).Distinct().Where(known => !known.IsInstalled()))
        {
            string[] without = [.. options.Scenarios.Where(scenario => scenario.Generator == generator).Select(scenario => scenario.Name)];
            Console.WriteLine($"{string.Join(", ", without)}: left out, because there is no {generator.Program}.");
            options = options with { Scenarios = [.. options.Scenarios.Where(scenario => scenario.Generator != generator)] };
        }
        var comparison = new Comparison(options, [.. versions.Keys.Select(ServerKind.Named)]);
        comparison.TellWhatIsLeftOut();
        bool isInterrupted = await comparison.MeasureAllAsync(stop);
        if (comparison._runs.Count > 0)
            comparison.Report(new Result(
                DateTimeOffset.UtcNow, machine, versions, comparison.Settings([.. versions.Keys]), comparison._failures, comparison._runs));
        return isInterrupted ? 130 : comparison.IsGood ? 0 : 1;
    }

    private bool IsGood => _runs.Count > 0 && _failures.Count == 0 && !_runs.Any(run => run.Server == "asgi" && run.HasErrors);

    private Settings Settings(string[] servers) => new(
        servers, [.. _options.Scenarios.Select(scenario => scenario.Name)], _options.Rounds, _options.Seconds, _options.WarmUp);

    private void TellWhatIsLeftOut()
    {
        foreach (var kind in _kinds)
        {
            string[] unknown = [.. _options.Scenarios.Where(scenario => !kind.Knows(scenario)).Select(scenario => scenario.Name)];
            if (unknown.Length > 0)
                Console.WriteLine($"{kind.Name} is left out of {string.Join(", ", unknown)}: it does not serve that.");
        }
    }

    private async Task<bool> MeasureAllAsync(CancellationToken stop)
    {
        try
        {
            foreach (var scenario in _options.Scenarios)
                await MeasureAsync(scenario, stop);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    private async Task MeasureAsync(Scenario scenario, CancellationToken stop)
    {
        var servers = new List<Server>();
        try
        {
            foreach (var kind in _kinds.Where(kind => kind.Knows(scenario)))
            {
                if (await TryAsync(scenario, kind.Name, () => StartWarmAsync(scenario, kind, stop), stop) is { } server)
                    servers.Add(server);
                else
                    _progress.Skip(_options.Rounds, _options.Rounds * _options.Seconds);
                _progress.Spend(WarmUp(scenario));
            }
            for (int round = 1; round <= _options.Rounds; round++)
                foreach (var server in servers)
                {
                    var run = await TryAsync(
                        scenario, server.Name, () => Load.RunAsync(server, scenario, round, _options.Seconds, stop), stop);
                    _progress.Spend(_options.Seconds);
                    string at = _progress.Next();
                    if (run is null)
                        continue;
                    _runs.Add(run);
                    Console.WriteLine($"{Table.Line(run)}  {at}");
                }
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
        }
    }

    private async Task<Server> StartWarmAsync(Scenario scenario, ServerKind kind, CancellationToken stop)
    {
        var server = await Server.StartAsync(_options.App, kind.Name, scenario, stop);
        try
        {
            var run = await Load.RunAsync(server, scenario, round: 0, WarmUp(scenario), stop);
            if (run.HasErrors)
                Fail(scenario, server.Name, $"errors in the warm-up: {run.SocketErrors} socket, {run.StatusErrors} status");
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    private int WarmUp(Scenario scenario) => _options.WarmUp ?? scenario.WarmUp;

    private async Task<T?> TryAsync<T>(Scenario scenario, string server, Func<Task<T>> measure, CancellationToken stop)
        where T : class
    {
        try
        {
            return await measure();
        }
        catch (Exception e) when (e is InvalidOperationException or IOException) // the latter of /proc: it ended while it was looked at
        {
            stop.ThrowIfCancellationRequested(); // an interrupt of the terminal ends the servers and the load as well
            Fail(scenario, server, e.Message);
            return null;
        }
    }

    private void Fail(Scenario scenario, string server, string message)
    {
        _failures.Add($"{scenario.Name}, {server}: {message}");
        Console.Error.WriteLine(_failures[^1]);
    }

    private void Report(Result result)
    {
        string saved = result.Save("results");
        Console.WriteLine($"\n{Table.Of(result)}\n{Caller.Shown(saved)}");
        string picture = _options.Chart ?? Path.ChangeExtension(saved, ".svg");
        File.WriteAllText(picture, Chart.Draw(result));
        Console.WriteLine(Caller.Shown(picture));
    }
}
