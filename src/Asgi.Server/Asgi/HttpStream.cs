// The framing of one exchange: how its head and content become the bytes of a protocol version, and back. Implemented per protocol in
// Connections/ (Http1Stream); called by HttpExchange only, on whichever thread the application runs.
using Asgi.Server.Protocols.Http;

namespace Asgi;

/// <summary>What the exchange has decided of a response's head, for the stream to frame.</summary>
internal readonly record struct ResponseHeadDecision(
    int Status,
    string? ReasonPhrase,
    ResponseFields? Fields,
    long? ContentLength,
    bool HasContent);

internal abstract class HttpStream
{
    /// <summary>The largest content the request may have, or null; fixed once receiving has begun.</summary>
    public abstract long? ContentLengthMax { get; set; }

    /// <summary>The least rate of content while the application waits for it, or null.</summary>
    public abstract DataRate? RequestRateMin { get; set; }

    /// <summary>The least rate at which the client takes what is sent, or null.</summary>
    public abstract DataRate? ResponseRateMin { get; set; }

    /// <summary>Whether receiving has begun, after which <see cref="ContentLengthMax"/> is fixed.</summary>
    public abstract bool HasReceived { get; }

    /// <summary>Whether the request has content that may still arrive or be read.</summary>
    public abstract bool HasContent { get; }

    /// <summary>Whether the request asks to switch protocols (RFC 9110, section 7.8).</summary>
    public abstract bool IsUpgradable { get; }

    /// <summary>The request's trailer section; null until its content has arrived whole.</summary>
    public abstract FieldSection? Trailers { get; }

    /// <summary>Whether the connection is broken: what is written now goes nowhere.</summary>
    public abstract bool IsBroken { get; }

    /// <summary>Content that has arrived and was not examined, its end, or a disconnect.</summary>
    /// <returns>False when there is nothing yet, or when the caller is not on the loop.</returns>
    public abstract bool TryReceive(out RequestBody body);

    /// <summary>Has <see cref="HttpExchange.CompleteReceive"/> called once, when a receive would succeed.</summary>
    public abstract void AwaitContent();

    /// <summary>The application has used so much of the content it was lent, and looked at so much.</summary>
    public abstract void AdvanceTo(long consumed, long examined);

    /// <summary>Ends a receive under way, or the next one. Any thread.</summary>
    public abstract void CancelReceive();

    /// <summary>Writes the head in front of content written before it. Nothing leaves before a flush.</summary>
    /// <exception cref="InvalidOperationException">A field or the reason phrase cannot be sent; nothing was written.</exception>
    public abstract void WriteHead(in ResponseHeadDecision head);

    public abstract Memory<byte> GetMemory(int sizeHint);

    public abstract void Advance(int count);

    /// <summary>Forgets content that was written before the head.</summary>
    public abstract void DropContent();

    /// <summary>Sends what is written.</summary>
    /// <returns>False when the client must read before more is written.</returns>
    public abstract bool TryFlush();

    /// <summary>Has <see cref="HttpExchange.CompleteFlush"/> called once, when the client has read enough.</summary>
    public abstract void AwaitFlush();

    /// <summary>Ends a flush that waits. Any thread.</summary>
    public abstract void CancelFlush();

    /// <summary>Ends the content and sends what is written.</summary>
    /// <param name="isReturning">The application's task completes next: on another thread one post then serves for both.</param>
    public abstract void Complete(bool isReturning);

    /// <summary>Ends the response short of its length: the client must see that it is truncated.</summary>
    public abstract void Truncate();

    /// <summary>The connection does not persist after this response.</summary>
    public abstract void CloseAfterResponse();

    /// <summary>From here on both directions are raw bytes.</summary>
    public abstract void Upgrade();

    /// <summary>Breaks the stream at once; for HTTP/1 its connection.</summary>
    public abstract void Abort();
}
