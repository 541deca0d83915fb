// What a fuzzer tries: one input with its invariants. The campaign makes it, checks it, and makes it smaller when it fails.

namespace Asgi.Server.Fuzz;

internal abstract class FuzzCase
{
    /// <summary>The input as C# source, to stand in a test.</summary>
    public abstract string Literal { get; }

    /// <summary>Checks every invariant of the input.</summary>
    /// <exception cref="InvariantException">One does not hold; any other exception is the product's.</exception>
    public abstract void Check();

    /// <summary>The same with less in it, the greatest steps first.</summary>
    public abstract IEnumerable<FuzzCase> Reduce();

    /// <summary>A list without one of its parts: halves, quarters, down to single items.</summary>
    protected static IEnumerable<T[]> Less<T>(T[] items)
    {
        for (int length = (items.Length + 1) / 2; length > 0; length = length == 1 ? 0 : (length + 1) / 2)
        {
            for (int start = 0; start < items.Length; start += length)
                yield return [.. items[..start], .. items[Math.Min(items.Length, start + length)..]];
        }
    }
}

/// <summary>An invariant that does not hold, as its sentence, and what was seen instead.</summary>
internal sealed class InvariantException(string invariant, string seen) : Exception($"{invariant}\n{seen}")
{
    public string Invariant { get; } = invariant;

    public static void Demand(bool holds, string invariant, Func<string> seen)
    {
        if (!holds)
            throw new InvariantException(invariant, seen());
    }
}
