// All connections of a server, by loop: who is there, and how they are told to stop. Accepts on loop threads; the rest on the host's.
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class ConnectionRegistry : IConnectionAcceptor
{
    private readonly Dictionary<Loop, LinkedList<Connection>> _byLoop = [];
    private readonly Func<Connection, ConnectionDriver> _createDriver;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;
    private bool _isStopping;

    public ConnectionRegistry(
        ReadOnlySpan<Loop> loops, ConnectionLimits limits, ServerLog log, Func<Connection, ConnectionDriver> createDriver)
    {
        Limits = limits;
        Log = log;
        _createDriver = createDriver;
        foreach (var loop in loops)
        {
            _byLoop.Add(loop, []);
        }
    }

    public ConnectionLimits Limits { get; }

    public ServerLog Log { get; }

    public int Count => Volatile.Read(ref _count);

    public void Accept(Loop loop, Transport transport)
    {
        var connection = new Connection(loop, transport, this);
        Interlocked.Increment(ref _count);
        connection.Node = List(loop).AddLast(connection);
        connection.Start(_createDriver(connection));
        if (Volatile.Read(ref _isStopping))
        {
            connection.ShutDown();
        }
    }

    public void Remove(Connection connection)
    {
        List(connection.Loop).Remove(connection.Node!);
        if (Interlocked.Decrement(ref _count) == 0 && Volatile.Read(ref _isStopping))
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>Lets every connection finish what is in flight; done when the last is gone. The listeners are closed before.</summary>
    public Task ShutDownAsync(ReadOnlySpan<Loop> loops)
    {
        Volatile.Write(ref _isStopping, true);
        foreach (var loop in loops)
        {
            loop.Post(new ForEach(List(loop), static connection => connection.ShutDown()));
        }

        Interlocked.MemoryBarrier();
        if (Count == 0)
        {
            _drained.TrySetResult();
        }

        return _drained.Task;
    }

    /// <summary>Breaks every connection that is left.</summary>
    public void AbortAll(ReadOnlySpan<Loop> loops)
    {
        foreach (var loop in loops)
        {
            loop.Post(new ForEach(List(loop), static connection => connection.Abort()));
        }
    }

    private LinkedList<Connection> List(Loop loop) => _byLoop[loop];

    private sealed class ForEach(LinkedList<Connection> connections, Action<Connection> action) : WorkItem
    {
        public override void Run()
        {
            for (var node = connections.First; node is not null;)
            {
                var next = node.Next;
                action(node.Value);
                node = next;
            }
        }
    }
}
