// An application behind which so many requests may be under way at a time: those beyond are answered 503 here, and it never sees them. Any
// thread. The loop calls it in the application's place, so that without the limit a request passes nothing.
namespace Asgi.Server.Connections;

/// <param name="application">What serves the requests within the limit.</param>
/// <param name="limit">How many.</param>
/// <param name="overload">What answers the others.</param>
internal sealed class LimitedRequests(IAsgiApplication application, ConcurrencyLimit limit, Overload overload) : IAsgiApplication
{
    public ValueTask RunAsync(HttpExchange exchange)
    {
        if (!limit.TryEnter())
        {
            overload.Refuse(exchange);
            return ValueTask.CompletedTask;
        }

        ValueTask task;
        try
        {
            task = application.RunAsync(exchange);
        }
        catch
        {
            limit.Leave();
            throw;
        }

        if (!task.IsCompletedSuccessfully)
        {
            return LeaveAfterAsync(task);
        }

        limit.Leave();
        return task;
    }

    private async ValueTask LeaveAfterAsync(ValueTask task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
        finally
        {
            limit.Leave();
        }
    }
}
