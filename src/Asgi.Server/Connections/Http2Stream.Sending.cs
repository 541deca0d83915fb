// What a stream has to send, on the loop's side: taken over from the application, and given to the driver to make frames of. Loop thread,
// or a visit of the application to it.
namespace Asgi.Server.Connections;

internal sealed partial class Http2Stream
{
    private SendState _sendState;
    private bool _isEndKnown;
    private WindowRate _windowRate;

    /// <summary>How far the response is on its way; it only moves forward.</summary>
    private enum SendState
    {
        /// <summary>No head was sent.</summary>
        Head,

        Content,

        /// <summary>END_STREAM is sent.</summary>
        Ended,

        /// <summary>Reset, by whichever side, or without a connection: nothing more is sent.</summary>
        Broken,
    }

    /// <summary>Content that waits for its turn.</summary>
    public Http2Pending Pending { get; }

    /// <summary>The head of the response, once that is handed over.</summary>
    public ref readonly ResponseHeadDecision Head => ref _head;

    public ResponseFieldTraits HeadTraits { get; private set; }

    /// <summary>Trailers to be sent behind all content, or null.</summary>
    public ResponseFields? TrailersToSend => _isEndKnown ? _trailers : null;

    /// <summary>Whether no more content will come.</summary>
    public bool IsEndKnown => _isEndKnown;

    /// <summary>Whether there is something that a turn could send, if the windows let it.</summary>
    public bool HasToSend => _sendState == SendState.Content && (Pending.Length > 0 || _isEndKnown);

    /// <summary>The driver's queue of streams that have something to send.</summary>
    public Http2Stream? NextQueued { get; set; }

    public bool IsQueued { get; set; }

    /// <summary>How the client opens the window of the stream, while something waits for that.</summary>
    public ref WindowRate WindowRate => ref _windowRate;

    /// <summary>END_STREAM is written.</summary>
    public void OnEndSent()
    {
        _sendState = SendState.Ended;
        CheckFlush();
        FinishIfOver();
    }

    /// <summary>
    /// Bytes have left, or never will: a flush that waits goes on once half the limit is free.
    /// </summary>
    public void CheckFlush()
    {
        Volatile.Write(ref _unsent, Pending.Length);
        if (Volatile.Read(ref _isAwaitingFlush) != 0 && Pending.Length <= _unsentMax / 2)
        {
            Volatile.Write(ref _isAwaitingFlush, 0);
            _calls.Add(ReadyCall.Flushed);
        }
    }

    public void TakeOutput()
    {
        if (_isEndHeld)
        {
            _isEndHeld = false;
            _postedOutput.TakeTo(Pending);
            _output.Release(Pending);
            _handed = _written;
            Forward(_written, _written);
            return;
        }

        var before = _handed;
        _postedOutput.TakeTo(Pending);
        Forward(before, _handed);
    }

    // What was posted earlier goes first: it was written first.
    private void MoveOutput()
    {
        _postedOutput.TakeTo(Pending);
        _output.MoveTo(Pending);
        _handed = _written;
        Forward(_written, _written);
    }

    // What was known before the content was taken says whether that is all of it; what is known after, whether its head is there.
    private void Forward(Handed before, Handed after)
    {
        // A reset that the application has asked for, whose post is on its way, must not find the stream ended.
        if (_sendState >= SendState.Ended || IsResetAsked)
        {
            Pending.Drop();
            CheckFlush();
            return;
        }

        SendInterims();
        _isEndKnown = (before & Handed.End) != 0;
        if (_sendState == SendState.Head && (after & Handed.Head) != 0)
        {
            if (!SendHead())
            {
                return;
            }
        }

        if ((before & Handed.Cut) != 0)
        {
            _driver.Cut(this);
        }
        else if (HasToSend)
        {
            _driver.Send(this);
        }

        CheckFlush();
    }

    // False: there is nothing to be sent behind it.
    private bool SendHead()
    {
        var isLast = Pending.Length == 0 && _trailers is null && (_isEndKnown || !_head.HasContent);
        if (!_driver.SendHead(this, isLast))
        {
            _driver.Reset(this, Protocols.Http2.Http2ErrorCode.InternalError);
            return false;
        }

        _sendState = SendState.Content;
        if (isLast)
        {
            OnEndSent();
        }

        return !isLast;
    }

    private void SendInterims()
    {
        if (_interims is not { IsEmpty: false } interims)
        {
            return;
        }

        while (interims.TryDequeue(out var interim))
        {
            SendInterim(interim);
        }
    }

    private void SendInterim(in InterimResponse interim)
    {
        if (_sendState == SendState.Head)
        {
            _driver.SendInterim(this, interim.Status, interim.Fields);
        }
    }
}
