// The content of one HTTP/2 request: copied out of the connection's input as it arrives, since streams share that, and given back to the
// client's windows as the application uses it. What is wrong with its length by its own words is the machine's to say; here is what the
// server allows. Used by the stream, on the loop's thread.
using System.Buffers;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed class Http2Content(Http2Driver driver, Http2StreamState state) : IRequestContent
{
    private static readonly FieldSection s_none = new();

    private readonly ReceiveBuffer _buffer = new(driver.Connection.Loop.Blocks);
    private int _hasContinued;
    private bool _isGivenBack;

    // Bytes at the start of the unread content for which the client has its room back.
    private long _givenAhead;
    private volatile bool _isHidden;
    private volatile bool _hasEnded;

    /// <summary>
    /// Whether all of it has arrived. Any thread: once it has, the loop no longer touches the content. What follows an extended CONNECT
    /// is none until that is accepted.
    /// </summary>
    public bool IsComplete => _hasEnded || _isHidden;

    /// <summary>Content that has arrived and was not consumed. Borrowed.</summary>
    public ReadOnlySequence<byte> Unread => _isHidden ? ReadOnlySequence<byte>.Empty : _buffer.Content;

    public long UnreadLength => _isHidden ? 0 : _buffer.ContentLength;

    /// <summary>Whether the request says that it has content.</summary>
    public bool IsExpected => state.Head.HasContent && !_isHidden;

    /// <summary>Why the rest is refused.</summary>
    public HttpFault? Fault { get; private set; }

    /// <summary>The trailer section, once all content has arrived.</summary>
    public FieldSection? Trailers => !IsComplete ? null : state.HasTrailers ? state.Trailers : s_none;

    /// <summary>Content that the application may not exceed; null for no limit.</summary>
    public long? LengthMax { get; set; }

    public void Begin()
    {
        var head = state.Head;
        _hasEnded = !head.HasContent;
        _isHidden = head.IsExtendedConnect;
        _hasContinued = 0;
        _isGivenBack = false;
        _givenAhead = 0;
        Fault = null;
        LengthMax = driver.Connection.Limits.ContentLengthMax;
    }

    /// <summary>A part of it has arrived.</summary>
    public void Add(ReadOnlySpan<byte> part)
    {
        while (part.Length > 0)
        {
            var room = _buffer.GetReceiveSpan();
            var length = Math.Min(room.Length, part.Length);
            part[..length].CopyTo(room);
            _buffer.Commit(length);
            _buffer.CommitContent(length, length);
            part = part[length..];
        }
    }

    /// <summary>The client has ended the stream.</summary>
    public void End() => _hasEnded = true;

    /// <summary>The connection ends before the content does.</summary>
    public void Break() => Fault ??= IsComplete ? null : ConnectionFaults.UnexpectedEnd;

    /// <summary>It comes too slowly.</summary>
    public void RefuseSlow() => Fault ??= ConnectionFaults.TooSlow;

    /// <summary>From here on the content is whatever the client sends.</summary>
    public void BecomeRaw()
    {
        _isHidden = false;
        _hasContinued = 1;
        LengthMax = null;
    }

    /// <summary>The fault of the content, which may be that it is longer than the application allows.</summary>
    public HttpFault? Check()
    {
        if (Fault is null && LengthMax is { } max && (state.Head.ContentLength ?? state.ContentBytes) > max && IsExpected)
        {
            Fault = ConnectionFaults.TooLarge(max);
        }

        return Fault;
    }

    /// <summary>
    /// The application has used so much, and looked at so much (which includes that). Who has looked at all of it waits for more, as those
    /// do that take whole messages: the client gets room for what was looked at, or a message larger than the window would never be whole.
    /// </summary>
    public void Advance(long consumed, long examined)
    {
        var news = examined - _givenAhead;
        _givenAhead = Math.Max(_givenAhead, examined) - consumed;
        if (consumed > 0)
        {
            _buffer.AdvanceContent(consumed);
            _buffer.ReleaseIfUnused();
        }

        if (news > 0 && !_isGivenBack)
        {
            driver.GiveBack(state, (int)news);
        }
    }

    /// <summary>
    /// Nobody will read the rest, or it does not matter any more how fast: the other streams need the connection's window.
    /// </summary>
    public void GiveBack()
    {
        if (!_isGivenBack)
        {
            _isGivenBack = true;
            driver.GiveBack(state, state.UnconsumedBytes);
        }
    }

    /// <summary>Whether the client waits for 100 (RFC 9110, section 10.1.1) and has not begun without it.</summary>
    public bool IsContinueAwaited => state.Head.ExpectContinue && state.ContentBytes == 0 && !IsComplete;

    /// <summary>Claims the one 100 that may be sent, by the server or by the application. Any thread.</summary>
    public bool TryContinue() => Interlocked.Exchange(ref _hasContinued, 1) == 0;

    /// <summary>Nobody uses it any more: it holds no block.</summary>
    public void Clear() => _buffer.Clear();
}
