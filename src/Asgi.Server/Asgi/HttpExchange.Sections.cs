// The sections around a response: interim responses before it, trailers behind it. Called by the application, on any thread.
using Asgi.Server.Protocols.Http;

namespace Asgi;

public sealed partial class HttpExchange
{
    /// <summary>
    /// Whether the response can have trailers: to HTTP/1.1, not to HEAD or CONNECT, and, once its head is written, when it is chunked.
    /// </summary>
    internal bool CanHaveTrailers =>
        _state != ResponseState.Complete
        && !Scope.IsHead
        && !Scope.IsConnect
        && _stream.CanHaveTrailers;

    /// <summary>
    /// Whether the application may give trailers. Over HTTP/2 all responses can have some, so those to HEAD, which have none, drop them.
    /// </summary>
    internal bool TakesTrailers => CanHaveTrailers || (Scope.IsHttp2 && Scope.IsHead && _state != ResponseState.Complete);

    /// <summary>ASGI's <c>http.response.early_hint</c> and its kin: sends an interim response at once. To HTTP/1.0 it is dropped.</summary>
    /// <param name="response">Status and fields.</param>
    /// <param name="cancellationToken">Cancelling a send that waits for the client to read aborts the connection.</param>
    /// <returns>Completes when the server is ready for more.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The status is not 100 to 199, or is 101.</exception>
    /// <exception cref="InvalidOperationException">
    /// The head of the response was written, or the fields have a length or a coding, which no interim response has.
    /// </exception>
    public ValueTask SendAsync(in InformationalResponse response, CancellationToken cancellationToken = default)
    {
        var (status, fields) = response;
        if (status is < 100 or > 199 or 101)
        {
            throw new ArgumentOutOfRangeException(nameof(response), status, "The status of an interim response is 100 to 199 and not 101.");
        }

        Demand(_state is ResponseState.NotStarted or ResponseState.Held);
        ResponseRules.DemandNoTransferEncoding(status, fields?.Traits ?? ResponseFieldTraits.None);
        _ = ResponseRules.LengthWithoutContent(status, fields?.ContentLength);
        cancellationToken.ThrowIfCancellationRequested();
        return _stream.TrySendInformational(status, fields) ? ValueTask.CompletedTask : AwaitFlush(cancellationToken);
    }

    /// <summary>ASGI's <c>http.response.trailers</c>: ends a response that was started with <see cref="ResponseStart.Trailers"/>.</summary>
    /// <exception cref="InvalidOperationException">
    /// The start has announced no trailers, more content is expected, or a field must not be a trailer (RFC 9110, section 6.5.1).
    /// </exception>
    public ValueTask SendAsync(in ResponseTrailers trailers)
    {
        if (_state != ResponseState.Trailing)
        {
            throw new InvalidOperationException("Trailers follow the last content, when the start of the response has announced them.");
        }

        DemandTrailers(trailers.Fields);
        Complete(trailers: trailers.Fields);
        return ValueTask.CompletedTask;
    }

    private static void DemandTrailers(ResponseFields? fields)
    {
        if (fields is null)
        {
            return;
        }

        DemandTrailer(fields.ContentLength is null ? "" : "Content-Length");
        FieldCursor cursor = default;
        while (fields.Next(ref cursor))
        {
            DemandTrailer(cursor.Name);
        }
    }

    /// <summary>Demands that a field may be sent behind the content.</summary>
    /// <exception cref="InvalidOperationException">It may not (RFC 9110, section 6.5.1).</exception>
    internal static void DemandTrailer(string name)
    {
        if (TrailerNames.IsForbidden(name))
        {
            throw new InvalidOperationException($"'{name}' must not be sent as a trailer (RFC 9110, section 6.5.1).");
        }
    }

    // The last content is written. What the start has announced follows, whether it will have a place or not.
    private void EndBody()
    {
        if (_start.Trailers)
        {
            EndContent(hasTrailers: true);
            _state = ResponseState.Trailing;
        }
        else
        {
            Complete();
        }
    }

    // A response with trailers is chunked, unless the application has announced its length.
    private void EndContent(bool hasTrailers)
    {
        if (_state == ResponseState.Held)
        {
            WriteHead(isWhole: !hasTrailers || !CanHaveTrailers || _start.Fields?.ContentLength is not null);
        }
        else if (_hasContent && _written < _contentLength)
        {
            throw TooFew(_contentLength.Value);
        }
    }
}
