// The server's side of HTTP/1 (RFC 9112) as a machine over bytes: states and transitions; the syntax is in the parsers around it.
// Called by the driver of one connection, on the thread that owns the connection.

using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal enum Http1Event
{
    /// <summary>Nothing yet: call again with the bytes that were not consumed and more behind them.</summary>
    NeedData,

    /// <summary><see cref="Http1Machine.Head"/> is filled.</summary>
    Request,

    /// <summary>Content lies in the first <see cref="Http1Machine.ContentBytes"/> bytes of the buffer.</summary>
    Content,

    /// <summary>The message is complete, <see cref="Http1Machine.Trailers"/> are filled; the machine waits for Next.</summary>
    EndOfMessage,

    /// <summary>The peer broke the protocol; <see cref="Http1Machine.Fault"/> says how, and every later read says it again.</summary>
    Fault,
}

internal sealed class Http1Machine(Http1Limits limits)
{
    private State _state;
    private RequestLineParser _requestLine;
    private FieldLineParser _fieldLines;
    private ChunkedDecoder _chunks;
    private int _emptyLineBytes; // dropped before the request line, and charged to its limit
    private long _remaining;     // of a content with Content-Length
    private FieldSection? _trailers;

    private enum State
    {
        RequestLine,
        HeaderSection,
        FixedContent,
        ChunkedContent,
        TrailerSection,
        EndOfContent,
        Complete,
        Raw,
        Faulted,
    }

    public RequestHead Head { get; } = new();

    /// <summary>The trailer section; offsets relative to the buffer of the read that gave EndOfMessage, valid until the next one.</summary>
    public FieldSection Trailers => _trailers ??= new FieldSection();

    /// <summary>Whether there are any, which is rare.</summary>
    public bool HasTrailers => _trailers is { Count: > 0 };

    public HttpFault? Fault { get; private set; }

    /// <summary>The content of the last read: it lies at the front of that read's buffer.</summary>
    public int ContentBytes { get; private set; }

    /// <summary>The content of this message so far, without its framing.</summary>
    public long TotalContentBytes { get; private set; }

    /// <summary>
    /// What the chunked coding of this message added so far: size lines, extensions and line ends, but not the trailer section.
    /// </summary>
    public long FramingBytes { get; private set; }

    /// <summary>Whether the next event is a request.</summary>
    public bool InHead => _state is State.RequestLine or State.HeaderSection;

    /// <summary>Whether a part of a head was seen: then the head has a deadline, and the end of the stream cuts it off.</summary>
    public bool IsMidHead => _state == State.HeaderSection || (_state == State.RequestLine && _requestLine.HasBegun);

    /// <summary>Whether nothing of a message was seen, not even an empty line before it: then a new machine would do as well.</summary>
    public bool IsFresh => _state == State.RequestLine && !_requestLine.HasBegun && _emptyLineBytes == 0;

    /// <summary>Whether the request line of the message was parsed: what is wrong comes after it.</summary>
    public bool HasRequestLine { get; private set; }

    /// <summary>
    /// Takes the next event out of <paramref name="buffer"/>, which holds all bytes not consumed so far. Content is decoded in place, so
    /// the consumed part of the buffer is overwritten.
    /// </summary>
    public Http1Event Read(Span<byte> buffer, out int consumed)
    {
        consumed = 0;
        ContentBytes = 0;
        HttpFault? fault;
        int end;
        while (true)
        {
            switch (_state)
            {
                case State.RequestLine:
                    if (!TryParseRequestLine(buffer, out end, out consumed, out fault))
                        return NeedDataOr(fault, ref consumed);
                    _fieldLines.Start(end);
                    HasRequestLine = true;
                    _state = State.HeaderSection;
                    continue;

                case State.HeaderSection:
                    if (!_fieldLines.TryParse(buffer, limits, Head.Fields, out end, out fault))
                        return NeedDataOr(fault, ref consumed);
                    if ((fault = Framing.Decide(buffer, Head, limits)) is not null)
                        return NeedDataOr(fault, ref consumed);
                    consumed = end;
                    _remaining = Head.ContentLength ?? 0;
                    _state = Head.IsChunked ? State.ChunkedContent : _remaining > 0 ? State.FixedContent : State.EndOfContent;
                    return Http1Event.Request;

                case State.FixedContent:
                    consumed = (int)Math.Min(_remaining, buffer.Length);
                    _remaining -= consumed;
                    if (_remaining == 0)
                        _state = State.EndOfContent;
                    return ContentOrNeedData(consumed);

                case State.ChunkedContent:
                    fault = _chunks.Decode(buffer, limits, out consumed, out int content);
                    if (fault is not null)
                        return NeedDataOr(fault, ref consumed);
                    FramingBytes += consumed - content;
                    if (_chunks.IsComplete)
                    {
                        // After content the trailer section begins a read of its own, otherwise it goes on in this one.
                        _fieldLines.Start(content > 0 ? 0 : consumed);
                        _state = State.TrailerSection;
                    }
                    if (content > 0 || !_chunks.IsComplete)
                        return ContentOrNeedData(content);
                    continue;

                case State.TrailerSection:
                    if (!_fieldLines.TryParse(buffer, limits, Trailers, out end, out fault))
                    {
                        if (consumed > 0)
                            RestartTrailerSection();
                        return NeedDataOr(fault, ref consumed);
                    }
                    consumed = end;
                    _state = State.Complete;
                    return Http1Event.EndOfMessage;

                case State.EndOfContent:
                    _state = State.Complete;
                    return Http1Event.EndOfMessage;

                case State.Raw:
                    consumed = buffer.Length;
                    return ContentOrNeedData(consumed);

                case State.Faulted:
                    return Http1Event.Fault;

                default:
                    throw new InvalidOperationException("The message is complete: Next comes before Read.");
            }
        }
    }

    /// <summary>Goes on to the next request of the connection; pipelined bytes have stayed with the caller.</summary>
    public void Next()
    {
        if (_state != State.Complete)
            throw new InvalidOperationException("The message is not complete.");
        Reset();
    }

    /// <summary>Makes the machine ready for the first request of a connection, whatever became of the last one.</summary>
    public void Reset()
    {
        _state = State.RequestLine;
        _requestLine = default;
        _chunks = default;
        _emptyLineBytes = 0;
        _remaining = 0;
        HasRequestLine = false;
        Fault = null;
        ContentBytes = 0;
        TotalContentBytes = 0;
        FramingBytes = 0;
        Head.Clear();
        _trailers?.Clear();
    }

    /// <summary>
    /// Takes everything after this request for content without framing, until the caller stops: the answer is 101, or 2xx to CONNECT
    /// (RFC 9110, 7.8 and 9.3.6). The request has no content of its own.
    /// </summary>
    public void UpgradeToRaw()
    {
        if (_state is not (State.EndOfContent or State.Complete) || Head.HasContent)
            throw new InvalidOperationException("Only a request without content can be upgraded.");
        _state = State.Raw;
    }

    private bool TryParseRequestLine(ReadOnlySpan<byte> buffer, out int end, out int consumed, out HttpFault? fault)
    {
        // No byte beyond the limit is ever looked at, so the answer cannot depend on how the bytes arrive.
        consumed = 0;
        int limit = limits.MaxRequestLineSize - _emptyLineBytes;
        ReadOnlySpan<byte> window = buffer.Length > limit ? buffer[..limit] : buffer;
        if (_requestLine.TryParse(window, Head, out end, out fault))
            return true;

        if (fault is null && window.Length == limit)
            fault = Http1Faults.RequestLineTooLong;
        // An idle connection need not hold a buffer for empty lines.
        consumed = _requestLine.TakeEmptyLines();
        _emptyLineBytes += consumed;
        return false;
    }

    /// <summary>The bytes before the section are consumed by this read, so in the next one the section begins at 0.</summary>
    private void RestartTrailerSection()
    {
        Trailers.Clear();
        _fieldLines.Start(0);
    }

    private Http1Event ContentOrNeedData(int content)
    {
        ContentBytes = content;
        TotalContentBytes += content;
        return content > 0 ? Http1Event.Content : Http1Event.NeedData;
    }

    private Http1Event NeedDataOr(HttpFault? fault, ref int consumed)
    {
        if (fault is null)
            return Http1Event.NeedData;
        consumed = 0;
        Fault = fault;
        _state = State.Faulted;
        return Http1Event.Fault;
    }
}
