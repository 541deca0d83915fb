// Whether a cost grows faster than by a straight line.

namespace Scale;

internal static class Growth
{
    /// <summary>The last step may cost so many times what the steps before it did, by the unit.</summary>
    public const double WorseMin = 2;

    // A smaller step is not told from the machine's moods.
    private const double NoiseShare = 0.1;

    /// <summary>The cost of one more unit, step by step: one less than there are points.</summary>
    /// <param name="points">Units and what they cost, ascending by units.</param>
    public static double[] Marginals(IReadOnlyList<(double Units, double Cost)> points) =>
        [.. points.Zip(points.Skip(1), (from, to) => (to.Cost - from.Cost) / (to.Units - from.Units))];

    /// <summary>
    /// Whether the last step costs more than twice the median of the steps before it by the unit, and over a tenth of the cost as well.
    /// What got cheaper in the middle is no licence: a median below zero counts as zero.
    /// </summary>
    /// <param name="points">Units and what they cost, ascending by units.</param>
    public static bool IsWorseThanLinear(IReadOnlyList<(double Units, double Cost)> points)
    {
        double[] marginals = Marginals(points);
        if (marginals.Length < 2)
            return false;
        double allowed = WorseMin * Math.Max(0, Table.Median(marginals[..^1]));
        return marginals[^1] > allowed && points[^1].Cost - points[^2].Cost > NoiseShare * points[^2].Cost;
    }
}
