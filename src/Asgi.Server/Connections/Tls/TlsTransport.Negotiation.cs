// The question for a client's certificate while the connection is in use: SslStream has the wire, perhaps on another thread, so that
// nothing is received or sent until the client has answered. What is here is on the thread of the loop.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed unsafe partial class TlsTransport
{
    /// <summary>
    /// Asks the client for its certificate. Until it has answered nothing is received or sent. Once at a time.
    /// </summary>
    /// <param name="ask">Asks by the stream.</param>
    /// <param name="onEnded">Called with what it has thrown.</param>
    public void Negotiate(Func<TlsStream, Task> ask, Action<Exception?> onEnded)
    {
        if (_isClosed || _isEnded || _isReadPending || WantsInput)
        {
            onEnded(new InvalidOperationException("The client cannot be asked for its certificate now."));
            return;
        }

        _wire.Sink = null;
        _operation = new TlsOperation(
            _connection, _wire, runsApplicationCode: true, () => ask(_stream), OnProgress, failure => OnNegotiated(failure, onEnded));
        _operation.Begin();
    }

    /// <summary>Nobody waits for the answer any more. What is half said cannot be gone on from: the connection is broken.</summary>
    public void StopNegotiating()
    {
        if (WantsInput && !_isClosed)
        {
            _isBroken = true;
            _wire.Break();
            _operation!.Pump();
        }
    }

    private TransportResult ReceiveForOperation()
    {
        while (_operation is { HasEnded: false, LoopHasWire: true } && !_wire.CanCompleteRead)
        {
            var status = Fill();
            if (status == TransportStatus.WouldBlock)
            {
                break;
            }

            if (_isEnded || status == TransportStatus.Broken)
            {
                _wire.End();
            }
        }

        _operation?.Pump();
        return TransportResult.WouldBlock;
    }

    private void OnProgress()
    {
        if (_isClosed)
        {
            _operation!.Pump();
            return;
        }

        _wire.Written.MoveTo(_unsent);
        TrySendRest();
        _connection.ReceiveSoon();
    }

    private void OnNegotiated(Exception? failure, Action<Exception?> onEnded)
    {
        if (_isClosed)
        {
            LetGo();
        }
        else
        {
            _wire.Written.MoveTo(_unsent);
            TrySendRest();
            _wire.Sink = this;
            _wire.Input.Trim();
            _connection.ReceiveSoon();
            _connection.FlushLater();
        }

        onEnded(failure);
    }
}
