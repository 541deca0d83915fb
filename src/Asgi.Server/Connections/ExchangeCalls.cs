// The calls into the application that one exchange has ready, whatever the version of HTTP. The loop makes them from its ready list, or has
// them made on another thread; nothing else does. Fields are the loop's, but those that a call leaves behind for its return.
using System.Runtime.CompilerServices;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

/// <summary>Calls into application code, in the order they are made when several are ready.</summary>
[Flags]
internal enum ReadyCall
{
    /// <summary>RunAsync of a new exchange.</summary>
    Start = 1,

    /// <summary>The callbacks of the disconnect token.</summary>
    Disconnected = 2,

    /// <summary>What continues after a receive.</summary>
    Received = 4,

    /// <summary>What continues after a flush.</summary>
    Flushed = 8,
}

/// <summary>Whose the exchange is: the driver of HTTP/1, or a stream of HTTP/2. Loop thread, but where a member says otherwise.</summary>
internal interface IExchangeOwner
{
    Connection Connection { get; }

    /// <summary>Sends what the application has handed over, although a call into it is still under way on another thread.</summary>
    void TakeOutput();

    /// <summary>The application is done, and no call into it is left on another thread: the exchange is the owner's again.</summary>
    void OnApplicationReturned();

    /// <summary>The application's task has completed on some thread. Any thread.</summary>
    void OnApplicationCompletedLater();
}

internal sealed class ExchangeCalls : ReadyItem
{
    private readonly IAsgiApplication _application;
    private readonly HttpExchange _exchange;
    private readonly IExchangeOwner _owner;
    private readonly Connection _connection;
    private readonly Loop _loop;
    private readonly ApplicationDispatch _dispatch;
    private Action? _onCompleted;
    private ReadyCall _ready;
    private BlockingRoute? _route;
    private ExecutionContext? _scopes;
    private bool _isScopeKnown;
    private int _awayCount;
    private bool _isApplicationDone;

    // Written by the one thread that runs the application to its end; its post, or its return on the loop, makes them visible.
    private ValueTask _task;
    private Exception? _failure;
    private bool _isDoneAtReturn;

    public ExchangeCalls(IAsgiApplication application, HttpExchange exchange, IExchangeOwner owner)
    {
        _application = application;
        _exchange = exchange;
        _owner = owner;
        _connection = owner.Connection;
        _loop = _connection.Loop;
        _dispatch = _connection.Dispatch;
    }

    /// <summary>The message for <see cref="ReadyCall.Received"/>.</summary>
    public RequestBody Received { get; set; }

    public void Add(ReadyCall call)
    {
        _ready |= call;
        _loop.Ready(this);
    }

    /// <summary>The application's task has completed: when no call is left on another thread either, the exchange is over.</summary>
    public void OnApplicationDone()
    {
        _isApplicationDone = true;
        EndIfOver();
    }

    public override int TakeCall()
    {
        var call = (int)_ready & -(int)_ready;
        _ready &= (ReadyCall)~call;
        if (_ready != 0)
        {
            _loop.Ready(this);
        }

        return call;
    }

    public override CallPlace PlaceOf(int call)
    {
        if ((ReadyCall)call == ReadyCall.Start)
        {
            _route = _dispatch.Find(_exchange.Scope, _loop.NowMilliseconds);
            return _route is null ? _dispatch.UsualPlace : CallPlace.SpareThread;
        }

        // What goes on in a handler that blocks will block again; and somebody may be blocked until it does.
        return _route is null ? _dispatch.UsualPlace : CallPlace.SpareThreadNow;
    }

    public override void Call(int call)
    {
        try
        {
            if (_route is { } route)
            {
                var clock = _loop.Backend;
                var began = clock.NowMilliseconds;
                Make((ReadyCall)call);
                _dispatch.Ran(route, began, clock.NowMilliseconds, isStart: (ReadyCall)call == ReadyCall.Start);
                return;
            }

            Make((ReadyCall)call);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            _connection.FailLater(exception);
        }
    }

    public override void WentAway(int call) => _awayCount++;

    public override void Returned(int call, bool wasAway)
    {
        try
        {
            AfterCall((ReadyCall)call, wasAway);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            _connection.Fail(exception);
        }
    }

    // Guarded, both: the name of the route is the application's to say.
    public override void Waited(int call) => _connection.Guard(this, static calls =>
    {
        calls._dispatch.LearnWait(calls._exchange, calls._loop.NowMilliseconds);
        calls.GoByWhatIsLearned();
    });

    public override void Blocked(HandOffReason reason) => _connection.Guard((Calls: this, reason), static at =>
    {
        // What blocks may be what comes after the response, such as who hears of its end.
        at.Calls._owner.TakeOutput();
        at.Calls.Learn(at.reason);
    });

    // Too many requests wait to be started: this one is answered in the application's place.
    public override void Refused(int call) => _connection.Guard(this, static calls =>
    {
        calls._awayCount--;
        calls._dispatch.Overload.Refuse(calls._exchange);
        calls.OnApplicationDone();
    });

    private void Learn(HandOffReason reason)
    {
        _dispatch.Learn(_connection.Id, _exchange, reason, _loop.NowMilliseconds);
        GoByWhatIsLearned();
    }

    // A request may be long, as those are that became WebSockets: what is left of it goes by what it has taught.
    private void GoByWhatIsLearned() => _route = _dispatch.Find(_exchange.Scope, _loop.NowMilliseconds);

    private void Make(ReadyCall call)
    {
        switch (call)
        {
            case ReadyCall.Start:
                Start();
                break;
            case ReadyCall.Disconnected:
                CancelDisconnected();
                break;
            case ReadyCall.Received:
                var received = Received;
                Received = default;
                _exchange.CompleteReceive(received);
                break;
            default:
                _exchange.CompleteFlush();
                break;
        }
    }

    private void AfterCall(ReadyCall call, bool wasAway)
    {
        _awayCount -= wasAway ? 1 : 0;
        if (call == ReadyCall.Start)
        {
            _isApplicationDone |= _isDoneAtReturn;
        }

        EndIfOver();
    }

    // A call that is still on another thread has the exchange in its hands, whatever became of the application's task.
    private void EndIfOver()
    {
        if (!_isApplicationDone)
        {
            return;
        }

        if (_awayCount > 0)
        {
            // The call may block for long; what the application has written on other threads does not wait for it.
            _owner.TakeOutput();
            return;
        }

        var failure = _failure;
        _isApplicationDone = _isDoneAtReturn = false;
        _failure = null;

        // A receive or flush that the application left behind is nobody's.
        _ready = 0;
        Received = default;
        _route = null;
        if (failure is not null)
        {
            _connection.Log.ApplicationFailed(_connection.Id, failure);
        }

        _owner.OnApplicationReturned();
    }

    private void Start()
    {
        if (!_isScopeKnown)
        {
            _isScopeKnown = true;
            _scopes = _connection.Log.CreateScopes(_connection);
        }

        if (_scopes is not null)
        {
            // From here it flows as any context does; whoever has called takes it from the thread again.
            ExecutionContext.Restore(_scopes);
        }

        try
        {
            var task = _application.RunAsync(_exchange);
            if (!task.IsCompleted)
            {
                _task = task;
                _loop.AwayBegan();
                task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onCompleted ??= OnCompletedLater);
                return;
            }

            task.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            _failure = exception;
        }

        _isDoneAtReturn = true;
    }

    // On whichever thread completed the application's task.
    private void OnCompletedLater()
    {
        try
        {
            var task = _task;
            _task = default;
            task.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            _failure = exception;
        }

        _loop.AwayEnded();
        _owner.OnApplicationCompletedLater();
    }

    // Callbacks are the application's: what they throw is its error, and the exchange goes on.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CancelDisconnected()
    {
        try
        {
            _exchange.CancelDisconnected();
        }
        catch (AggregateException exception)
        {
            _connection.Log.ApplicationFailed(_connection.Id, exception);
        }
    }
}
