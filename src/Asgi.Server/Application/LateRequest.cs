// The end of a request whose application has returned before it was done. What an async method would do, in an object that the connection's
// next request uses again: a handler that goes asynchronous costs the server no allocation. Begun on the thread of the call, goes on
// on whichever completes the application's task.
namespace Asgi.Server.Application;

/// <param name="application">What the request ends with.</param>
/// <param name="request">The request, one after the other.</param>
internal sealed class LateRequest<TContext>(HostedApplication<TContext> application, HostedRequest<TContext> request)
    where TContext : notnull
{
    private static readonly ContextCallback FinishInContext = static late => ((LateRequest<TContext>)late!).Finish();

    private readonly Promise<bool> _end = new();
    private Action? _onProcessed;
    private Task? _task;
    private TContext? _context;
    private ExecutionContext? _flow;

    /// <summary>Waits for the application's task. The request before is over.</summary>
    /// <returns>Completes when the request is over.</returns>
    public ValueTask Begin(TContext context, Task task)
    {
        _context = context;
        _task = task;

        // As after an await: what Hosting has put here at the start, such as the request's activity, is there at the end.
        _flow = ExecutionContext.Capture();
        var end = new ValueTask(_end, _end.Begin());

        // Last: from here another thread may be at the end already.
        task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onProcessed ??= OnProcessed);
        return end;
    }

    private void OnProcessed()
    {
        if (_flow is { } flow)
        {
            _flow = null;
            ExecutionContext.Run(flow, FinishInContext, this);
        }
        else
        {
            Finish();
        }
    }

    private void Finish()
    {
        var (context, task) = (_context!, _task!);
        _context = default;
        _task = null;
        if (!task.IsCompletedSuccessfully || request.HasCallbacks)
        {
            _ = FinishAsync(context, task);
            return;
        }

        try
        {
            application.Finish(request, context);
        }
        catch (Exception exception)
        {
            _end.SetException(exception);
            return;
        }

        _end.SetResult(true);
    }

    // An application that has failed, or has left something to call, may take its time once more.
    private async Task FinishAsync(TContext context, Task task)
    {
        try
        {
            await application.FinishAsync(request, context, task).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _end.SetException(exception);
            return;
        }

        _end.SetResult(true);
    }
}
