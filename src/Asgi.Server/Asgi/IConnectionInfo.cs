// What an application may know of the connection its requests come on. Implemented in Connections/; any thread.
using System.Net;
using Asgi.Server.Protocols.ProxyProtocol;

namespace Asgi;

internal interface IConnectionInfo
{
    string Id { get; }

    EndPoint? RemoteEndPoint { get; }

    EndPoint? LocalEndPoint { get; }

    /// <summary>The peer of the transport: the proxy, where one has told of another client.</summary>
    EndPoint? TransportRemoteEndPoint { get; }

    /// <summary>The end of the transport that is this server's own.</summary>
    EndPoint? TransportLocalEndPoint { get; }

    /// <summary>What a proxy has said of the connection; null where none was to say anything.</summary>
    ProxyHeader? ProxyHeader { get; }

    /// <summary>What is known of the connection's TLS; null without it.</summary>
    ITlsInfo? Tls { get; }

    /// <summary>
    /// Whether middleware stands before the connection's requests, so that anything may be found by <see cref="GetFeature"/>.
    /// </summary>
    bool HasFeatures { get; }

    /// <summary>What is known of the connection under a type, of which others here are not a part; null where there is nothing.</summary>
    object? GetFeature(Type key);

    /// <summary>What applications keep as long as the connection lives.</summary>
    IDictionary<object, object?> Items { get; }

    /// <summary>What the requests of the connection hand on to those after them. The application's, one request at a time.</summary>
    IDictionary<object, object?> PersistentState { get; }

    /// <summary>Tags of the application's for the measured duration of the connection; null when nobody measures it.</summary>
    ICollection<KeyValuePair<string, object?>>? MetricsTags { get; }

    /// <summary>Cancelled when the connection is closed.</summary>
    CancellationToken Closed { get; }

    /// <summary>Cancelled when the connection is asked to close: the server stops, or the connection is old.</summary>
    CancellationToken CloseRequested { get; }

    /// <summary>Whether the number of open connections is limited.</summary>
    bool IsCountLimited { get; }

    /// <summary>The connection no longer counts to that limit. Idempotent.</summary>
    void StopCounting();

    /// <summary>Has a callback called every second as long as the connection lives, as application code.</summary>
    void OnHeartbeat(Action<object> action, object state);

    /// <summary>Has a callback called when the connection is over, last added first, as application code.</summary>
    /// <exception cref="InvalidOperationException">The connection is over.</exception>
    void OnCompleted(Func<object, Task> callback, object state);

    /// <summary>Breaks the connection.</summary>
    void AbortLater();
}
