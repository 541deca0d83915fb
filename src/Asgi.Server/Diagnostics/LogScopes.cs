// The scope that log lines of application code stand in: the connection's id, outside Hosting's RequestId and RequestPath. Made once per
// connection, when its first request starts, and only where a provider wants scopes. Any thread.
using System.Collections;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Diagnostics;

internal static class LogScopes
{
    /// <summary>
    /// What must flow on a thread for the scope to be seen there; null where no provider keeps scopes. They are kept in the execution
    /// context, so whoever keeps one has changed it: asking costs nothing else, and knows nothing of providers.
    /// </summary>
    public static ExecutionContext? Create(ILogger logger, IConnectionEndPoints connection)
    {
        if (!logger.IsEnabled(LogLevel.Critical))
        {
            return null;
        }

        var before = ExecutionContext.Capture();
        using var scope = logger.BeginScope(new ConnectionScope(connection.Id));
        var within = ExecutionContext.Capture();
        return within == before ? null : within;
    }

    /// <summary>As a list for providers that write fields, as text for those that write lines.</summary>
    private sealed class ConnectionScope(string connectionId) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => 1;

        public KeyValuePair<string, object?> this[int index] => index == 0
            ? new KeyValuePair<string, object?>("ConnectionId", connectionId)
            : throw new ArgumentOutOfRangeException(nameof(index));

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            yield return this[0];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => $"ConnectionId:{connectionId}";
    }
}
