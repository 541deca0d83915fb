// How a connection ends: at once, after what is queued, by lingering, by RST, and what is noted of it. On the thread of its loop.
using System.Diagnostics;
using Asgi.Server.Diagnostics;

namespace Asgi.Server.Connections;

internal sealed partial class Connection
{
    private bool _mustLinger;

    /// <summary>Ends the connection once everything queued is sent.</summary>
    /// <param name="mustLinger">Whether the client may still be sending.</param>
    /// <param name="reason">Why, unless that was known before.</param>
    public void CloseAfterSend(bool mustLinger, ConnectionEndReason reason)
    {
        Record.End(reason);
        if (State == ConnectionState.Open)
        {
            State = ConnectionState.Closing;
            _mustLinger = mustLinger;
            FlushLater();
        }
    }

    /// <summary>Sends what the system takes of what is queued, and ends the connection.</summary>
    public void CloseAtOnce(ConnectionEndReason reason)
    {
        Record.End(reason);
        if (State == ConnectionState.Open)
        {
            State = ConnectionState.Closing;
            SendQueued();
            Close(isBroken: false);
        }
    }

    /// <summary>Ends the connection with RST.</summary>
    public void Abort(ConnectionEndReason reason)
    {
        Record.End(reason);
        Close(isBroken: true);
    }

    /// <summary>Why the connection was asked to end, by who has asked first.</summary>
    public ConnectionEndReason ShutDownReason { get; private set; }

    /// <summary>Asks the connection to end as soon as its protocol allows.</summary>
    public void ShutDown(ConnectionEndReason reason)
    {
        if (State == ConnectionState.Open)
        {
            if (ShutDownReason == ConnectionEndReason.None)
            {
                ShutDownReason = reason;
            }

            _isCloseRequested = true;
            ConnectionToken.Signal(ref _closeRequested);
            Guard(static connection => connection._driver.ShutDown());
        }
    }

    private void FinishSending()
    {
        Transport.FinishSend();
        if (Transport.UnsentLength == 0)
        {
            EndSending();
            return;
        }

        // What was said last fills the socket: its client must take that too.
        MeasureSending();
    }

    private void EndSending()
    {
        if (!_mustLinger || Limits.LingeringTimeoutMilliseconds == 0)
        {
            Close(isBroken: false);
            return;
        }

        State = ConnectionState.Lingering;
        LogEnd(isBroken: false);
        Transport.ShutdownSend();
        if (!_driver.UsesInput)
        {
            Input.Clear();
        }

        SetDeadline(Limits.LingeringTimeoutMilliseconds);
        ReceiveLater();
    }

    // The client has reset the connection, or cannot be reached.
    private void CloseReset()
    {
        Record.End(ConnectionEndReason.ConnectionReset);
        if (IsLogged && Record.Reason == ConnectionEndReason.ConnectionReset && State != ConnectionState.Closed)
        {
            Log.ResetReceived(Id);
        }

        Close(isBroken: true);
    }

    private void LogEnd(bool isBroken)
    {
        if (!IsLogged || Record.Reason == ConnectionEndReason.ConnectionReset)
        {
            return;
        }

        Log.Disconnected(Id);
        if (isBroken)
        {
            Log.SendingReset(Id, Record.Reason);
        }
        else
        {
            Log.SendingFin(Id, Record.Reason);
        }
    }

    private void Close(bool isBroken)
    {
        if (State == ConnectionState.Closed)
        {
            return;
        }

        if (State != ConnectionState.Lingering)
        {
            LogEnd(isBroken);
        }

        State = ConnectionState.Closed;
        if (isBroken)
        {
            Transport.Abort();
        }
        else
        {
            Transport.Close();
        }

        Loop.Timers.Remove(_deadline);
        StopAging();
        _sendRate?.Stop();
        _heartbeat?.Stop();
        ConnectionToken.Signal(ref _closed);
        Output.Clear();
        _driver.OnClosed();
    }

    /// <summary>The driver and its application have let go of the connection's memory.</summary>
    public void Release()
    {
        Debug.Assert(State == ConnectionState.Closed);
        Input.Clear();
        StopCountingAll();
        if (_completion is not { } completion || !completion.TryBegin())
        {
            Leave();
        }
    }
}
