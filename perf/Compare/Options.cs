// The command line of perf/run.

using System.Globalization;

namespace Compare;

internal sealed record Options(string App, string[] Servers, Scenario[] Scenarios, int Rounds, int Seconds, int WarmUp)
{
    public const string Usage = """
        perf/run [--servers a,b,...] [--scenarios a,b,...] [--rounds n] [--seconds n] [--warmup n]
          servers    kestrel, kestrel-tuned, asgi; the first is what the others are compared with (kestrel,asgi)
          scenarios  plaintext, pipelined, json, async, close, ten, upload, bytes (all)
          rounds     how often each server is measured, taking turns (3)
          seconds    how long each measurement is (5)
          warmup     seconds of load before the first (3)
        """;

    private static readonly string[] KnownServers = ["kestrel", "kestrel-tuned", "asgi"];

    public static Options Parse(string[] args)
    {
        var options = new Options("", ["kestrel", "asgi"], Scenario.All, Rounds: 3, Seconds: 5, WarmUp: 3);
        if (args.Length % 2 != 0)
            throw new FormatException($"{args[^1]} stands alone.");
        foreach (var pair in args.Chunk(2))
        {
            string value = pair[1];
            options = pair[0] switch
            {
                "--app" => options with { App = value },
                "--servers" => options with { Servers = [.. value.Split(',').Select(name => Known(name, KnownServers))] },
                "--scenarios" => options with { Scenarios = [.. value.Split(',').Select(Named)] },
                "--rounds" => options with { Rounds = AtLeastOne(value) },
                "--seconds" => options with { Seconds = AtLeastOne(value) },
                "--warmup" => options with { WarmUp = AtLeastOne(value) },
                _ => throw new FormatException($"{pair[0]} is no option."),
            };
        }
        return options;
    }

    private static string Known(string name, string[] names) =>
        names.Contains(name) ? name : throw new FormatException($"{name} is none of {string.Join(", ", names)}.");

    private static Scenario Named(string name)
    {
        Known(name, [.. Scenario.All.Select(scenario => scenario.Name)]);
        return Scenario.All.Single(scenario => scenario.Name == name);
    }

    private static int AtLeastOne(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new FormatException($"{value} is no number from 1 up.");
}
