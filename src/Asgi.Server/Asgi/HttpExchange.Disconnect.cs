// The end of an exchange before its time: a client that goes away, an application that fails or breaks the connection. The connection
// tells of the client on the loop's thread; applications ask on any thread.
using Asgi.Server.Diagnostics;

namespace Asgi;

public sealed partial class HttpExchange
{
    private CancellationTokenSource? _disconnectSource;
    private volatile bool _isDisconnected;
    private volatile bool _isAborted;

    /// <summary>
    /// Cancelled when the client disconnects before the response is complete. A client that only ends its sending (FIN) may still read:
    /// then this comes after a grace, 10 s unless the server's options say otherwise. The callbacks run on the connection's event loop, as
    /// the application does. To be used until the application's task completes: the connection's next request may have the same token,
    /// without what was registered with it before.
    /// </summary>
    public CancellationToken Disconnected
    {
        get
        {
            // Read once: whoever asks while the next request begins must not find it gone in between.
            var source = _disconnectSource;
            if (source is null)
            {
                var made = new CancellationTokenSource();
                source = Interlocked.CompareExchange(ref _disconnectSource, made, null) ?? made;
                if (_isDisconnected)
                {
                    source.Cancel();
                }
            }

            return source.Token;
        }
    }

    /// <summary>Breaks the connection at once.</summary>
    public void Abort() => Abort(ConnectionEndReason.AbortedByApp);

    internal void Abort(ConnectionEndReason reason)
    {
        _isAborted = true;
        NoteLost();
        _stream.Abort(reason);
    }

    /// <summary>Breaks the stream with an error code for its client. HTTP/2 only.</summary>
    internal void AbortStream(int errorCode)
    {
        _isAborted = true;
        NoteLost();
        _stream.Reset(errorCode);
    }

    /// <summary>
    /// Ends an exchange whose application has failed, or has returned too early: 500 if nothing was sent, truncation otherwise.
    /// </summary>
    internal void Fail()
    {
        if (_state is ResponseState.NotStarted or ResponseState.Held)
        {
            Retract();
            Send(new ResponseStart(500));
            Complete();
        }
        else if (_state != ResponseState.Complete)
        {
            _state = ResponseState.Complete;
            _stream.Truncate();
        }
    }

    /// <summary>Answers with a bare status and lets go of the connection.</summary>
    internal void Refuse(in ResponseStart start)
    {
        Retract();
        _stream.CloseAfterResponse();
        Hold(start);
        Complete();
    }

    /// <summary>Notes that the client is gone.</summary>
    /// <returns>Whether somebody listens and <see cref="CancelDisconnected"/> is to be called from the ready list.</returns>
    internal bool NoteDisconnect()
    {
        if (_isDisconnected || IsComplete)
        {
            return false;
        }

        _isDisconnected = true;
        Interlocked.MemoryBarrier();
        return _disconnectSource is not null;
    }

    /// <summary>Nothing reaches the client any more: a response that has not begun never will.</summary>
    internal void NoteLost()
    {
        if (!HasStarted)
        {
            IsLost = true;
        }
    }

    /// <summary>Whether the connection was broken before the response began.</summary>
    internal bool IsLost { get; private set; }

    internal void CancelDisconnected() => _disconnectSource?.Cancel();

    /// <summary>Whether the client was gone before the response was complete.</summary>
    internal bool IsDisconnected => _isDisconnected;

    /// <summary>Whether the application has broken the connection; its end, and <see cref="IsDisconnected"/>, may follow later.</summary>
    internal bool IsAborted => _isAborted;

    private void ResetDisconnect()
    {
        // A source that was not cancelled serves the next request as well, without what was registered with it.
        if (_disconnectSource?.TryReset() == false)
        {
            _disconnectSource = null;
        }

        _isAborted = false;
        IsLost = false;
        _isDisconnected = false;
    }
}
