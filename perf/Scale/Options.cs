// The command line of the verbs blocking, memory, churn and scale of perf/run.

using System.Globalization;

namespace Scale;

/// <param name="Verb">What is measured.</param>
/// <param name="App">The app's assembly.</param>
/// <param name="Servers">Which servers.</param>
/// <param name="Rounds">How often each is measured, taking turns.</param>
/// <param name="Seconds">How long a measurement is; of memory, how long it has to be stable.</param>
/// <param name="WarmUp">Seconds of load before the first.</param>
/// <param name="Connections">How many rest.</param>
/// <param name="Variants">Ways to block.</param>
/// <param name="Dimensions">What grows.</param>
/// <param name="Sweeps">Settings of Asgi.Server with the values to try.</param>
internal sealed record Options(
    string Verb, string App, string[] Servers, int Rounds, int Seconds, int WarmUp, int Connections,
    BlockingVariant[] Variants, Dimension[] Dimensions, Sweep[] Sweeps)
{
    public const string Usage = """
        perf/run blocking [--variants a,b,...] [--sweep name=a,b,...]...
          variants    sleep, wait, brief, compute (sleep,wait)
          sweep       threshold (ms), spares or dispatch of Asgi.Server, several for all combinations; without it the servers
        perf/run memory [--connections n]
          connections that rest after one request each (10000)
        perf/run churn
        perf/run scale [--dimensions a,b,...]
          dimensions  connections, pipelining, fields, request, response, loops (all)
        all of them take
          servers     asgi, kestrel, kestrel-tuned (all; of scale asgi,kestrel)
          rounds      how often each server is measured, taking turns (3; of memory 1)
          seconds     how long each measurement is (5); of memory, how long it has to be stable (3)
          warmup      seconds of load before the first (5)
        """;

    /// <exception cref="FormatException">The arguments are not those of <see cref="Usage"/>.</exception>
    public static Options Parse(string[] args)
    {
        if (args is not [("blocking" or "memory" or "churn" or "scale") and var verb, ..] || args.Length % 2 == 0)
            throw new FormatException("A verb comes first, then options with their values.");
        bool isMemory = verb == "memory";
        var options = new Options(
            verb, "", verb == "scale" ? ["asgi", "kestrel"] : Contender.Servers, Rounds: isMemory ? 1 : 3, Seconds: isMemory ? 3 : 5,
            WarmUp: 5, Connections: 10_000, BlockingVariant.All[..2], Dimension.All, []);
        foreach (string[] pair in args[1..].Chunk(2))
        {
            string value = pair[1];
            options = pair[0] switch
            {
                "--app" => options with { App = value },
                "--servers" => options with { Servers = Named(value, Contender.Servers, name => name) },
                "--rounds" => options with { Rounds = AtLeastOne(value) },
                "--seconds" => options with { Seconds = AtLeastOne(value) },
                "--warmup" => options with { WarmUp = AtLeastOne(value) },
                "--connections" when isMemory => options with { Connections = AtLeastOne(value) },
                "--variants" when verb == "blocking" => options with { Variants = Named(value, BlockingVariant.All, known => known.Name) },
                "--sweep" when verb == "blocking" => options with { Sweeps = [.. options.Sweeps, Sweep.Parse(value)] },
                "--dimensions" when verb == "scale" => options with { Dimensions = Named(value, Dimension.All, known => known.Name) },
                _ => throw new FormatException($"{pair[0]} is no option of {verb}."),
            };
        }
        return options;
    }

    private static T[] Named<T>(string value, T[] known, Func<T, string> nameOf) =>
    [
        .. value.Split(',').Distinct().Select(name => known.FirstOrDefault(one => nameOf(one) == name)
            ?? throw new FormatException($"{name} is none of {string.Join(", ", known.Select(nameOf))}.")),
    ];

    private static int AtLeastOne(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new FormatException($"{value} is no number from 1 up.");
}

/// <summary>A setting of Asgi.Server and the values to try.</summary>
internal sealed record Sweep(string Name, string Argument, string[] Values)
{
    private static readonly (string Name, string Argument)[] Known =
        [("threshold", "--handoff"), ("spares", "--spares"), ("dispatch", "--dispatch")];

    public static Sweep Parse(string text)
    {
        string[] parts = text.Split('=');
        var (name, argument) = Known.FirstOrDefault(known => known.Name == parts[0]);
        return parts.Length == 2 && argument is not null
            ? new Sweep(name, argument, parts[1].Split(','))
            : throw new FormatException($"{text} is no sweep: {string.Join(", ", Known.Select(known => known.Name))}, = and values.");
    }

    /// <summary>All combinations of the values.</summary>
    public static Contender[] Combine(IEnumerable<Sweep> sweeps)
    {
        IEnumerable<Contender> combined = [new("", "asgi")];
        foreach (var sweep in sweeps)
            combined = combined.SelectMany(one => sweep.Values.Select(value => new Contender(
                $"{one.Name} {sweep.Name}={value}".Trim(), one.Server, [.. one.Arguments, sweep.Argument, value])));
        return [.. combined];
    }
}
