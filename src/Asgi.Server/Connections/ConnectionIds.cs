// Names of connections for logs and trace identifiers. Any thread.
namespace Asgi.Server.Connections;

internal static class ConnectionIds
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

    // Starts at the clock, so that ids of two runs of a server do not repeat in one log.
    private static long s_last = TimeProvider.System.GetUtcNow().Ticks;

    public static long Next() => Interlocked.Increment(ref s_last);

    /// <summary>13 characters, base 32, as Kestrel's.</summary>
    public static string Format(long number) => string.Create(13, number, static (text, id) =>
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Digits[(int)(id & 31)];
            id >>= 5;
        }
    });
}
