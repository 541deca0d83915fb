// The long runs: dotnet run --project tests/Asgi.Server.Fuzz -c Release -- --minutes 60 [--seed N] [--only NAME] [--iteration N]
// The fuzzers take turns until the time is over; with --iteration one case runs alone.

using System.Globalization;

namespace Asgi.Server.Fuzz;

internal static class Program
{
    private const int BatchSize = 50;
    private const int FailuresMax = 20;
    private const string Usage = "[--minutes N] [--seed N] [--only head|chunked|driver|proxy|hpack|frames|streams] [--iteration N]";

    public static int Main(string[] args)
    {
        double minutes = 1;
        int seed = 1;
        long? iteration = null;
        Fuzzer[] fuzzers = Campaign.Fuzzers;
        try
        {
            foreach (string[] pair in args.Chunk(2))
            {
                switch (pair)
                {
                    case ["--minutes", var value]:
                        minutes = double.Parse(value, CultureInfo.InvariantCulture);
                        break;
                    case ["--seed", var value]:
                        seed = int.Parse(value, CultureInfo.InvariantCulture);
                        break;
                    case ["--iteration", var value]:
                        iteration = long.Parse(value, CultureInfo.InvariantCulture);
                        break;
                    case ["--only", var value] when fuzzers.Any(fuzzer => fuzzer.Name == value):
                        fuzzers = [.. fuzzers.Where(fuzzer => fuzzer.Name == value)];
                        break;
                    default:
                        throw new FormatException($"{pair[0]} is no option, or has no value");
                }
            }
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"{e.Message}\n{Usage}");
            return 2;
        }
        return iteration is { } one ? RunOne(fuzzers, seed, one) : RunFor(fuzzers, seed, TimeSpan.FromMinutes(minutes));
    }

    private static int RunOne(Fuzzer[] fuzzers, int seed, long iteration)
    {
        string[] failures = [.. fuzzers.Select(fuzzer => Campaign.Try(fuzzer, seed, iteration)).OfType<string>()];
        Array.ForEach(failures, Console.WriteLine);
        Console.WriteLine(failures.Length == 0 ? "It holds." : "It fails.");
        return failures.Length == 0 ? 0 : 1;
    }

    private static int RunFor(Fuzzer[] fuzzers, int seed, TimeSpan duration)
    {
        TimeProvider clock = TimeProvider.System;
        long start = clock.GetTimestamp();
        var iterations = new long[fuzzers.Length];
        var spent = new TimeSpan[fuzzers.Length];
        int failures = 0;
        while (clock.GetElapsedTime(start) < duration && failures < FailuresMax)
        {
            // Whoever has had the least time so far.
            int turn = Array.IndexOf(spent, spent.Min());
            long begun = clock.GetTimestamp();
            for (int i = 0; i < BatchSize; i++)
            {
                if (Campaign.Try(fuzzers[turn], seed, iterations[turn]++) is { } failure)
                {
                    Console.WriteLine($"{failure}\n");
                    failures++;
                }
            }
            spent[turn] += clock.GetElapsedTime(begun);
        }

        for (int i = 0; i < fuzzers.Length; i++)
        {
            Console.WriteLine($"{fuzzers[i].Name,-8} seed {seed}: {iterations[i]:N0} iterations in {spent[i].TotalSeconds:N0} s, "
                + $"{iterations[i] / Math.Max(spent[i].TotalSeconds, 0.001):N0} a second");
        }
        Console.WriteLine($"{failures} failures");
        return failures == 0 ? 0 : 1;
    }
}
