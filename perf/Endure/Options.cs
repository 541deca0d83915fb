// The command line; see perf/README.md.

using System.Globalization;

namespace Endure;

/// <param name="Command">serve, soak or attack.</param>
/// <param name="Duration">How long a soak lasts, and an attack at most.</param>
/// <param name="Kind">Which attack, or all.</param>
/// <param name="Connections">How many an attack makes; 0 for what its kind needs.</param>
/// <param name="Timeout">The server's timeouts for heads and idle connections in seconds; 0 for its defaults.</param>
internal sealed record Options(string Command, TimeSpan Duration, string Kind, int Connections, int Timeout)
{
    public const string Usage = """
        soak   [--minutes n | --seconds n]                     mixed load; each response is checked (10 minutes)
        attack [--kind k] [--connections n] [--seconds n] [--timeout n]
          kind         slowloris, slow-readers, idle, resets, header-flood or all (all)
          connections  how many; without it what the kind needs
          seconds      how long each lasts at most (60)
          timeout      the server's timeouts for heads and idle connections, in seconds (its defaults)
        """;

    /// <exception cref="FormatException">The arguments are not those of <see cref="Usage"/>.</exception>
    public static Options Parse(string[] args)
    {
        if (args is not [("serve" or "soak" or "attack") and var command, ..] || args.Length % 2 == 0)
            throw new FormatException("a command comes first, then options with their values");
        var options = new Options(command, TimeSpan.FromSeconds(command == "soak" ? 600 : 60), "all", 0, 0);
        foreach (string[] pair in args[1..].Chunk(2))
        {
            options = pair[0] switch
            {
                "--minutes" => options with { Duration = TimeSpan.FromMinutes(AtLeastOne(pair[1])) },
                "--seconds" => options with { Duration = TimeSpan.FromSeconds(AtLeastOne(pair[1])) },
                "--kind" when pair[1] == "all" || Attack.All.Any(attack => attack.Name == pair[1]) => options with { Kind = pair[1] },
                "--connections" => options with { Connections = AtLeastOne(pair[1]) },
                "--timeout" => options with { Timeout = AtLeastOne(pair[1]) },
                _ => throw new FormatException($"{pair[0]} {pair[1]} is no option"),
            };
        }
        return options;
    }

    private static int AtLeastOne(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new FormatException($"{value} is no number from 1 up");
}
