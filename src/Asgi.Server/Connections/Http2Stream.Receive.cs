// What receiving is in HTTP/2: content comes stream by stream, and what is used of it opens the client's windows again. The rest is every
// version's (ReceivingStream).
namespace Asgi.Server.Connections;

internal sealed partial class Http2Stream
{
    /// <summary>Whether the application waits for content that has a least rate.</summary>
    public bool IsAwaitingRatedContent => IsAwaitingContent && RequestRateMin is not null;

    public override void Upgrade()
    {
        RequestRateMin = null;
        BecomeUpgraded();
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

    protected override void BecomeRaw()
    {
        base.BecomeRaw();
        _content.BecomeRaw();
    }

    protected override void OnAwaitBegan()
    {
        if (_content.IsContinueAwaited && _sendState == SendState.Head && _content.TryContinue())
        {
            SendInterims();
            SendInterim(new InterimResponse(100, null));
        }

        _driver.OnAwaitBegan();
    }

    protected override void OnAwaitEnded() => _driver.OnAwaitEnded();

    protected override void Receive(in RequestBody body)
    {
        _calls.Received = body;
        _calls.Add(ReadyCall.Received);
    }
}
