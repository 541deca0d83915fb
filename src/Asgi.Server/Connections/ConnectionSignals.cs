// What a connection tells application code of its life: tokens that are cancelled and callbacks that are called, all from the ready list.
// Made only when somebody asks; asked for on any thread.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

/// <summary>A token that the connection cancels.</summary>
internal sealed class ConnectionToken(Connection connection, Func<Connection, bool> hasHappened) : ReadyItem
{
    private CancellationTokenSource? _source;

    public CancellationToken Token
    {
        get
        {
            if (_source is null)
            {
                Interlocked.CompareExchange(ref _source, new CancellationTokenSource(), null);
                if (hasHappened(connection))
                {
                    _source.Cancel();
                }
            }

            return _source.Token;
        }
    }

    /// <summary>It has happened. Loop thread.</summary>
    public void Signal()
    {
        Interlocked.MemoryBarrier();
        if (_source is not null)
        {
            connection.Loop.Ready(this);
        }
    }

    public override void Call() =>
        connection.Log.Guard(connection.Id, static source => ((CancellationTokenSource)source).Cancel(), _source!);

    public override void Returned()
    {
    }
}

/// <summary>The callbacks of every second. The list is the loop's; who adds one posts it.</summary>
internal sealed class ConnectionHeartbeat : LoopTimer
{
    private const int PeriodMilliseconds = 1000;

    private readonly Connection _connection;
    private readonly List<(Action<object> Action, object State)> _callbacks = [];
    private readonly Calls _calls;

    public ConnectionHeartbeat(Connection connection)
    {
        _connection = connection;
        _calls = new Calls(connection, _callbacks);
    }

    /// <summary>Any thread.</summary>
    public void Add(Action<object> action, object state) => _connection.Loop.Post(new AddCallback(this, action, state));

    /// <summary>Loop thread.</summary>
    public void Stop() => _connection.Loop.Timers.Remove(this);

    public override void Fire(long nowMilliseconds)
    {
        _connection.Loop.Ready(_calls);
        _connection.Loop.Timers.Set(this, nowMilliseconds + PeriodMilliseconds);
    }

    private sealed class AddCallback(ConnectionHeartbeat heartbeat, Action<object> action, object state) : WorkItem
    {
        public override void Run()
        {
            heartbeat._callbacks.Add((action, state));
            if (heartbeat._callbacks.Count == 1 && heartbeat._connection.State != ConnectionState.Closed)
            {
                var loop = heartbeat._connection.Loop;
                loop.Timers.Set(heartbeat, loop.NowMilliseconds + PeriodMilliseconds);
            }
        }
    }

    private sealed class Calls(Connection connection, List<(Action<object> Action, object State)> callbacks) : ReadyItem
    {
        public override void Call()
        {
            foreach (var (action, state) in callbacks)
            {
                connection.Log.Guard(connection.Id, action, state);
            }
        }

        public override void Returned()
        {
        }
    }
}
