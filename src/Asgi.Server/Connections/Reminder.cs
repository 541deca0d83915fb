// Tells whether an operator is to be told again of what strangers can bring about: they must not fill the log, and a server that is set up
// wrongly must not go unnoticed. Any thread.
namespace Asgi.Server.Connections;

internal sealed class Reminder
{
    /// <summary>Time between two messages.</summary>
    public const int TellMilliseconds = 60_000;

    private long _toldMilliseconds = long.MinValue / 2;

    /// <summary>Whether now is the time to tell; if so, it is not for a while.</summary>
    public bool TryTell(long nowMilliseconds)
    {
        var told = Volatile.Read(ref _toldMilliseconds);
        return nowMilliseconds - told >= TellMilliseconds
            && Interlocked.CompareExchange(ref _toldMilliseconds, nowMilliseconds, told) == told;
    }
}
