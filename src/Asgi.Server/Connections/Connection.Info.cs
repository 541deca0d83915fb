// What applications may know and hear of a connection. Any thread.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Asgi.Server.Protocols.ProxyProtocol;
using Microsoft.AspNetCore.Connections.Features;

namespace Asgi.Server.Connections;

internal sealed partial class Connection : IConnectionInfo, IConnectionEndPoints
{
    private ConnectionToken? _closed;
    private ConnectionToken? _closeRequested;
    private ConnectionHeartbeat? _heartbeat;
    private ConnectionCompletion? _completion;
    private EndPoint? _remoteEndPoint;
    private EndPoint? _localEndPoint;
    private bool _areEndPointsTold;
    private ConcurrentDictionary<object, object?>? _items;
    private Dictionary<object, object?>? _persistentState;

    public EndPoint? RemoteEndPoint => _areEndPointsTold ? _remoteEndPoint : _remoteEndPoint ??= Transport.RemoteEndPoint;

    public EndPoint? LocalEndPoint => _areEndPointsTold ? _localEndPoint : _localEndPoint ??= Transport.LocalEndPoint;

    public EndPoint? TransportRemoteEndPoint => _below?.Connection.TransportRemoteEndPoint ?? Transport.RemoteEndPoint;

    public EndPoint? TransportLocalEndPoint =>
        _below?.Connection.TransportLocalEndPoint ?? (_areEndPointsTold ? Transport.LocalEndPoint : LocalEndPoint);

    public ProxyHeader? ProxyHeader
    {
        get => _below?.Connection.ProxyHeader ?? field;
        set;
    }

    public ITlsInfo? Tls
    {
        get => field ?? _below?.Connection.Tls;
        set;
    }

    /// <summary>Whether the connection was asked to end. Any thread.</summary>
    public bool IsCloseRequested => _isCloseRequested;

    public string Scheme => Tls is not null ? "https" : _below?.Scheme ?? "http";

    public bool HasFeatures => _below is not null;

    public IDictionary<object, object?> Items
    {
        get
        {
            if (_items is null)
            {
                Interlocked.CompareExchange(ref _items, new ConcurrentDictionary<object, object?>(), null);
            }

            return _items;
        }
    }

    public IDictionary<object, object?> PersistentState => _persistentState ??= [];

    public ICollection<KeyValuePair<string, object?>>? MetricsTags => Record.Tags;

    public CancellationToken Closed => GetToken(ref _closed, static connection => connection.State == ConnectionState.Closed);

    public CancellationToken CloseRequested => GetToken(ref _closeRequested, static connection => connection._isCloseRequested);

    /// <summary>Others than the transport's own are the ends of the connection: somebody who is trusted has said so. Loop thread.</summary>
    public void SetEndPoints(EndPoint? remote, EndPoint? local)
    {
        (_remoteEndPoint, _localEndPoint) = (remote, local);
        _areEndPointsTold = true;
    }

    public object? GetFeature(Type key)
    {
        if (_below is { } below)
        {
            return below.GetFeature(key);
        }

        return key == typeof(IConnectionSocketFeature) && Transport.Socket is { } socket ? new ConnectionSocketFeature(socket) : null;
    }

    public void OnCompleted(Func<object, Task> callback, object state)
    {
        if (_completion is null)
        {
            Interlocked.CompareExchange(ref _completion, new ConnectionCompletion(this), null);
        }

        _completion.Add(callback, state);
    }

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

    private sealed class ConnectionSocketFeature(Socket socket) : IConnectionSocketFeature
    {
        public Socket Socket => socket;
    }

    private sealed class AbortWork(Connection connection) : WorkItem
    {
        public override void Run() => connection.Abort(ConnectionEndReason.AbortedByApp);
    }
}
