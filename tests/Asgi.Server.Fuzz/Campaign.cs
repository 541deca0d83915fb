// Runs a fuzzer: each case is drawn from a seed and the number of its iteration alone, so that the two bring it back. A case that fails is
// made as small as its failure allows. Called by the smoke run and by Main.

using Asgi.Server.Fuzz.Driver;
using Asgi.Server.Fuzz.Frames;
using Asgi.Server.Fuzz.Messages;
using Asgi.Server.Fuzz.Streams;

namespace Asgi.Server.Fuzz;

/// <summary>A fuzzer: its name on the command line, and how it draws a case.</summary>
internal sealed record Fuzzer(string Name, Func<Random, FuzzCase> Draw);

internal static class Campaign
{
    // A case that fails costs this many further tries at most, however large it is.
    private const int ReductionsMax = 3_000;

    public static readonly Fuzzer[] Fuzzers =
    [
        new("head", HeadGrammar.Draw),
        new("chunked", ChunkedGrammar.Draw),
        new("driver", Script.Draw),
        new("proxy", ProxyGrammar.Draw),
        new("hpack", HpackGrammar.Draw),
        new("frames", FrameGrammar.Draw),
        new("streams", StreamScript.Draw),
    ];

    /// <summary>Tries one case.</summary>
    /// <returns>What is to be said about its failure, or null.</returns>
    public static string? Try(Fuzzer fuzzer, int seed, long iteration)
    {
        FuzzCase drawn = fuzzer.Draw(RandomOf(seed, iteration));
        if (Fails(drawn) is not { } failure)
            return null;
        (FuzzCase smallest, failure) = Shrink(drawn, failure);
        return $"""
            {fuzzer.Name}: --only {fuzzer.Name} --seed {seed} --iteration {iteration}
            {(failure is InvariantException ? failure.Message : failure)}
            The smallest input that fails so:
            {smallest.Literal}
            """;
    }

    // The generator of SplitMix64, because neighbouring numbers must not give related cases.
    private static Random RandomOf(int seed, long iteration)
    {
        ulong mixed = ((ulong)(uint)seed << 32) + (ulong)iteration * 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return new Random((int)(mixed ^ (mixed >> 31)));
    }

    private static Exception? Fails(FuzzCase candidate)
    {
        try
        {
            candidate.Check();
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    private static (FuzzCase Smallest, Exception Failure) Shrink(FuzzCase failing, Exception failure)
    {
        string kind = KindOf(failure);
        int tries = 0;
        bool isSmaller = true;
        while (isSmaller && tries < ReductionsMax)
        {
            isSmaller = false;
            foreach (FuzzCase candidate in failing.Reduce().TakeWhile(_ => ++tries < ReductionsMax))
            {
                if (Fails(candidate) is { } same && KindOf(same) == kind)
                {
                    (failing, failure, isSmaller) = (candidate, same, true);
                    break;
                }
            }
        }
        return (failing, failure);
    }

    private static string KindOf(Exception failure) =>
        failure is InvariantException broken ? broken.Invariant : failure.GetType().Name;
}
