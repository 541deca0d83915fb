// ASP.NET's application as an ASGI application: the life of one request as Hosting expects it (context, callbacks, errors, disposal).
// Called from the ready list on the loop's thread; goes on wherever the application does.
using Asgi.Server.Diagnostics;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Application;

internal sealed class HostedApplication<TContext>(
    IHttpApplication<TContext> application,
    ServerLog log,
    bool allowsSynchronousIO = false,
    HeaderEncodings? encodings = null,
    BadRequestEvents? badRequests = null)
    : IAsgiApplication
    where TContext : notnull
{
    private readonly HeaderEncodings _encodings = encodings ?? HeaderEncodings.None;

    public ValueTask RunAsync(HttpExchange exchange)
    {
        if (exchange.ApplicationState is not HostedRequest<TContext> request)
        {
            exchange.ApplicationState = request = new HostedRequest<TContext>(exchange, allowsSynchronousIO, _encodings);
        }

        request.Begin();
        var context = application.CreateContext(request);
        Task task;
        try
        {
            task = application.ProcessRequestAsync(context);
        }
        catch (Exception exception)
        {
            task = Task.FromException(exception);
        }

        if (!task.IsCompleted)
        {
            return (request.Late ??= new LateRequest<TContext>(this, request)).Begin(context, task);
        }

        // An application that is done at once, and has nothing left to call, costs no state machine.
        if (!task.IsCompletedSuccessfully || request.HasCallbacks)
        {
            return FinishAsync(request, context, task);
        }

        Finish(request, context);
        return ValueTask.CompletedTask;
    }

    /// <summary>The application is done without an error, and there is nothing left to call.</summary>
    internal void Finish(HostedRequest<TContext> request, TContext context)
    {
        Exception? error = null;
        try
        {
            request.Complete();
        }
        catch (Exception exception)
        {
            error = request.ResponseError ?? exception;
            AnswerError(request, error);
        }

        request.End();
        application.DisposeContext(context, error);
    }

    /// <summary>The application is done, or will be.</summary>
    internal async ValueTask FinishAsync(HostedRequest<TContext> request, TContext context, Task task)
    {
        Exception? error = null;
        try
        {
            await task.ConfigureAwait(false);
            await request.EnsureStartedAsync().ConfigureAwait(false);
            request.Complete();
        }
        catch (Exception exception)
        {
            error = request.ResponseError ?? exception;
        }

        if (error is not null)
        {
            AnswerError(request, error);
        }

        request.End();
        await CallCompletedAsync(request).ConfigureAwait(false);
        application.DisposeContext(context, error);
    }

    private void AnswerError(HostedRequest<TContext> request, Exception error)
    {
        if (ReferenceEquals(error, request.BadRequestError))
        {
            // What its client sent, or left out, is not an application's error.
            log.BadRequest(request.ConnectionId, request.BadRequestError.StatusCode, error.Message);
            badRequests?.ContentRefused(request);
        }
        else if (request.IsDisconnected && error is OperationCanceledException or IOException)
        {
            // Nor is what it throws because its client left.
            log.RequestAborted(request.ConnectionId, request.TraceIdentifier);
        }
        else
        {
            log.ApplicationError(request.ConnectionId, request.TraceIdentifier, error);
        }

        request.Fail(error is BadHttpRequestException { StatusCode: var status } ? status : null);
    }

    // Last registered, first called; all of them, whatever some throw.
    private async ValueTask CallCompletedAsync(HostedRequest<TContext> request)
    {
        while (request.Completed?.TryPop(out var call) == true)
        {
            try
            {
                await call.Callback(call.State).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                log.ApplicationError(request.ConnectionId, request.TraceIdentifier, exception);
            }
        }
    }
}
