// What applications may know and hear of a connection. Any thread.
using System.Collections.Concurrent;
using System.Net;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed partial class Connection : IConnectionInfo, IConnectionEndPoints
{
    private ConnectionToken? _closed;
    private ConnectionToken? _closeRequested;
    private ConnectionHeartbeat? _heartbeat;
    private EndPoint? _remoteEndPoint;
    private EndPoint? _localEndPoint;
    private ConcurrentDictionary<object, object?>? _items;

    public EndPoint? RemoteEndPoint => _remoteEndPoint ??= Transport.RemoteEndPoint;

    public EndPoint? LocalEndPoint => _localEndPoint ??= Transport.LocalEndPoint;

    public IDictionary<object, object?> Items => _items ??= new ConcurrentDictionary<object, object?>();

    public ICollection<KeyValuePair<string, object?>>? MetricsTags => Record.Tags;

    public CancellationToken Closed => GetToken(ref _closed, static connection => connection.State == ConnectionState.Closed);

    public CancellationToken CloseRequested => GetToken(ref _closeRequested, static connection => connection._isCloseRequested);

    public void OnHeartbeat(Action<object> action, object state)
    {
        if (_heartbeat is null)
        {
            Interlocked.CompareExchange(ref _heartbeat, new ConnectionHeartbeat(this), null);
        }

        _heartbeat.Add(action, state);
    }

    public void AbortLater() => Loop.Post(new AbortWork(this));

    private CancellationToken GetToken(ref ConnectionToken? token, Func<Connection, bool> hasHappened)
    {
        if (token is null)
        {
            Interlocked.CompareExchange(ref token, new ConnectionToken(this, hasHappened), null);
        }

        return token.Token;
    }

    private sealed class AbortWork(Connection connection) : WorkItem
    {
        public override void Run() => connection.Abort(ConnectionEndReason.AbortedByApp);
    }
}
