// The event source: what dotnet-counters, dotnet-trace and PerfView see of all servers of the process. Ids and names as those of Kestrel's
// source where the event is the same. Any thread. Counts of connections are always kept, so that a listener that comes late finds them
// right; requests are counted only while somebody listens.
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;
using System.Net.Security;
using System.Security.Authentication;

namespace Asgi.Server.Diagnostics;

[EventSource(Name = SourceName)]
internal sealed partial class ServerEvents : EventSource
{
    public const string SourceName = "Asgi-Server";

    /// <summary>The source of all servers of this process.</summary>
    public static readonly ServerEvents Log = new();

    private long _totalConnections;
    private long _currentConnections;
    private long _queuedConnections;
    private long _upgradedRequests;
    private long _totalRequests;
    private long _currentRequests;
    private long _handOffs;
    private long _totalHandshakes;
    private long _currentHandshakes;
    private long _failedHandshakes;

    private ServerEvents()
    {
    }

    /// <summary>A source of its own, for tests: others of the process must not be heard.</summary>
    internal ServerEvents(string name)
        : base(name)
    {
    }

    [NonEvent]
    public void ConnectionStarted(IConnectionEndPoints connection)
    {
        Interlocked.Increment(ref _totalConnections);
        Interlocked.Increment(ref _currentConnections);
        if (IsEnabled(EventLevel.Informational, EventKeywords.None))
        {
            ConnectionStart(
                connection.Id, connection.LocalEndPoint?.ToString() ?? "", connection.RemoteEndPoint?.ToString() ?? "");
        }
    }

    [NonEvent]
    public void ConnectionStopped(IConnectionEndPoints connection)
    {
        Interlocked.Decrement(ref _currentConnections);
        if (IsEnabled(EventLevel.Informational, EventKeywords.None))
        {
            ConnectionStop(connection.Id);
        }
    }

    [NonEvent]
    public void Rejected(string connectionId)
    {
        if (IsEnabled(EventLevel.Informational, EventKeywords.None))
        {
            ConnectionRejected(connectionId);
        }
    }

    [NonEvent]
    public void ConnectionQueued() => Interlocked.Increment(ref _queuedConnections);

    [NonEvent]
    public void ConnectionDequeued() => Interlocked.Decrement(ref _queuedConnections);

    [NonEvent]
    public void Upgraded() => Interlocked.Increment(ref _upgradedRequests);

    [NonEvent]
    public void UpgradeEnded() => Interlocked.Decrement(ref _upgradedRequests);

    [NonEvent]
    public void HandedOff() => Interlocked.Increment(ref _handOffs);

    /// <summary>A request begins; only while enabled, and then <see cref="RequestEnded"/> follows whether it still is or not.</summary>
    [NonEvent]
    public void RequestStarted(string connectionId, string requestId, string httpVersion, string path, string method)
    {
        Interlocked.Increment(ref _totalRequests);
        Interlocked.Increment(ref _currentRequests);
        RequestStart(connectionId, requestId, httpVersion, path, method);
    }

    [NonEvent]
    public void RequestEnded(string connectionId, string requestId, string httpVersion, string path, string method)
    {
        Interlocked.Decrement(ref _currentRequests);
        RequestStop(connectionId, requestId, httpVersion, path, method);
    }

    [NonEvent]
    public void HandshakeStarted(IConnectionEndPoints connection)
    {
        Interlocked.Increment(ref _currentHandshakes);
        if (IsEnabled(EventLevel.Informational, EventKeywords.None))
        {
            TlsHandshakeStart(connection.Id, "");
        }
    }

    [NonEvent]
    public void HandshakeEnded(
        IConnectionEndPoints connection, SslProtocols version, SslApplicationProtocol applicationProtocol, string hostName)
    {
        Interlocked.Decrement(ref _currentHandshakes);
        Interlocked.Increment(ref _totalHandshakes);
        if (IsEnabled(EventLevel.Informational, EventKeywords.None))
        {
            TlsHandshakeStop(connection.Id, version.ToString(), applicationProtocol.ToString(), hostName);
        }
    }

    /// <summary>It is not among those that were made.</summary>
    [NonEvent]
    public void HandshakeFailed(IConnectionEndPoints connection)
    {
        Interlocked.Decrement(ref _currentHandshakes);
        Interlocked.Increment(ref _failedHandshakes);
        if (IsEnabled(EventLevel.Informational, EventKeywords.None))
        {
            TlsHandshakeFailed(connection.Id);
            TlsHandshakeStop(connection.Id, "", "", "");
        }
    }

    /// <summary>No handshake was asked for.</summary>
    [NonEvent]
    public void HandshakeAbandoned() => Interlocked.Decrement(ref _currentHandshakes);

    [Event(1, Level = EventLevel.Informational)]
    private void ConnectionStart(string connectionId, string localEndPoint, string remoteEndPoint) =>
        WriteEvent(1, connectionId, localEndPoint, remoteEndPoint);

    [Event(2, Level = EventLevel.Informational)]
    private void ConnectionStop(string connectionId) => WriteEvent(2, connectionId);

    [Event(3, Level = EventLevel.Informational)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Strings need no reflection.")]
    private void RequestStart(string connectionId, string requestId, string httpVersion, string path, string method) =>
        WriteEvent(3, connectionId, requestId, httpVersion, path, method);

    [Event(4, Level = EventLevel.Informational)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Strings need no reflection.")]
    private void RequestStop(string connectionId, string requestId, string httpVersion, string path, string method) =>
        WriteEvent(4, connectionId, requestId, httpVersion, path, method);

    [Event(5, Level = EventLevel.Informational)]
    private void ConnectionRejected(string connectionId) => WriteEvent(5, connectionId);

    [Event(8, Level = EventLevel.Informational)]
    private void TlsHandshakeStart(string connectionId, string sslProtocols) => WriteEvent(8, connectionId, sslProtocols);

    [Event(9, Level = EventLevel.Informational)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Strings need no reflection.")]
    private void TlsHandshakeStop(string connectionId, string sslProtocols, string applicationProtocol, string hostName) =>
        WriteEvent(9, connectionId, sslProtocols, applicationProtocol, hostName);

    [Event(10, Level = EventLevel.Error)]
    private void TlsHandshakeFailed(string connectionId) => WriteEvent(10, connectionId);
}
