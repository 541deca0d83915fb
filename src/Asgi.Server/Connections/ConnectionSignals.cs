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

    /// <summary>It has happened, and says so already: who makes the token later finds out by itself. Loop thread.</summary>
    public static void Signal(ref ConnectionToken? token)
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref token) is { _source: not null } asked)
        {
            asked.BeReady();
        }
    }

    private void BeReady() => connection.Loop.Ready(this);

    public override CallPlace PlaceOf(int call) => connection.Dispatch.UsualPlace;

    public override void Call(int call) =>
        connection.Log.Guard(connection.Id, static source => ((CancellationTokenSource)source).Cancel(), _source!);
}

/// <summary>The callbacks of every second. The list is the loop's; who adds one posts it.</summary>
internal sealed class ConnectionHeartbeat : LoopTimer
{
    private const int PeriodMilliseconds = 1000;

    private readonly Connection _connection;
    private readonly Calls _calls;

    public ConnectionHeartbeat(Connection connection)
    {
        _connection = connection;
        _calls = new Calls(connection);
    }

    /// <summary>Any thread.</summary>
    public void Add(Action<object> action, object state) => _connection.Loop.Post(new AddCallback(this, action, state));

    /// <summary>Loop thread.</summary>
    public void Stop() => _connection.Loop.Timers.Remove(this);

    public override void Fire(long nowMilliseconds)
    {
        // Callbacks that still run are not called again.
        if (!_calls.IsUnderWay)
        {
            _calls.IsUnderWay = true;
            _connection.Loop.Ready(_calls);
        }

        _connection.Loop.Timers.Set(this, nowMilliseconds + PeriodMilliseconds);
    }

    private sealed class AddCallback(ConnectionHeartbeat heartbeat, Action<object> action, object state) : WorkItem
    {
        public override void Run()
        {
            var calls = heartbeat._calls;
            calls.Callbacks = [.. calls.Callbacks, (action, state)];
            if (calls.Callbacks.Length == 1 && heartbeat._connection.State != ConnectionState.Closed)
            {
                var loop = heartbeat._connection.Loop;
                loop.Timers.Set(heartbeat, loop.NowMilliseconds + PeriodMilliseconds);
            }
        }
    }

    private sealed class Calls(Connection connection) : ReadyItem
    {
        /// <summary>Replaced and never changed: a call that blocks goes through the old one while the loop goes on.</summary>
        public volatile (Action<object> Action, object State)[] Callbacks = [];

        public bool IsUnderWay { get; set; }

        public override CallPlace PlaceOf(int call) => connection.Dispatch.UsualPlace;

        public override void Call(int call)
        {
            foreach (var (action, state) in Callbacks)
            {
                connection.Log.Guard(connection.Id, action, state);
            }
        }

        public override void Returned(int call, bool wasAway) => IsUnderWay = false;
    }
}
