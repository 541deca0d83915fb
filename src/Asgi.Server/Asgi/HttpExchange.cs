// The receive and send of one request, and the rules of RFC 9110 that hold in every version of HTTP: the order of messages, content and its
// length, HEAD, 204, 205 and 304. Framing is the stream's; receiving is in HttpExchange.Receive.cs, files in HttpExchange.Files.cs, large
// content in HttpExchange.Direct.cs, trailers and interim responses in HttpExchange.Sections.cs, the client's going in
// HttpExchange.Disconnect.cs. One per HTTP/1 connection, reused. Called by the application, one call at a time in each direction, on any
// thread.
using System.Buffers;
using System.Runtime.CompilerServices;
using Asgi.Server.Diagnostics;

namespace Asgi;

/// <summary>
/// One request and its response: ASGI's <c>receive</c> and <c>send</c> without queues and dictionaries. Receiving and sending may go on at
/// the same time; within each, calls must not overlap. Content is written either with
/// <see cref="SendAsync(in ResponseBody, CancellationToken)"/> or, without a copy, through <see cref="IBufferWriter{T}"/> and
/// <see cref="FlushAsync"/>.
/// </summary>
public sealed partial class HttpExchange : IBufferWriter<byte>
{
    private readonly HttpStream _stream;
    private ResponseStart _start;
    private ResponseState _state;
    private bool _hasContent;
    private long? _contentLength;
    private long _written;
    private Promise<bool>? _flush;
    private CancellationTokenRegistration _flushCancellation;

    internal HttpExchange(HttpStream stream, HttpScope scope, uint requestsBefore = 0)
    {
        _stream = stream;
        Scope = scope;
        RequestNumber = requestsBefore;
    }

    /// <summary>Where a response stands; the transitions are the send methods below.</summary>
    internal enum ResponseState
    {
        /// <summary>The application has not said how the response starts.</summary>
        NotStarted,

        /// <summary>The start is known and held until the first content, so that both leave together.</summary>
        Held,

        /// <summary>The head is written.</summary>
        Started,

        /// <summary>All content is written; the trailers that the start has announced are to follow.</summary>
        Trailing,

        /// <summary>The whole response is written.</summary>
        Complete,
    }

    /// <summary>The scope of the request.</summary>
    public HttpScope Scope { get; }

    /// <summary>Whether the head of the response is written: status and fields can no longer change.</summary>
    public bool HasStarted => _state >= ResponseState.Started;

    /// <summary>How many requests the connection has had, with this one; over HTTP/2 the identifier of the stream.</summary>
    internal uint RequestNumber { get; private set; }

    /// <summary>The status of the response, once it has started.</summary>
    internal int Status => _start.Status;

    internal HttpStream Stream => _stream;

    internal bool IsComplete => _state == ResponseState.Complete;

    /// <summary>Bytes of content the application has written.</summary>
    internal long WrittenLength => _written;

    /// <summary>The application's name for the route of the request, as an object: for messages about it. Null while unknown.</summary>
    internal object? Route { get; set; }

    /// <summary>
    /// What an application keeps with the connection from one request to the next: its pooled objects. Gone when the connection has rested.
    /// </summary>
    internal object? ApplicationState { get; set; }

    /// <summary>
    /// ASGI's <c>http.response.start</c>. Held until the first content, a flush or the end, so that the head leaves with it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The response was started before.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The status is not a final one, 200 to 999 (RFC 9110, section 15).</exception>
    public void Send(in ResponseStart start)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(start.Status, 200, nameof(start));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start.Status, 999, nameof(start));
        if (_state != ResponseState.NotStarted)
        {
            throw new InvalidOperationException("The response has already been started.");
        }

        _start = start;
        _state = ResponseState.Held;
    }

    /// <summary>Sets the start that is held, or replaces it: nothing of it is written yet.</summary>
    internal void Hold(in ResponseStart start)
    {
        Demand(_state is ResponseState.NotStarted or ResponseState.Held);
        _start = start;
        _state = ResponseState.Held;
    }

    /// <summary>ASGI's <c>http.response.body</c>: sends content; the last ends the response.</summary>
    /// <param name="body">The content and whether more follows.</param>
    /// <param name="cancellationToken">Cancelling a send that waits for the client to read aborts the connection.</param>
    /// <returns>Completes when the server is ready for more content.</returns>
    /// <exception cref="InvalidOperationException">
    /// The response was not started, is complete, must not have content, or the content does not have the length announced.
    /// </exception>
    [OverloadResolutionPriority(1)] // default is an empty last body.
    public ValueTask SendAsync(in ResponseBody body, CancellationToken cancellationToken = default)
    {
        Demand(_state is ResponseState.Held or ResponseState.Started);
        if (body.Body.Length > 0)
        {
            WriteContent(body.Body.Span, isLast: !body.MoreBody);
        }

        if (body.MoreBody)
        {
            return FlushAsync(cancellationToken);
        }

        EndBody();
        return IsComplete ? ValueTask.CompletedTask : WaitUntilSent(cancellationToken);
    }

    /// <summary>Memory to write content to; <see cref="Advance"/> adds it to the response.</summary>
    /// <param name="sizeHint">The least size, in bytes; 0 for any.</param>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        return _stream.GetMemory(sizeHint);
    }

    /// <inheritdoc cref="GetMemory"/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Adds the first bytes of the memory got last to the content. Nothing is sent before a flush.</summary>
    /// <param name="count">Bytes written, at most the size of the memory.</param>
    /// <exception cref="InvalidOperationException">The response must not have content, or not so much.</exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (CountContent(count))
        {
            _stream.Advance(count);
        }
    }

    /// <summary>Sends the head, if it was not sent, and the content written so far.</summary>
    /// <param name="cancellationToken">Cancelling a flush that waits for the client to read aborts the connection.</param>
    /// <returns>Completes when the server is ready for more content.</returns>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_state != ResponseState.Started)
        {
            Demand(_state == ResponseState.Held);
            WriteHead(isWhole: false);
        }

        return WaitUntilSent(cancellationToken);
    }

    private ValueTask WaitUntilSent(CancellationToken cancellationToken) =>
        _stream.TryFlush() ? ValueTask.CompletedTask : AwaitFlush(cancellationToken);

    private ValueTask AwaitFlush(CancellationToken cancellationToken)
    {
        _flush ??= new Promise<bool>();
        var flush = new ValueTask(_flush, _flush.Begin());
        if (cancellationToken.CanBeCanceled)
        {
            _flushCancellation = cancellationToken.UnsafeRegister(
                static exchange => ((HttpExchange)exchange!).Abort(ConnectionEndReason.WriteCanceled), this);
        }

        _stream.AwaitFlush();
        return flush;
    }

    /// <summary>Commits to the held start without sending it: ASP.NET's StartAsync.</summary>
    internal void WriteHead()
    {
        Demand(_state == ResponseState.Held);
        WriteHead(isWhole: false);
    }

    /// <summary>Ends the response; the length of content that was all written before the head becomes its Content-Length.</summary>
    /// <exception cref="InvalidOperationException">The content is shorter than announced.</exception>
    /// <param name="isReturning">Whether the application's task completes next.</param>
    /// <param name="trailers">Fields to send behind the content, if the response has a place for them; null for none.</param>
    internal void Complete(bool isReturning = false, ResponseFields? trailers = null)
    {
        Demand(_state is ResponseState.Held or ResponseState.Started or ResponseState.Trailing);
        EndContent(hasTrailers: trailers is not null);
        if (trailers is not null && CanHaveTrailers)
        {
            _stream.WriteTrailers(trailers);
        }

        _state = ResponseState.Complete;
        _stream.Complete(isReturning);
    }

    /// <summary>Takes back a start that was not written, and all content with it, so that an error can take its place.</summary>
    internal void Retract()
    {
        Demand(_state is ResponseState.NotStarted or ResponseState.Held);
        _stream.DropContent();
        _state = ResponseState.NotStarted;
        _written = 0;
    }

    /// <summary>Switches protocols: writes the held head, a 101, and makes both directions raw.</summary>
    internal void Upgrade()
    {
        Demand(_state == ResponseState.Held);
        _stream.Upgrade();
        _stream.WriteHead(new ResponseHeadDecision(_start.Status, _start.ReasonPhrase, _start.Fields, null, HasContent: true));
        _hasContent = true;
        _state = ResponseState.Started;
    }

    /// <summary>Ends a flush that waits. Any thread.</summary>
    internal void CancelFlush() => _stream.CancelFlush();

    /// <summary>Ends the flush that waits. From the ready list.</summary>
    internal void CompleteFlush()
    {
        var token = _flushCancellation.Token;
        _flushCancellation.Unregister();
        _flushCancellation = default;
        if (token.IsCancellationRequested)
        {
            _flush!.SetException(new OperationCanceledException(token));
            return;
        }

        _flush!.SetResult(true);
    }

    /// <summary>The application is done: what it left waiting concerns nobody, nor do the tokens of that. Loop thread.</summary>
    internal void ForgetWaits()
    {
        _flushCancellation.Unregister();
        _flushCancellation = default;
        _receiveCancellation.Unregister();
        _receiveCancellation = default;
    }

    /// <summary>Makes the exchange ready for the connection's next request.</summary>
    internal void Reset() => Reset(RequestNumber + 1);

    /// <inheritdoc cref="Reset()"/>
    /// <param name="requestNumber">What the request is called in its connection.</param>
    internal void Reset(uint requestNumber)
    {
        RequestNumber = requestNumber;
        _start = default;
        _state = ResponseState.NotStarted;
        _hasContent = false;
        _contentLength = null;
        _written = 0;
        Route = null;
        ResetDisconnect();
        ResetReceive();
    }

    private void WriteHead(bool isWhole)
    {
        var traits = _start.Fields?.Traits ?? ResponseFieldTraits.None;

        // HTTP/2 has no transfer codings: the field is dropped (RFC 9113, section 8.2.2).
        var framedByApplication = (traits & ResponseFieldTraits.HasTransferEncoding) != 0 && !Scope.IsHttp2;

        // Never both (RFC 9112, section 6.2).
        var length = framedByApplication ? null : _start.Fields?.ContentLength;

        // What follows a 2xx to an extended CONNECT belongs to the protocol it asks for: only an upgrade may send it (RFC 8441, section 5).
        var mayHaveContent = ResponseRules.MayHaveContent(_start.Status)
            && !(Scope.ConnectProtocol is not null && _start.Status is >= 200 and < 300);
        if (!mayHaveContent)
        {
            if (!Scope.IsHttp2)
            {
                ResponseRules.DemandNoTransferEncoding(_start.Status, traits);
            }

            length = ResponseRules.LengthWithoutContent(_start.Status, length);
            if (_written > 0)
            {
                throw ResponseRules.ContentForbidden(_start.Status);
            }
        }

        var isHead = Scope.IsHead;

        // A 2xx to CONNECT has neither length nor coding (RFC 9110, section 9.3.6).
        var isTunnel = isWhole && _written == 0 && Scope.IsConnect && _start.Status is >= 200 and < 300;
        if (mayHaveContent && !isHead && length < _written)
        {
            _stream.CloseAfterResponse(ConnectionEndReason.ResponseContentLengthMismatch);
            throw TooMany(_written, length.Value);
        }

        if (isWhole && mayHaveContent && !isHead)
        {
            if (length > _written)
            {
                throw TooFew(length.Value);
            }

            if (length is null && !framedByApplication && !isTunnel)
            {
                length = _written;
            }
        }

        _hasContent = mayHaveContent && !isHead && !isTunnel;
        _contentLength = length;
        _stream.WriteHead(new ResponseHeadDecision(_start.Status, _start.ReasonPhrase, _start.Fields, length, _hasContent));
        _state = ResponseState.Started;
    }

    // Whether the stream is to get the content: that of a response to HEAD is only counted.
    private bool CountContent(long count)
    {
        Demand(_state < ResponseState.Trailing);
        if (_state == ResponseState.Started)
        {
            if (!_hasContent)
            {
                DemandMayHaveContent(count);
                return false;
            }

            DemandWithinLength(_written + count);
        }

        _written += count;
        return !Scope.IsHead;
    }

    // The head of a response without content may be written already; the attempt to add some is the application's error.
    private void DemandMayHaveContent(long count)
    {
        if (count > 0 && !Scope.IsHead)
        {
            throw ResponseRules.ContentForbidden(_start.Status);
        }
    }

    private void DemandWithinLength(long written)
    {
        if (written > _contentLength)
        {
            _stream.CloseAfterResponse(ConnectionEndReason.ResponseContentLengthMismatch);
            throw TooMany(written, _contentLength.Value);
        }
    }

    private static InvalidOperationException TooMany(long written, long length) =>
        new($"Response Content-Length mismatch: too many bytes written ({written} of {length}).");

    private InvalidOperationException TooFew(long length)
    {
        if (_written > 0 || HasStarted)
        {
            _stream.CloseAfterResponse(ConnectionEndReason.ResponseContentLengthMismatch);
        }

        return new InvalidOperationException($"Response Content-Length mismatch: too few bytes written ({_written} of {length}).");
    }

    private void Demand(bool isLegal)
    {
        if (!isLegal)
        {
            throw new InvalidOperationException(_state switch
            {
                ResponseState.Complete => "The response is complete.",
                ResponseState.Trailing => "The content of the response is complete.",
                ResponseState.NotStarted => "The response has not been started.",
                _ => "The response has already been started.",
            });
        }
    }
}
