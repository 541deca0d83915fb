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

    public override void Call() => connection.Log.Guard(connection.Id, static source => ((CancellationTokenSource)source).Cancel(), _source!);

    public override void Returned()
    {
    }
}

/// <summary>The callbacks of every second.</summary>
internal sealed class ConnectionHeartbeat(Connection connection) : WorkItem
{
    private const int PeriodMilliseconds = 1000;

    private readonly List<(Action<object> Action, object State)> _callbacks = [];
    private Beat? _beat;

    /// <summary>Any thread.</summary>
    public void Add(Action<object> action, object state)
    {
        bool isFirst;
        lock (_callbacks)
        {
            isFirst = _callbacks.Count == 0;
            _callbacks.Add((action, state));
        }

        if (isFirst)
        {
            connection.Loop.Post(this);
        }
    }

    public override void Run()
    {
        if (connection.State != ConnectionState.Closed)
        {
            _beat ??= new Beat(connection, this);
            connection.Loop.Timers.Set(_beat, connection.Loop.NowMilliseconds + PeriodMilliseconds);
        }
    }

    /// <summary>Loop thread.</summary>
    public void Stop()
    {
        if (_beat is not null)
        {
            connection.Loop.Timers.Remove(_beat);
        }
    }

    private (Action<object> Action, object State)[] Callbacks()
    {
        lock (_callbacks)
        {
            return [.. _callbacks];
        }
    }

    private sealed class Beat(Connection connection, ConnectionHeartbeat heartbeat) : LoopTimer
    {
        private readonly Calls _calls = new(connection, heartbeat);

        public override void Fire(long nowMilliseconds)
        {
            connection.Loop.Ready(_calls);
            heartbeat.Run();
        }
    }

    private sealed class Calls(Connection connection, ConnectionHeartbeat heartbeat) : ReadyItem
    {
        public override void Call()
        {
            foreach (var (action, state) in heartbeat.Callbacks())
            {
                connection.Log.Guard(connection.Id, action, state);
            }
        }

        public override void Returned()
        {
        }
    }
}
