// A connection as connection middleware sees it: ASP.NET's ConnectionContext over the connection's pipe. Its features are also those that
// requests find behind their own. Made for each connection of an endpoint with middleware; used on any thread.
using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Asgi.Server.Features;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Asgi.Server.Application;

internal sealed class MiddlewareConnection :
    ConnectionContext,
    IConnectionIdFeature,
    IConnectionItemsFeature,
    IConnectionTransportFeature,
    IConnectionEndPointFeature,
    IConnectionLifetimeFeature,
    IConnectionLifetimeNotificationFeature,
    IConnectionHeartbeatFeature,
    IConnectionCompleteFeature,
    IDecrementConcurrentConnectionCountFeature,
    IConnectionMetricsTagsFeature,
    IMemoryPoolFeature
{
    private readonly IPipedConnection _connection;
    private CancellationToken? _connectionClosed;
    private CancellationToken? _closeRequested;

    public MiddlewareConnection(IPipedConnection connection)
    {
        _connection = connection;
        ConnectionId = connection.Id;
        Features = new FeatureCollection(new FeaturesBelow(connection));
        Transport = connection.Pipe;
        RemoteEndPoint = connection.RemoteEndPoint;
        LocalEndPoint = connection.LocalEndPoint;
        Features.Set(connection);
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionLifetimeNotificationFeature>(this);
        Features.Set<IConnectionHeartbeatFeature>(this);
        Features.Set<IConnectionCompleteFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
        if (connection.IsCountLimited)
        {
            Features.Set<IDecrementConcurrentConnectionCountFeature>(this);
        }

        if (connection.MetricsTags is not null)
        {
            Features.Set<IConnectionMetricsTagsFeature>(this);
        }

        if (connection.Tls is { } tls)
        {
            TlsFeatures.Set(Features, tls);
        }

        if (connection.ProxyHeader is { } header)
        {
            Features.Set<IProxyProtocolFeature>(new ProxyProtocolFeature(header, connection));
        }
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; }

    public override IDictionary<object, object?> Items
    {
        get => field ?? _connection.Items;
        set;
    }

    public override IDuplexPipe Transport { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override CancellationToken ConnectionClosed
    {
        get => _connectionClosed ?? _connection.Closed;
        set => _connectionClosed = value;
    }

    CancellationToken IConnectionLifetimeNotificationFeature.ConnectionClosedRequested
    {
        get => _closeRequested ?? _connection.CloseRequested;
        set => _closeRequested = value;
    }

    ICollection<KeyValuePair<string, object?>> IConnectionMetricsTagsFeature.Tags => _connection.MetricsTags!;

    MemoryPool<byte> IMemoryPoolFeature.MemoryPool => MemoryPool<byte>.Shared;

    public override void Abort() => Abort(new ConnectionAbortedException("The application has aborted the connection."));

    public override void Abort(ConnectionAbortedException abortReason) => _connection.Abort(abortReason);

    void IConnectionLifetimeNotificationFeature.RequestClose() => _connection.RequestClose();

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state) => _connection.OnHeartbeat(action, state);

    void IConnectionCompleteFeature.OnCompleted(Func<object, Task> callback, object state) => _connection.OnCompleted(callback, state);

    void IDecrementConcurrentConnectionCountFeature.ReleaseConnection() => _connection.StopCounting();
}
