// What an application may know of the connection its requests come on. Implemented in Connections/; any thread.
using System.Net;

namespace Asgi;

internal interface IConnectionInfo
{
    string Id { get; }

    EndPoint? RemoteEndPoint { get; }

    EndPoint? LocalEndPoint { get; }

    /// <summary>What applications keep as long as the connection lives.</summary>
    IDictionary<object, object?> Items { get; }

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

    /// <summary>Breaks the connection.</summary>
    void AbortLater();
}
