// A table in Markdown, its columns aligned so that a terminal shows it as well; and what figures of several rounds come to.

using System.Globalization;
using System.Text;

namespace Scale;

internal sealed class Table(params string[] header)
{
    private readonly List<string[]> _rows = [header];

    public void Add(params string[] row) => _rows.Add(row);

    public override string ToString()
    {
        int[] widths = [.. header.Select((_, column) => _rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        for (int i = 0; i < _rows.Count; i++)
        {
            text.Append('|');
            for (int column = 0; column < widths.Length; column++)
                text.Append(' ').Append(column == 0 ? _rows[i][column].PadRight(widths[column]) : _rows[i][column].PadLeft(widths[column]))
                    .Append(" |");
            text.AppendLine();
            if (i == 0)
                text.AppendLine($"|{string.Join('|', widths.Select((width, column) => Rule(width, column == 0)))}|");
        }
        return text.ToString();
    }

    public static string Number(double value, int digits = 0) =>
        double.IsFinite(value) ? value.ToString($"N{digits}", CultureInfo.InvariantCulture)
        : double.IsNaN(value) ? "-"
        : "∞";

    /// <summary>The median, and the least and greatest where there are several; a dash without any.</summary>
    public static string Spread(IReadOnlyCollection<double> values, int digits) =>
        values.Count <= 1
            ? Number(Median(values), digits)
            : $"{Number(Median(values), digits)} ({Number(values.Min(), digits)}-{Number(values.Max(), digits)})";

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0 ? double.NaN
            : sorted.Length % 2 == 1 ? sorted[middle]
            : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static string Rule(int width, bool isFirst) => isFirst ? new string('-', width + 2) : new string('-', width + 1) + ":";
}
