// The features of the response: status, headers, callbacks, content.
using System.IO.Pipelines;
using Asgi.Server.Protocols.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

internal partial class HostedRequest : IHttpResponseFeature, IHttpResponseBodyFeature
{
    /// <summary>
    /// What logs and metrics see of a request whose client left, or was sent away, before the response began: nginx's 499.
    /// </summary>
    private const int StatusClientClosedRequest = 499;

    private int _statusCode;
    private string? _reasonPhrase;
    private IHeaderDictionary? _replacedResponseHeaders;
    private Stream? _replacedResponseBody;

    int IHttpResponseFeature.StatusCode
    {
        get => _statusCode;
        set
        {
            DemandNotStarted();
            _statusCode = value;
        }
    }

    string? IHttpResponseFeature.ReasonPhrase
    {
        get => _reasonPhrase;
        set
        {
            DemandNotStarted();
            if (value is not null && !Grammar.IsFieldValue(value))
            {
                throw new InvalidOperationException("The reason phrase has a character that must not be sent (RFC 9112, section 4).");
            }

            _reasonPhrase = value;
        }
    }

    IHeaderDictionary IHttpResponseFeature.Headers
    {
        get => _replacedResponseHeaders ?? _responseHeaders;
        set => _replacedResponseHeaders = value;
    }

    [Obsolete("As the interface says: use IHttpResponseBodyFeature.Stream.")]
    Stream IHttpResponseFeature.Body
    {
        get => _replacedResponseBody ?? ResponseStream;
        set => _replacedResponseBody = value;
    }

    bool IHttpResponseFeature.HasStarted => _exchange.HasStarted;

    Stream IHttpResponseBodyFeature.Stream => ResponseStream;

    PipeWriter IHttpResponseBodyFeature.Writer => _bodyWriter;

    void IHttpResponseFeature.OnStarting(Func<object, Task> callback, object state)
    {
        DemandNotStarted();
        (Starting ??= new Stack<ResponseCallback>()).Push(new ResponseCallback(callback, state));
    }

    void IHttpResponseFeature.OnCompleted(Func<object, Task> callback, object state) =>
        (Completed ??= new Stack<ResponseCallback>()).Push(new ResponseCallback(callback, state));

    void IHttpResponseBodyFeature.DisableBuffering()
    {
        // Nothing to disable: a flush sends.
    }

    Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return StartAsync();
    }

    Task IHttpResponseBodyFeature.CompleteAsync() => CompleteResponseAsync();

    async Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken)
    {
        _bodyWriter.DemandWritable();
        cancellationToken.ThrowIfCancellationRequested();
        var file = OpenedFile.Open(new ResponseFile(path, offset, count));
        if (file.Count == 0)
        {
            // Nothing is written, so nothing starts either.
            file.Release();
            return;
        }

        try
        {
            await EnsureStartedAsync().ConfigureAwait(false);
        }
        catch
        {
            file.Release();
            throw;
        }

        await _exchange.SendFileAsync(file, moreBody: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the response while the application goes on: ASP.NET's CompleteAsync and the writer's Complete.</summary>
    public async Task CompleteResponseAsync()
    {
        if (!_exchange.IsComplete)
        {
            await EnsureStartedAsync().ConfigureAwait(false);
            _bodyWriter.MarkCompleted();
            _exchange.Complete(trailers: GetTrailers());
        }
    }

    /// <summary>The application has completed the writer with an error: what has started is broken off, what has not is a 500.</summary>
    public void FailResponse(Exception error)
    {
        _bodyWriter.MarkCompleted();
        if (_exchange.HasStarted)
        {
            _exchange.Abort();
        }
        else
        {
            ResponseError ??= error;
        }
    }

    private Task StartAsync()
    {
        var start = EnsureStartedAsync();
        if (!start.IsCompletedSuccessfully)
        {
            return AwaitThenWriteHead(start);
        }

        WriteHead();
        return Task.CompletedTask;

        async Task AwaitThenWriteHead(ValueTask pending)
        {
            await pending.ConfigureAwait(false);
            WriteHead();
        }
    }

    private void WriteHead()
    {
        if (!_exchange.HasStarted)
        {
            _exchange.WriteHead();
        }
    }

    // The exchange holds the start until content, a flush or the end follows.
    private void HoldStart()
    {
        if (_exchange.HasStarted)
        {
            return;
        }

        var fields = _replacedResponseHeaders is null
            ? _responseHeaders
            : ResponseHeaders.CopyOf(_replacedResponseHeaders, encodings: _encodings.Response);
        _exchange.Hold(new ResponseStart(_statusCode, fields) { ReasonPhrase = _reasonPhrase });
    }

    private void DemandNotStarted()
    {
        if (_exchange.HasStarted)
        {
            throw new InvalidOperationException(
                "The response has already started: its status, reason phrase and headers cannot be changed, and no callback can be added.");
        }
    }

    private void ResetResponse()
    {
        _statusCode = 200;
        _reasonPhrase = null;
        _replacedResponseHeaders = null;
        _replacedResponseBody = null;
        _responseHeaders.Reset();
        ResetSections();
        Starting?.Clear();
        Completed?.Clear();
        _bodyWriter.Reset();
    }
}
