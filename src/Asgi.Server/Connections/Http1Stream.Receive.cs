// The receiving half of the stream: decoded content becomes ASGI's messages. Content belongs to the loop; the application's calls from
// other threads are posted to it.
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Stream
{
    private bool _isAwaitingContent;
    private bool _isReceiveCanceled;
    private CancellationToken _receiveToken;
    private long _consumed;
    private long _examined;
    private bool _hasReceived;
    private bool _hasSeenEnd;

    public override bool HasReceived => _hasReceived;

    public override FieldSection? Trailers => _hasSeenEnd || !HasContent ? _content.Trailers : null;

    /// <summary>Content counts that the application has examined but not consumed.</summary>
    private bool HasNews => _content.IsComplete || _connection.Input.ContentLength > _examined - _consumed;

    /// <summary>Whether a receive waits: then input is wanted however much is buffered.</summary>
    public bool IsAwaitingContent => _isAwaitingContent;

    public override bool TryReceive(out RequestBody body)
    {
        if (_connection.Record.IsLogged && !_hasReceived && HasContent)
        {
            _connection.Log.ContentReadBegan(_connection.Id);
        }

        _hasReceived = true;

        // Off the loop only an end can be told at once; after an upgrade what has ended was the request, not the connection.
        using var entry = _loop.Enter();
        if (entry.IsInside || (_content.IsComplete && _connection.Input.ContentLength == 0 && !IsUpgraded))
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

    /// <summary>Content has arrived, or will not: a receive that waits goes on. Loop thread.</summary>
    public void OnContent()
    {
        if (_isAwaitingContent && TryTake(out var body))
        {
            EndAwaitContent(body);
        }
    }

    private bool TryTake(out RequestBody body)
    {
        if (_consumed > 0)
        {
            _connection.Input.AdvanceContent(_consumed);
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
            body = RequestBody.Canceled(_connection.Input.Content);
        }
        else if (_isBroken && !_content.IsComplete)
        {
            body = RequestBody.Disconnect;
        }
        else if (HasNews)
        {
            _hasSeenEnd = _content.IsComplete;
            body = new RequestBody(_connection.Input.Content, moreBody: !_hasSeenEnd);
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
        _content.Await(mayContinue: !_isHeadWritten);
        _connection.ReceiveLater();
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

    private void EndAwaitContent(in RequestBody body)
    {
        _isAwaitingContent = false;
        _content.EndAwait();
        _driver.ReadyReceived(body);
    }

    private void ResetReceive()
    {
        _hasReceived = false;
        _hasSeenEnd = false;
        _isAwaitingContent = false;
        _isReceiveCanceled = false;
        _consumed = _examined = 0;
    }
}
