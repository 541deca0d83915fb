// One request as ASP.NET sees it: an object that is the feature collection and the features, pooled with its exchange. This part holds the
// life of the request; the others hold the features by matter. Used on whichever thread the application runs.
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;

namespace Asgi.Server.Application;

[SuppressMessage("Design", "CA1001", Justification = "The streams hold nothing to dispose of; they live as long as the connection.")]
internal abstract partial class HostedRequest
{
    private readonly HttpExchange _exchange;
    private readonly RequestHeaders _requestHeaders;
    private readonly ResponseHeaders _responseHeaders;
    private readonly ResponseBodyWriter _bodyWriter;
    private RequestBodyReader? _bodyReader;
    private RequestBodyStream? _bodyStream;
    private ResponseBodyStream? _responseStream;
    private bool _isOver;
    private readonly HeaderEncodings _encodings;

    /// <param name="exchange">The exchange whose requests it is.</param>
    /// <param name="allowsSynchronousIO">Whether a request allows synchronous I/O that does not say otherwise.</param>
    /// <param name="encodings">How field values are encoded.</param>
    protected HostedRequest(HttpExchange exchange, bool allowsSynchronousIO, HeaderEncodings encodings)
    {
        _exchange = exchange;
        _ownSlots = exchange.Scope.IsHttp2 ? FeatureSlots.OfHttp2 : FeatureSlots.OfHttp1;
        _allowsSynchronousIOByDefault = allowsSynchronousIO;
        _requestHeaders = new RequestHeaders(exchange.Scope.Headers, encodings.Request);
        _responseHeaders = new ResponseHeaders(exchange, encodings: encodings.Response);
        _encodings = encodings;
        _bodyWriter = new ResponseBodyWriter(exchange, this);
    }

    // Made for the first request that asks: most have no content, and are answered through the writer.
    private RequestBodyReader BodyReader => _bodyReader ??= new RequestBodyReader(_exchange, this, _isOver);

    private RequestBodyStream BodyStream => _bodyStream ??= new RequestBodyStream(BodyReader, this);

    private ResponseBodyStream ResponseStream => _responseStream ??= new ResponseBodyStream(_bodyWriter, this);

    /// <summary>Registered callbacks of OnStarting and OnCompleted; null as long as there were none.</summary>
    private Stack<ResponseCallback>? Starting { get; set; }

    public Stack<ResponseCallback>? Completed { get; private set; }

    public bool HasCallbacks => Starting is { Count: > 0 } || Completed is { Count: > 0 };

    /// <summary>
    /// What keeps the response from starting: an OnStarting callback threw, or the application has completed the writer with it. It is the
    /// application's error, whatever else it met because of it.
    /// </summary>
    public Exception? ResponseError { get; private set; }

    public bool IsDisconnected => _exchange.IsDisconnected;

    /// <summary>Makes everything new for the exchange's next request.</summary>
    public void Begin()
    {
        ResetFeatures();
        ResetRequest();
        ResetResponse();
        ResetConnection();
        ResponseError = null;
        _isOver = false;
    }

    /// <summary>Ends the response the application has left as it is; its OnStarting callbacks have run.</summary>
    public void Complete()
    {
        StopWriting();
        if (ResponseError is not null)
        {
            throw WritingFailed(ResponseError);
        }

        if (!_exchange.IsComplete)
        {
            HoldStart();
            if (_exchange.IsAborted && !_exchange.HasStarted)
            {
                _statusCode = StatusClientClosedRequest;
            }

            _exchange.Complete(isReturning: Completed is not { Count: > 0 }, GetTrailers());
        }
    }

    /// <summary>Answers an error of the application: a status when nothing was sent, truncation otherwise.</summary>
    /// <param name="status">The status a bad request asks for, after which the connection is not used again; null for 500.</param>
    public void Fail(int? status)
    {
        StopWriting();
        if (_exchange.HasStarted)
        {
            _exchange.Fail();
            return;
        }

        _responseHeaders.Reset();
        _reasonPhrase = null;
        _statusCode = IsDisconnected || _exchange.IsAborted ? StatusClientClosedRequest : status ?? 500;
        var start = new ResponseStart(status ?? 500);
        if (status is not null)
        {
            _exchange.Refuse(start);
            return;
        }

        _exchange.Retract();
        _exchange.Hold(start);
        _exchange.Complete();
    }

    /// <summary>The request is over: what the application kept of it no longer works.</summary>
    public void End()
    {
        StopWriting();
        _isOver = true;
        _bodyReader?.Stop();
        if (IsDisconnected && !_exchange.HasStarted)
        {
            _statusCode = StatusClientClosedRequest;
        }
    }

    /// <summary>Calls OnStarting and writes the head, unless that was done.</summary>
    public ValueTask EnsureStartedAsync()
    {
        if (_exchange.HasStarted)
        {
            return ValueTask.CompletedTask;
        }

        if (ResponseError is not null)
        {
            return ValueTask.FromException(WritingFailed(ResponseError));
        }

        if (Starting is not { Count: > 0 })
        {
            HoldStart();
            return ValueTask.CompletedTask;
        }

        return CallStartingAsync();
    }

    private async ValueTask CallStartingAsync()
    {
        try
        {
            // One registered by a callback is called next.
            while (Starting!.TryPop(out var call))
            {
                await call.Callback(call.State).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            ResponseError = exception;
            StopWriting();
            throw WritingFailed(exception);
        }

        HoldStart();
    }

    /// <summary>Blocks the application's thread until an operation is done; the loop, if the thread has it, goes on with another.</summary>
    public void BlockOn(ValueTask operation)
    {
        if (!operation.IsCompleted)
        {
            _exchange.Stream.WillBlock();
        }

        operation.AsTask().GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="BlockOn(ValueTask)"/>
    public T BlockOn<T>(ValueTask<T> operation)
    {
        if (!operation.IsCompleted)
        {
            _exchange.Stream.WillBlock();
        }

        return operation.AsTask().GetAwaiter().GetResult();
    }

    private static ObjectDisposedException WritingFailed(Exception cause) =>
        new("The response cannot be written: a callback of OnStarting failed, or its writer was completed with an error.", cause);

    private void StopWriting() => _bodyWriter.Stop();

    public readonly record struct ResponseCallback(Func<object, Task> Callback, object State);
}

/// <summary>The part Hosting keeps its own context in, to use it again for the next request of the connection.</summary>
internal sealed class HostedRequest<TContext>(HttpExchange exchange, bool allowsSynchronousIO, HeaderEncodings encodings)
    : HostedRequest(exchange, allowsSynchronousIO, encodings), IHostContextContainer<TContext>
    where TContext : notnull
{
    TContext? IHostContextContainer<TContext>.HostContext { get; set; }

    /// <summary>What ends a request that is not over when the application returns; null as long as there was none.</summary>
    public LateRequest<TContext>? Late { get; set; }
}
