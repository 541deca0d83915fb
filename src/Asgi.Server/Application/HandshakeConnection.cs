// A connection as callbacks of its TLS handshake see it: ASP.NET's ConnectionContext, without bytes, which are the handshake's. Made for
// each call; where application code runs.
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

internal sealed class HandshakeConnection :
    ConnectionContext,
    IConnectionIdFeature,
    IConnectionItemsFeature,
    IConnectionEndPointFeature,
    IConnectionLifetimeFeature
{
    private readonly IConnectionInfo _connection;
    private CancellationToken? _closed;

    public HandshakeConnection(IConnectionInfo connection)
    {
        _connection = connection;
        ConnectionId = connection.Id;
        RemoteEndPoint = connection.RemoteEndPoint;
        LocalEndPoint = connection.LocalEndPoint;
        Features = new FeatureCollection(new FeaturesBelow(connection));
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        if (connection.Tls is { } tls)
        {
            Features.Set(tls.Stream);
        }
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; }

    public override IDictionary<object, object?> Items
    {
        get => field ?? _connection.Items;
        set;
    }

    public override IDuplexPipe Transport
    {
        get => throw new NotSupportedException("The bytes of the connection are those of its TLS handshake.");
        set => throw new NotSupportedException("The bytes of the connection are those of its TLS handshake.");
    }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override CancellationToken ConnectionClosed
    {
        get => _closed ?? _connection.Closed;
        set => _closed = value;
    }

    public override void Abort() => _connection.AbortLater();

    public override void Abort(ConnectionAbortedException abortReason) => _connection.AbortLater();
}
