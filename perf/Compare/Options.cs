// The command line of perf/run compare and perf/run chart.

using System.Globalization;

namespace Compare;

/// <summary>No warm-up of its own (null): each scenario has one.</summary>
internal sealed record Options(string App, string[] Servers, Scenario[] Scenarios, int Rounds, int Seconds, int? WarmUp, string? Chart)
{
    public const string Usage = """
        perf/run [compare] [--servers a,b,...] [--scenarios a,b,...] [--rounds n] [--seconds n] [--warmup n] [--chart file.svg]
          servers    kestrel, kestrel-tuned, asgi, uvicorn, nginx, floor; the first is what the others are compared with
                     (all that are installed)
          scenarios  plaintext, plaintext-512, pipelined, json, async, delay, close, ten, upload, bytes,
                     static-1k, static-64k, static-4m, echo, tls, tls-close, tls-resumed,
                     h2, h2-tls, h2-json, h2-64k, h2-grpc (all)
          rounds     how often each server is measured, taking turns (3)
          seconds    how long each measurement is (5)
          warmup     seconds of load before the first (6; 12 where a scenario needs it)
          chart      where the picture goes (beside the JSON file in results/)
        perf/run chart results/file.json [--to file.svg]
          shows the table of a comparison again, and draws its picture again
        """;

    public static Options Parse(string[] args)
    {
        string[] servers = [.. ServerKind.All.Select(kind => kind.Name)];
        var options = new Options("", servers, Scenario.All, Rounds: 3, Seconds: 5, WarmUp: null, Chart: null);
        if (args.Length % 2 != 0)
            throw new FormatException($"{args[^1]} stands alone.");
        foreach (var pair in args.Chunk(2))
        {
            string value = pair[1];
            options = pair[0] switch
            {
                "--app" => options with { App = value },
                "--servers" => options with { Servers = [.. value.Split(',').Select(name => ServerKind.Named(name).Name).Distinct()] },
                "--scenarios" => options with { Scenarios = [.. value.Split(',').Select(Named).Distinct()] },
                "--rounds" => options with { Rounds = AtLeastOne(value) },
                "--seconds" => options with { Seconds = AtLeastOne(value) },
                "--warmup" => options with { WarmUp = AtLeastOne(value) },
                "--chart" => options with { Chart = Caller.FullPath(value) },
                _ => throw new FormatException($"{pair[0]} is no option."),
            };
        }
        return options;
    }

    private static Scenario Named(string name) =>
        Scenario.All.FirstOrDefault(scenario => scenario.Name == name)
        ?? throw new FormatException($"{name} is none of {string.Join(", ", Scenario.All.Select(scenario => scenario.Name))}.");

    private static int AtLeastOne(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new FormatException($"{value} is no number from 1 up.");
}
