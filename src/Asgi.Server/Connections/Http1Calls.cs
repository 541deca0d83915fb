// The calls into the application that one HTTP/1 connection has ready. The loop calls them from its ready list, and nothing else does.
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

internal sealed class Http1Calls : ReadyItem
{
    private readonly IAsgiApplication _application;
    private readonly HttpExchange _exchange;
    private readonly Http1Driver _driver;
    private readonly Action _onCompleted;
    private ReadyCall _ready;
    private ValueTask _task;
    private Exception? _failure;
    private bool _hasReturned;

    public Http1Calls(IAsgiApplication application, HttpExchange exchange, Http1Driver driver)
    {
        _application = application;
        _exchange = exchange;
        _driver = driver;
        _onCompleted = OnCompletedLater;
    }

    /// <summary>The message for <see cref="ReadyCall.Received"/>.</summary>
    public RequestBody Received { get; set; }

    public void Add(ReadyCall call) => _ready |= call;

    /// <summary>Forgets what is ready: the exchange is over, and a receive or flush that its application left behind is nobody's.</summary>
    public void Clear()
    {
        _ready = 0;
        Received = default;
    }

    /// <summary>What the application's task failed with, once.</summary>
    public Exception? TakeFailure()
    {
        var failure = _failure;
        _failure = null;
        return failure;
    }

    public override void Call() => _driver.Connection.Guard(this, static calls => calls.CallReady());

    public override void Returned() => _driver.Connection.Guard(this, static calls => calls.AfterCalls());

    private void CallReady()
    {
        var ready = _ready;
        _ready = 0;
        if ((ready & ReadyCall.Start) != 0)
        {
            Start();
        }

        if ((ready & ReadyCall.Disconnected) != 0)
        {
            CancelDisconnected();
        }

        if ((ready & ReadyCall.Received) != 0)
        {
            var received = Received;
            Received = default;
            _exchange.CompleteReceive(received);
        }

        if ((ready & ReadyCall.Flushed) != 0)
        {
            _exchange.CompleteFlush();
        }
    }

    private void AfterCalls()
    {
        if (_hasReturned)
        {
            _hasReturned = false;
            _driver.OnApplicationReturned();
        }
    }

    private void Start()
    {
        try
        {
            var task = _application.RunAsync(_exchange);
            if (!task.IsCompleted)
            {
                _task = task;
                _driver.Connection.Loop.AwayCount++;
                task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onCompleted);
                return;
            }

            task.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            _failure = exception;
        }

        _hasReturned = true;
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

        _driver.OnApplicationCompletedLater();
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
            _failure ??= exception;
        }
    }
}
