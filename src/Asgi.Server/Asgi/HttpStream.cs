// The framing of one exchange: how its head and content become the bytes of a protocol version, and back. Implemented per protocol in
// Connections/ (Http1Stream, Http2Stream); called by HttpExchange only, on whichever thread the application runs.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;
using Microsoft.Win32.SafeHandles;

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

    /// <summary>
    /// Has <see cref="HttpExchange.CompleteReceive"/> called once, when a receive would succeed, or the token is cancelled and
    /// <see cref="EndCanceledWait"/> has said so.
    /// </summary>
    public abstract void AwaitContent(CancellationToken cancellationToken);

    /// <summary>A token was cancelled: the receive that waits ends, if the token is its own. Any thread.</summary>
    public abstract void EndCanceledWait();

    /// <summary>The application has used so much of the content it was lent, and looked at so much.</summary>
    public abstract void AdvanceTo(long consumed, long examined);

    /// <summary>Ends a receive under way, or the next one. Any thread.</summary>
    public abstract void CancelReceive();

    /// <summary>Writes the head in front of content written before it. Nothing leaves before a flush.</summary>
    /// <exception cref="InvalidOperationException">A field or the reason phrase cannot be sent; nothing was written.</exception>
    public abstract void WriteHead(in ResponseHeadDecision head);

    public abstract Memory<byte> GetMemory(int sizeHint);

    public abstract void Advance(int count);

    /// <summary>Sends content from where it lies, behind all that was written, as far as that can be done at once.</summary>
    /// <param name="content">Content that fits the length of the response, whose head is written.</param>
    /// <returns>How many bytes were sent; the rest is to be written.</returns>
    public virtual int SendDirect(ReadOnlySpan<byte> content) => 0;

    /// <summary>Whether <see cref="WriteFile"/> is to be used; else a file is read into memory got from the stream.</summary>
    public virtual bool CanSendFiles => false;

    /// <summary>
    /// Adds a part of a file to the content, without reading it. A flush then waits until all of it is sent, or the stream is broken.
    /// </summary>
    /// <param name="file">An open file that can be read at an offset; it is held until then.</param>
    /// <param name="offset">Where the part starts, in bytes.</param>
    /// <param name="count">Its length in bytes, greater than 0.</param>
    /// <param name="ownsHandle">Whether the stream closes the file, from the return of this call on.</param>
    public virtual void WriteFile(SafeFileHandle file, long offset, long count, bool ownsHandle) => throw new NotSupportedException();

    /// <summary>Forgets content that was written before the head.</summary>
    public abstract void DropContent();

    /// <summary>Whether the response has a place for trailers; as long as its head is not written, whether it could have.</summary>
    public abstract bool CanHaveTrailers { get; }

    /// <summary>Ends the content with a trailer section; <see cref="Complete"/> follows.</summary>
    /// <exception cref="InvalidOperationException">A field cannot be sent; nothing was written.</exception>
    public abstract void WriteTrailers(ResponseFields trailers);

    /// <summary>
    /// Sends an interim response at once, before a head that is not written yet; dropped where the protocol version has none. A second 100
    /// is dropped too, whether the first was the server's own or not.
    /// </summary>
    /// <returns>False when the client must read before more is written.</returns>
    /// <exception cref="InvalidOperationException">A field cannot be sent; nothing was written.</exception>
    public abstract bool TrySendInformational(int status, ResponseFields? fields);

    /// <summary>Sends what is written.</summary>
    /// <returns>False when the client must read before more is written.</returns>
    public abstract bool TryFlush();

    /// <summary>Has <see cref="HttpExchange.CompleteFlush"/> called once, when the client has read enough.</summary>
    public abstract void AwaitFlush();

    /// <summary>Ends a flush that waits. Any thread.</summary>
    public abstract void CancelFlush();

    /// <summary>Ends the content and sends what is written.</summary>
    /// <param name="isReturning">The application's task completes next: what is written may leave with its return.</param>
    public abstract void Complete(bool isReturning);

    /// <summary>Ends the response short of its length: the client must see that it is truncated.</summary>
    public abstract void Truncate();

    /// <summary>
    /// The framing of the exchange can no longer be trusted: a connection that has no other does not persist after it. Any thread.
    /// </summary>
    /// <param name="error">The error that is the cause; none: the response is sound, and ends as its connection does.</param>
    public abstract void CloseAfterResponse(ConnectionEndReason error = ConnectionEndReason.None);

    /// <summary>Takes a place among the connections that may be upgraded at a time.</summary>
    /// <returns>False when there is none.</returns>
    public abstract bool TryCountUpgrade();

    /// <summary>Gives the place back: the upgrade has failed.</summary>
    public abstract void StopCountingUpgrade();

    /// <summary>From here on both directions are raw bytes.</summary>
    public abstract void Upgrade();

    /// <summary>
    /// The caller is about to block its thread until something happens to this exchange: from here on that thread is not the loop's.
    /// </summary>
    public abstract void WillBlock();

    /// <summary>
    /// The application wants its connection to end: with this response, or, where several share a connection, when those under way are
    /// done. Any thread.
    /// </summary>
    public abstract void RequestClose();

    /// <summary>Breaks the stream at once; for HTTP/1 its connection.</summary>
    public abstract void Abort(ConnectionEndReason reason);

    /// <summary>Breaks the stream at once, with an error code for the client (RFC 9113, section 7). Only HTTP/2 has one.</summary>
    public virtual void Reset(int errorCode) => throw new NotSupportedException();
}
