// What runs on the bytes of a connection, before HTTP or instead of it: connection middleware. Implemented in Application/, called by
// Connections/ from the ready list; the connection it is given is for any thread.
using System.IO.Pipelines;
using System.Net;

namespace Asgi;

internal interface IPipedApplication
{
    /// <summary>Has the connection until the task completes: then what was written is sent, and the connection ended.</summary>
    Task RunAsync(IPipedConnection connection);
}

/// <summary>A connection as two streams of bytes.</summary>
internal interface IPipedConnection : IConnectionInfo
{
    /// <summary>
    /// What the client sends and what is sent to it. Both ways are bounded: a client is not read from while what it has sent waits, and a
    /// flush waits while it does not read. An input that ends early throws what ended it.
    /// </summary>
    IDuplexPipe Pipe { get; }

    /// <summary>Breaks the connection; readers get <paramref name="reason"/>.</summary>
    void Abort(Exception reason);

    /// <summary>Asks the connection to end as soon as what is in flight is done.</summary>
    void RequestClose();

    /// <summary>
    /// Runs HTTP, once. Completes when the last request is over, whatever ended it; both sides of the pipe are then completed.
    /// </summary>
    /// <exception cref="InvalidOperationException">It ran before.</exception>
    Task ServeHttpAsync(HttpOverPipe over);
}

/// <summary>What HTTP runs on, as middleware has left it.</summary>
/// <param name="Pipe">The connection's own pipe, or one in its place.</param>
/// <param name="Id">The connection's.</param>
/// <param name="RemoteEndPoint">The client's address.</param>
/// <param name="LocalEndPoint">The address it connected to.</param>
/// <param name="Scheme">http or https.</param>
/// <param name="GetFeature">What middleware has set. Any thread.</param>
internal sealed record HttpOverPipe(
    IDuplexPipe Pipe,
    string Id,
    EndPoint? RemoteEndPoint,
    EndPoint? LocalEndPoint,
    string Scheme,
    Func<Type, object?> GetFeature);
