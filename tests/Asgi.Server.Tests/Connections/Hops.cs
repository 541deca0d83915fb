// Where an application leaves its loop in a test: what it awaits is completed on another thread, when the test says so.

using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

internal sealed class Hops
{
    private readonly Queue<TaskCompletionSource> _waiting = new();

    public Task Next()
    {
        var hop = new TaskCompletionSource();
        lock (_waiting)
        {
            _waiting.Enqueue(hop);
        }

        return hop.Task;
    }

    /// <summary>Runs the server and what hops, in turns, until both have nothing to do.</summary>
    public void RunAll(SimulatedServer server)
    {
        server.Run();
        while (Take() is { } hop)
        {
            SimulatedServer.OffLoop(hop.SetResult);
            server.Run();
        }
    }

    private TaskCompletionSource? Take()
    {
        lock (_waiting)
        {
            return _waiting.TryDequeue(out var hop) ? hop : null;
        }
    }
}
