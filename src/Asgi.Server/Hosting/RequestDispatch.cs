// Where requests run: an option of the server.
namespace Asgi.Server;

/// <summary>Where application code starts to run.</summary>
public enum RequestDispatch
{
    /// <summary>
    /// On the event loop of the connection, without a hop. A loop that application code holds up goes on with another thread, and requests
    /// of a route that has done so start on threads beside the loops.
    /// </summary>
    Adaptive,

    /// <summary>
    /// On the event loop of the connection, and nothing watches it: for applications that never block. What blocks holds up all connections
    /// of its loop; only synchronous reads and writes of content give the loop away before they wait.
    /// </summary>
    Inline,

    /// <summary>On the runtime's thread pool, as with Kestrel: every call into application code is queued to it.</summary>
    ThreadPool,
}
