// Everything that watches a server, in one place: log, meter, event source, access log, bad requests. One per server, made by Hosting; any
// thread.
using System.Net;

namespace Asgi.Server.Diagnostics;

/// <summary>Who wants to know of a request; asked once when it begins, so that who hears of its beginning hears of its end.</summary>
[Flags]
internal enum RequestObservers
{
    None = 0,
    Meter = 1,
    Events = 2,
    AccessLog = 4,
}

/// <summary>Is told of heads that were refused: they never become a request that the application's side could tell of.</summary>
internal interface IBadRequestEvents
{
    void HeadRefused(string connectionId, IConnectionEndPoints endPoints, int status, string reason);
}

internal sealed class ServerDiagnostics(ServerLog log, ServerMetrics metrics, ServerEvents events, TimeProvider time)
{
    public ServerLog Log => log;

    public ServerMetrics Metrics => metrics;

    public ServerEvents Events => events;

    /// <summary>What durations are measured by.</summary>
    public TimeProvider Time => time;

    /// <summary>Whether each response gets a line in the log.</summary>
    public bool LogsAccess { get; init; }

    public IBadRequestEvents? BadRequests { get; init; }

    /// <summary>Who wants to know of a request that begins now. Nobody, usually: this is on the way of each.</summary>
    public RequestObservers RequestObservers =>
        (metrics.ActiveRequests.Enabled ? RequestObservers.Meter : 0)
        | (events.IsEnabled() ? RequestObservers.Events : 0)
        | (LogsAccess && log.LogsAccess ? RequestObservers.AccessLog : 0);

    public void HandedOff()
    {
        metrics.HandedOff();
        events.HandedOff();
    }

    /// <summary>A connection that is to have TLS was accepted. Its end is told to what is returned.</summary>
    public HandshakeObservation HandshakeStarted(IConnectionEndPoints connection) => new(this, connection);

    public void ConnectionRejected(string connectionId, EndPoint? local)
    {
        log.ConnectionRejected(connectionId);
        events.Rejected(connectionId);
        metrics.ConnectionRejected(local);
    }

    /// <summary>Counts a connection that waits for its loop.</summary>
    /// <returns>Whether <see cref="ConnectionDequeued"/> is to be told.</returns>
    public bool ConnectionQueued(EndPoint? local)
    {
        events.ConnectionQueued();
        if (!metrics.QueuedConnections.Enabled)
        {
            return false;
        }

        metrics.QueuedConnections.Add(1, EndPointTags.Of(local));
        return true;
    }

    /// <param name="local">Where it was accepted.</param>
    /// <param name="isCounted">What <see cref="ConnectionQueued"/> has answered.</param>
    public void ConnectionDequeued(EndPoint? local, bool isCounted)
    {
        events.ConnectionDequeued();
        if (isCounted)
        {
            metrics.QueuedConnections.Add(-1, EndPointTags.Of(local));
        }
    }
}
