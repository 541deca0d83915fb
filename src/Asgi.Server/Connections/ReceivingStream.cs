// The receiving half of an exchange, in every version of HTTP: content becomes ASGI's messages. Content belongs to the loop; the
// application's calls from other threads are posted to it. What content is, and what waiting for it entails, is the protocol's
// (Http1Stream.Receive.cs, Http2Stream.Receive.cs). Called by the exchange on the application's thread, and on the loop's.
using System.Buffers;
using Asgi.Server.Loops;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Connections;

/// <summary>What other threads want of a stream, as flags of one post.</summary>
[Flags]
internal enum StreamWork
{
    Output = 1,
    Receive = 2,
    CancelReceive = 4,
    CancelFlush = 8,

    /// <summary>HTTP/1: of the connection. HTTP/2: of the stream.</summary>
    Abort = 16,
    Returned = 32,
    Upgrade = 64,
    EndCanceledWait = 128,

    /// <summary>Of the connection.</summary>
    RequestClose = 256,
}

/// <summary>The content of a request, as far as a receive asks for it. Loop thread, but what is marked.</summary>
internal interface IRequestContent
{
    /// <summary>Whether all of it has arrived. Any thread: once it has, the loop no longer touches the content.</summary>
    bool IsComplete { get; }

    /// <summary>Content that has arrived and was not consumed. Borrowed.</summary>
    ReadOnlySequence<byte> Unread { get; }

    /// <summary>Its length in bytes. Any thread, once all has arrived.</summary>
    long UnreadLength { get; }

    /// <summary>The trailer section, once all content has arrived.</summary>
    FieldSection? Trailers { get; }

    /// <summary>The fault of the content, which may be that it is longer than the application allows.</summary>
    HttpFault? Check();

    /// <summary>The application has used so much, and looked at so much, which includes that.</summary>
    void Advance(long consumed, long examined);
}

internal abstract class ReceivingStream(Connection connection, IRequestContent content) : HttpStream
{
    private protected readonly Connection _connection = connection;
    private protected readonly Loop _loop = connection.Loop;
    private readonly IRequestContent _received = content;
    private bool _isReceiveCanceled;
    private CancellationToken _receiveToken;
    private long _consumed;
    private long _examined;
    private bool _hasReceived;
    private bool _hasSeenEnd;

    /// <summary>Whether both directions are raw bytes, after an upgrade.</summary>
    public bool IsUpgraded { get; private set; }

    public override bool HasReceived => _hasReceived;

    public override FieldSection? Trailers => _hasSeenEnd || !HasContent ? _received.Trailers : null;

    /// <summary>Whether a receive waits: then input is wanted however much is buffered.</summary>
    public bool IsAwaitingContent { get; private set; }

    /// <summary>Whether the application may hold content, by what the loop knows: it has had some.</summary>
    protected bool HasLent { get; private set; }

    /// <summary>Content counts that the application has examined but not consumed.</summary>
    private bool HasNews => _received.IsComplete || _received.UnreadLength > _examined - _consumed;

    public override bool TryReceive(out RequestBody body)
    {
        if (_connection.Record.IsLogged && !_hasReceived && HasContent)
        {
            _connection.Log.ContentReadBegan(_connection.Id);
        }

        _hasReceived = true;

        // Off the loop only an end can be told at once; after an upgrade what has ended was the request, not what both sides say now.
        using var entry = _loop.Enter();
        if (entry.IsInside || (_received.IsComplete && _received.UnreadLength == 0 && !IsUpgraded))
        {
            return TryTake(out body);
        }

        body = default;
        return false;
    }

    public override void AwaitContent(CancellationToken cancellationToken)
    {
        _receiveToken = cancellationToken;
        using var entry = _loop.Enter();
        if (entry.IsInside)
        {
            BeginAwaitContent();
        }
        else
        {
            Post(StreamWork.Receive);
        }
    }

    public override void AdvanceTo(long consumed, long examined)
    {
        // Applied by the next receive, on the loop: the blocks belong to it.
        _consumed = consumed;
        _examined = examined;
    }

    public override void CancelReceive() => Post(StreamWork.CancelReceive);

    public override void EndCanceledWait() => Post(StreamWork.EndCanceledWait);

    /// <summary>Content has arrived, or will not: a receive that waits goes on. Loop thread.</summary>
    public void OnContent()
    {
        if (IsAwaitingContent && TryTake(out var body))
        {
            IsAwaitingContent = false;
            OnAwaitEnded();
            Receive(body);
        }
    }

    /// <summary>The switch of protocols: content and the receive buffer are the loop's, and so is the turn to raw bytes.</summary>
    protected void BecomeUpgraded()
    {
        IsUpgraded = true;
        using var entry = _loop.Enter();
        if (entry.IsInside)
        {
            BecomeRaw();
        }
        else
        {
            Post(StreamWork.Upgrade);
        }
    }

    /// <summary>From here on the content is whatever the client sends. Loop thread.</summary>
    protected virtual void BecomeRaw() => _hasSeenEnd = false;

    /// <summary>Has the flags run on the loop. Any thread.</summary>
    protected abstract void Post(StreamWork work);

    /// <summary>A receive begins to wait. Loop thread.</summary>
    protected abstract void OnAwaitBegan();

    /// <summary>It waits no longer, whatever comes of it. Loop thread.</summary>
    protected abstract void OnAwaitEnded();

    /// <summary>Has the receive that has waited completed, from the ready list. Loop thread.</summary>
    protected abstract void Receive(in RequestBody body);

    /// <summary>Does what was posted about receiving. Loop thread.</summary>
    protected void RunReceiving(StreamWork work)
    {
        if ((work & StreamWork.Upgrade) != 0)
        {
            BecomeRaw();
        }

        if ((work & StreamWork.CancelReceive) != 0)
        {
            _isReceiveCanceled = true;
            OnContent();
        }

        if ((work & StreamWork.Receive) != 0)
        {
            BeginAwaitContent();
        }

        if ((work & StreamWork.EndCanceledWait) != 0)
        {
            CancelWaitIfAsked();
        }
    }

    /// <summary>The application is done: a receive that it left waiting concerns nobody. Loop thread.</summary>
    protected bool TryForgetReceive()
    {
        var hasWaited = IsAwaitingContent;
        IsAwaitingContent = false;
        return hasWaited;
    }

    protected void ResetReceive()
    {
        IsUpgraded = false;
        _hasReceived = false;
        HasLent = false;
        _hasSeenEnd = false;
        IsAwaitingContent = false;
        _isReceiveCanceled = false;
        _consumed = _examined = 0;
    }

    private bool TryTake(out RequestBody body)
    {
        if (_examined > 0)
        {
            _received.Advance(_consumed, _examined);
            _examined -= _consumed;
            _consumed = 0;
        }

        if (_received.Check() is { } fault)
        {
            body = RequestBody.Refused(fault);
        }
        else if (_isReceiveCanceled)
        {
            _isReceiveCanceled = false;
            HasLent |= _received.UnreadLength > 0;
            body = RequestBody.Canceled(_received.Unread);
        }
        else if (IsBroken && !_received.IsComplete)
        {
            body = RequestBody.Disconnect;
        }
        else if (HasNews)
        {
            _hasSeenEnd = _received.IsComplete;
            HasLent |= _received.UnreadLength > 0;
            body = new RequestBody(_received.Unread, moreBody: !_hasSeenEnd);
        }
        else
        {
            body = default;
            return false;
        }

        return true;
    }

    private void BeginAwaitContent()
    {
        IsAwaitingContent = true;
        OnAwaitBegan();
        OnContent();
        CancelWaitIfAsked();
    }

    // The post of a token that was cancelled late may find another receive, of another request even: its own token is what counts.
    private void CancelWaitIfAsked()
    {
        if (IsAwaitingContent && _receiveToken.IsCancellationRequested)
        {
            _isReceiveCanceled = true;
            OnContent();
        }
    }
}
