// All connections of a server, by loop: who is there, and how they are told to stop. They come and go on their loops; the rest is for the
// host's threads.
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class ConnectionRegistry
{
    private readonly Dictionary<Loop, ConnectionList> _byLoop = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;
    private bool _isStopping;

    public ConnectionRegistry(ReadOnlySpan<Loop> loops, ApplicationDispatch dispatch, ServerDiagnostics diagnostics)
    {
        Dispatch = dispatch;
        Diagnostics = diagnostics;
        foreach (var loop in loops)
        {
            _byLoop.Add(loop, new ConnectionList());
        }
    }

    public ApplicationDispatch Dispatch { get; }

    public ServerDiagnostics Diagnostics { get; }

    public ServerLog Log => Diagnostics.Log;

    /// <summary>When an operator was last told that TLS comes to a port that has none. Any thread.</summary>
    public Reminder TlsReminder { get; } = new();

    public int Count => Volatile.Read(ref _count);

    /// <summary>Any thread.</summary>
    public bool IsStopping => Volatile.Read(ref _isStopping);

    /// <summary>Starts a connection on the thread of its loop.</summary>
    public void Add(Connection connection, ConnectionDriver driver)
    {
        Interlocked.Increment(ref _count);
        List(connection.Loop).Add(connection);
        connection.Start(driver);
        if (IsStopping)
        {
            connection.ShutDown(ConnectionEndReason.GracefulShutdown);
        }
    }

    public void Remove(Connection connection)
    {
        List(connection.Loop).Remove(connection);
        if (Interlocked.Decrement(ref _count) == 0 && IsStopping)
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
            loop.Post(new ForEach(List(loop), static connection => connection.ShutDown(ConnectionEndReason.GracefulShutdown)));
        }

        Interlocked.MemoryBarrier();
        if (Count == 0)
        {
            _drained.TrySetResult();
        }

        return _drained.Task;
    }

    /// <summary>
    /// Lets the connections of an acceptor finish what is in flight, and breaks those that are left after a time. Its listeners are closed
    /// before.
    /// </summary>
    public void End(ReadOnlySpan<Loop> loops, IConnectionAcceptor acceptor, int graceMilliseconds)
    {
        foreach (var loop in loops)
        {
            loop.Post(new EndOfEndpoint(loop, List(loop), acceptor, graceMilliseconds));
        }
    }

    /// <summary>Breaks every connection that is left.</summary>
    public void AbortAll(ReadOnlySpan<Loop> loops)
    {
        foreach (var loop in loops)
        {
            loop.Post(new ForEach(List(loop), static connection => connection.Abort(ConnectionEndReason.AppShutdownTimeout)));
        }
    }

    private ConnectionList List(Loop loop) => _byLoop[loop];

    private static void ForEachOf(ConnectionList connections, IConnectionAcceptor? acceptor, Action<Connection> action)
    {
        for (var connection = connections.First; connection is not null;)
        {
            // What is done to it may end it.
            var next = connection.NextOfLoop;
            if (acceptor is null || connection.Acceptor == acceptor)
            {
                action(connection);
            }

            connection = next;
        }
    }

    private sealed class ForEach(ConnectionList connections, Action<Connection> action) : WorkItem
    {
        public override void Run() => ForEachOf(connections, acceptor: null, action);
    }

    private sealed class EndOfEndpoint(Loop loop, ConnectionList connections, IConnectionAcceptor acceptor, int graceMilliseconds)
        : WorkItem
    {
        public override void Run()
        {
            ForEachOf(connections, acceptor, static connection => connection.ShutDown(ConnectionEndReason.EndpointRemoved));
            loop.Timers.Set(new EndOfGrace(connections, acceptor), loop.NowMilliseconds + graceMilliseconds);
        }
    }

    private sealed class EndOfGrace(ConnectionList connections, IConnectionAcceptor acceptor) : LoopTimer
    {
        public override void Fire(long nowMilliseconds) =>
            ForEachOf(connections, acceptor, static connection => connection.Abort(ConnectionEndReason.AppShutdownTimeout));
    }
}
