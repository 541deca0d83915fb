// What /proc tells of a process and its children: CPU time and resident memory. A server with workers counts as a whole.

using System.Globalization;

namespace Compare;

internal static class ProcessTree
{
    private const double TicksPerSecond = 100; // USER_HZ, which /proc has counted by on every Linux

    /// <summary>User and system time of the process and its children so far, in hundredths of a second.</summary>
    public static TimeSpan CpuTime(int id) => Of(id).Aggregate(TimeSpan.Zero, (sum, process) => sum + OwnCpuTime(process));

    /// <summary>Resident memory of the process and its children, in octets.</summary>
    public static long ResidentBytes(int id) =>
        Of(id).Sum(process => long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture))
        * Environment.SystemPageSize;

    private static IEnumerable<int> Of(int id)
    {
        yield return id;
        string[] children = File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (string child in children)
            foreach (int descendant in Of(int.Parse(child, CultureInfo.InvariantCulture)))
                yield return descendant;
    }

    // proc(5): the name, in brackets, may hold anything; utime and stime are the 14th and 15th fields, the name being the 2nd.
    private static TimeSpan OwnCpuTime(int id)
    {
        string stat = File.ReadAllText($"/proc/{id}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        long ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return TimeSpan.FromSeconds(ticks / TicksPerSecond);
    }
}
