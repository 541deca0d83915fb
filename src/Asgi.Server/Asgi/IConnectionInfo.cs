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
}
