// The receiving half of a connection: a few receives a turn while the driver wants input, and what comes after FIN was sent. On the thread
// of its loop.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed partial class Connection
{
    /// <summary>Receives of one event before the other connections of the loop have their turn.</summary>
    public const int ReceivesPerTurnMax = 4;

    private ReceiveTurn? _turn;
    private bool _isReadable;
    private bool _isTurnPosted;

    public void OnReadable()
    {
        _isReadable = true;
        Guard(static connection => connection.Receive());
    }

    /// <summary>The driver wants input again.</summary>
    public void ReceiveLater()
    {
        if (_isReadable && !_isTurnPosted && State != ConnectionState.Closed)
        {
            _isTurnPosted = true;
            Loop.Post(_turn ??= new ReceiveTurn(this));
        }
    }

    /// <summary>There may be bytes that no edge has told of.</summary>
    public void ReceiveSoon()
    {
        _isReadable = true;
        ReceiveLater();
    }

    private void Receive()
    {
        for (var i = 0; i < ReceivesPerTurnMax && _isReadable; i++)
        {
            if (State == ConnectionState.Lingering)
            {
                ThrowAway();
                continue;
            }

            if (State != ConnectionState.Open || !(_driver.WantsInput || Transport.WantsInput))
            {
                return;
            }

            if (!ReceiveOnce())
            {
                return;
            }
        }

        ReceiveLater();
    }

    private bool ReceiveOnce()
    {
        var span = Input.GetReceiveSpan();
        var result = Transport.Receive(span);
        switch (result.Status)
        {
            case TransportStatus.WouldBlock:
                _isReadable = HasPeerShutdown;
                Input.ReleaseIfUnused();
                return false;
            case TransportStatus.Broken:
                CloseReset();
                return false;
            case TransportStatus.Done when result.Length == 0:
                _isReadable = false;
                Input.ReleaseIfUnused();
                _driver.OnEndOfInput();
                return false;
            default:
                // A short receive has emptied the socket: the next bytes are a new edge. But FIN gives no edge of its own behind them.
                _isReadable = result.Length == span.Length || HasPeerShutdown || Transport.HasMore;
                Input.Commit(result.Length);
                _driver.OnReceived();
                return true;
        }
    }

    private void ThrowAway()
    {
        var result = Transport.Receive(Input.GetReceiveSpan());
        Input.ReleaseIfUnused();
        if (result is { Status: TransportStatus.WouldBlock })
        {
            _isReadable = false;
        }
        else if (result.Status == TransportStatus.Broken || result.Length == 0)
        {
            Close(isBroken: false);
        }
    }

    private sealed class ReceiveTurn(Connection connection) : WorkItem
    {
        public override void Run()
        {
            connection._isTurnPosted = false;
            connection.Guard(static connection => connection.Receive());
        }
    }
}
