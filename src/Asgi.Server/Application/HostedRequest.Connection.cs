// The features of the connection under the request: addresses, lifetime, upgrade, state, and those a Get falls back to.
using System.Buffers;
using System.Net;
using Asgi.Server.Features;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Asgi.Server.Application;

internal partial class HostedRequest :
    IHttpConnectionFeature,
    IHttpRequestLifetimeFeature,
    IHttpUpgradeFeature,
    IPersistentStateFeature,
    IEndpointFeature,
    IRouteValuesFeature,
    IConnectionIdFeature,
    IConnectionItemsFeature,
    IConnectionLifetimeFeature,
    IConnectionLifetimeNotificationFeature,
    IConnectionHeartbeatFeature,
    IConnectionCompleteFeature,
    IConnectionEndPointFeature,
    IDecrementConcurrentConnectionCountFeature,
    IConnectionMetricsTagsFeature,
    IMemoryPoolFeature
{
    private string? _connectionId;
    private IPAddress? _remoteIpAddress;
    private IPAddress? _localIpAddress;
    private int? _remotePort;
    private int? _localPort;
    private CancellationToken? _requestAborted;
    private Endpoint? _endpoint;
    private RouteValueDictionary? _routeValues;
    private Dictionary<object, object?>? _persistentState;
    private bool _isUpgraded;

    public string ConnectionId
    {
        get => _connectionId ?? _exchange.Scope.Connection.Id;
        set => _connectionId = value;
    }

    IPAddress? IHttpConnectionFeature.RemoteIpAddress
    {
        get => _remoteIpAddress ?? (_exchange.Scope.Client as IPEndPoint)?.Address;
        set => _remoteIpAddress = value;
    }

    IPAddress? IHttpConnectionFeature.LocalIpAddress
    {
        get => _localIpAddress ?? (_exchange.Scope.Server as IPEndPoint)?.Address;
        set => _localIpAddress = value;
    }

    int IHttpConnectionFeature.RemotePort
    {
        get => _remotePort ?? (_exchange.Scope.Client as IPEndPoint)?.Port ?? 0;
        set => _remotePort = value;
    }

    int IHttpConnectionFeature.LocalPort
    {
        get => _localPort ?? (_exchange.Scope.Server as IPEndPoint)?.Port ?? 0;
        set => _localPort = value;
    }

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _requestAborted ?? _exchange.Disconnected;
        set => _requestAborted = value;
    }

    void IHttpRequestLifetimeFeature.Abort() => _exchange.Abort();

    bool IHttpUpgradeFeature.IsUpgradableRequest => _exchange.Stream.IsUpgradable;

    async Task<Stream> IHttpUpgradeFeature.UpgradeAsync()
    {
        if (!_exchange.Stream.IsUpgradable)
        {
            throw new InvalidOperationException(
                "Cannot upgrade a non-upgradable request. "
                + "Check IHttpUpgradeFeature.IsUpgradableRequest to determine if a request can be upgraded.");
        }

        if (_isUpgraded)
        {
            throw new InvalidOperationException(
                "IHttpUpgradeFeature.UpgradeAsync was already called and can only be called once per connection.");
        }

        DemandNotStarted();
        if (!_exchange.Stream.TryCountUpgrade())
        {
            throw new InvalidOperationException(
                "The request cannot be upgraded: as many connections are upgraded as Limits.MaxConcurrentUpgradedConnections allows.");
        }

        _isUpgraded = true;
        _statusCode = StatusCodes.Status101SwitchingProtocols;
        _reasonPhrase = null;
        _responseHeaders["Connection"] = "Upgrade";
        try
        {
            await EnsureStartedAsync().ConfigureAwait(false);
        }
        catch
        {
            _exchange.Stream.StopCountingUpgrade();
            throw;
        }

        _exchange.Upgrade();
        await _exchange.FlushAsync().ConfigureAwait(false);
        _bodyWriter.MarkCompleted();
        return new UpgradedStream(_exchange, BodyStream, this);
    }

    // Requests that share a connection at the same time cannot share a dictionary: theirs lives as long as the object that serves them.
    IDictionary<object, object?> IPersistentStateFeature.State =>
        _exchange.Scope.IsHttp2 ? _persistentState ??= [] : _exchange.Scope.Connection.PersistentState;

    Endpoint? IEndpointFeature.Endpoint
    {
        get => _endpoint;
        set => _exchange.Route = _endpoint = value;
    }

    RouteValueDictionary IRouteValuesFeature.RouteValues
    {
        get => _routeValues ??= [];
        set => _routeValues = value;
    }

    IDictionary<object, object?> IConnectionItemsFeature.Items
    {
        get => _exchange.Scope.Connection.Items;
        set => throw new NotSupportedException("The items of a connection cannot be replaced.");
    }

    CancellationToken IConnectionLifetimeNotificationFeature.ConnectionClosedRequested
    {
        get => _exchange.Scope.Connection.CloseRequested;
        set => throw new NotSupportedException("The token of a connection cannot be replaced.");
    }

    CancellationToken IConnectionLifetimeFeature.ConnectionClosed
    {
        get => _exchange.Scope.Connection.Closed;
        set => throw new NotSupportedException("The token of a connection cannot be replaced.");
    }

    void IConnectionLifetimeFeature.Abort() => _exchange.Scope.Connection.AbortLater();

    EndPoint? IConnectionEndPointFeature.RemoteEndPoint
    {
        get => _exchange.Scope.Client;
        set => throw new NotSupportedException("The address of a connection cannot be replaced.");
    }

    EndPoint? IConnectionEndPointFeature.LocalEndPoint
    {
        get => _exchange.Scope.Server;
        set => throw new NotSupportedException("The address of a connection cannot be replaced.");
    }

    void IConnectionCompleteFeature.OnCompleted(Func<object, Task> callback, object state) =>
        _exchange.Scope.Connection.OnCompleted(callback, state);

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state) =>
        _exchange.Scope.Connection.OnHeartbeat(action, state);

    void IDecrementConcurrentConnectionCountFeature.ReleaseConnection() => _exchange.Scope.Connection.StopCounting();

    // Asked for only where it is given out.
    ICollection<KeyValuePair<string, object?>> IConnectionMetricsTagsFeature.Tags => _exchange.Scope.Connection.MetricsTags!;

    void IConnectionLifetimeNotificationFeature.RequestClose() => _exchange.Stream.RequestClose();

    MemoryPool<byte> IMemoryPoolFeature.MemoryPool => MemoryPool<byte>.Shared;

    // Where middleware stands before the requests, it has all of these, and what it has set comes first.
    private object? GetConnectionFeature(Type key)
    {
        var connection = _exchange.Scope.Connection;
        if (connection.GetFeature(key) is { } feature)
        {
            return feature;
        }

        if (TlsFeatures.Get(key, connection) is { } tls)
        {
            return tls;
        }

        if (key == typeof(IProxyProtocolFeature))
        {
            return connection.ProxyHeader is { } header ? new ProxyProtocolFeature(header, connection) : null;
        }

        return IsOwnConnectionFeature(key) ? this : null;
    }

    private bool IsOwnConnectionFeature(Type key) =>
        key == typeof(IConnectionIdFeature)
        || key == typeof(IConnectionItemsFeature)
        || key == typeof(IConnectionLifetimeFeature)
        || key == typeof(IConnectionLifetimeNotificationFeature)
        || key == typeof(IConnectionHeartbeatFeature)
        || key == typeof(IConnectionCompleteFeature)
        || key == typeof(IConnectionEndPointFeature)
        || key == typeof(IMemoryPoolFeature)
        || (key == typeof(IDecrementConcurrentConnectionCountFeature) && _exchange.Scope.Connection.IsCountLimited)
        || (key == typeof(IConnectionMetricsTagsFeature) && _exchange.Scope.Connection.MetricsTags is not null);

    private void ResetConnection()
    {
        _connectionId = null;
        _remoteIpAddress = _localIpAddress = null;
        _remotePort = _localPort = null;
        _requestAborted = null;
        _endpoint = null;
        _routeValues = null;
        _isUpgraded = false;
    }
}
