// The receiving half of the stream: content becomes ASGI's messages. Content belongs to the loop; the application's calls from other
// threads are posted to it.
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Stream
{
    private bool _isAwaitingContent;
    private bool _isReceiveCanceled;
    private bool _isRaw;
    private CancellationToken _receiveToken;
    private long _consumed;
    private long _examined;
    private bool _hasReceived;

    // Whether the application may hold content, by what the loop knows: it has had some.
    private bool _hasLent;
    private bool _hasSeenEnd;

    public override bool HasReceived => _hasReceived;

    public override FieldSection? Trailers => _hasSeenEnd || !HasContent ? _content.Trailers : null;

    /// <summary>Whether the application waits for content that has a least rate.</summary>
    public bool IsAwaitingRatedContent => _isAwaitingContent && RequestRateMin is not null;

    // Content counts that the application has examined but not consumed.
    private bool HasNews => _content.IsComplete || _content.UnreadLength > _examined - _consumed;

    public override bool TryReceive(out RequestBody body)
    {
        if (_connection.Record.IsLogged && !_hasReceived && HasContent)
        {
            _connection.Log.ContentReadBegan(_connection.Id);
        }

        _hasReceived = true;

        // Off the loop only an end can be told at once; after an extended CONNECT what has ended was the request, not the stream.
        using var entry = _loop.Enter();
        if (entry.IsInside || (_content.IsComplete && _content.UnreadLength == 0 && !_isRaw))
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
            Post(Work.Receive);
        }
    }

    public override void AdvanceTo(long consumed, long examined)
    {
        // Applied by the next receive, on the loop: the blocks belong to it.
        _consumed = consumed;
        _examined = examined;
    }

    public override void CancelReceive() => Post(Work.CancelReceive);

    public override void EndCanceledWait() => Post(Work.EndCanceledWait);

    public override void Upgrade()
    {
        _isRaw = true;
        RequestRateMin = null;
        using var entry = _loop.Enter();
        if (entry.IsInside)
        {
            BecomeRaw();
        }
        else
        {
            Post(Work.Upgrade);
        }
    }

    /// <summary>A part of the content has arrived, possibly the last. Loop thread.</summary>
    public void OnReceived(ReadOnlySpan<byte> part, bool isLast)
    {
        if (_life != Life.Running || _isBroken)
        {
            _driver.GiveBack(State, part.Length);
            return;
        }

        _content.Add(part);
        if (part.IsEmpty)
        {
            // All of the frame was padding, which is used up by having come.
            _driver.GiveBackPadding(State);
        }

        if (isLast)
        {
            OnEndOfContent();
        }
        else
        {
            OnContent();
        }
    }

    /// <summary>The client has ended the stream, with trailers or without. Loop thread.</summary>
    public void OnEndOfContent()
    {
        _content.End();
        if (_connection.Record.IsLogged && _life == Life.Running)
        {
            _connection.Log.ContentIsWhole(_connection.Id);
        }

        OnContent();
    }

    /// <summary>The content that the application waits for comes too slowly. Loop thread.</summary>
    public void RefuseSlowContent()
    {
        _content.RefuseSlow();
        OnContent();
    }

    // Content has arrived, or will not: a receive that waits goes on.
    private void OnContent()
    {
        if (_isAwaitingContent && TryTake(out var body))
        {
            _isAwaitingContent = false;
            _driver.OnAwaitEnded();
            _calls.Received = body;
            _calls.Add(ReadyCall.Received);
        }
    }

    private bool TryTake(out RequestBody body)
    {
        if (_examined > 0)
        {
            _content.Advance(_consumed, _examined);
            _examined -= _consumed;
            _consumed = 0;
        }

        if (_content.Check() is { } fault)
        {
            body = RequestBody.Refused(fault);
        }
        else if (_isReceiveCanceled)
        {
            _isReceiveCanceled = false;
            _hasLent |= _content.UnreadLength > 0;
            body = RequestBody.Canceled(_content.Unread);
        }
        else if (_isBroken && !_content.IsComplete)
        {
            body = RequestBody.Disconnect;
        }
        else if (HasNews)
        {
            _hasSeenEnd = _content.IsComplete;
            _hasLent |= _content.UnreadLength > 0;
            body = new RequestBody(_content.Unread, moreBody: !_hasSeenEnd);
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
        _isAwaitingContent = true;
        if (_content.IsContinueAwaited && _sendState == SendState.Head && _content.TryContinue())
        {
            SendInterims();
            SendInterim(new InterimResponse(100, null));
        }

        _driver.OnAwaitBegan();
        OnContent();
        CancelWaitIfAsked();
    }

    // The post of a token that was cancelled late may find another receive, of another request even: its own token is what counts.
    private void CancelWaitIfAsked()
    {
        if (_isAwaitingContent && _receiveToken.IsCancellationRequested)
        {
            _isReceiveCanceled = true;
            OnContent();
        }
    }

    private void BecomeRaw()
    {
        _hasSeenEnd = false;
        _content.BecomeRaw();
    }

    private void ResetReceive()
    {
        _hasReceived = false;
        _hasLent = false;
        _hasSeenEnd = false;
        _isAwaitingContent = false;
        _isReceiveCanceled = false;
        _isRaw = false;
        _consumed = _examined = 0;
    }
}
