// Counts the runs of a comparison and tells when it will be over: the seconds of load that are left, stretched as those that are
// gone were by starts and stops.

using System.Diagnostics;
using System.Globalization;

namespace Compare;

internal sealed class Progress(int runs, int secondsOfLoad)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _runs = runs;
    private int _left = secondsOfLoad;
    private int _spent;
    private int _done;

    public void Spend(int seconds)
    {
        _spent += seconds;
        _left -= seconds;
    }

    /// <summary>Takes runs that will not be off the plan.</summary>
    public void Skip(int runs, int seconds)
    {
        _runs -= runs;
        _left -= seconds;
    }

    public string Next()
    {
        _done++;
        var left = _clock.Elapsed * (_left / (double)_spent);
        return string.Create(CultureInfo.InvariantCulture, $"[{_done} of {_runs}, {Math.Ceiling(left.TotalMinutes):N0} min left]");
    }
}
