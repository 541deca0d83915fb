// What an exchange is given time for: a response after its client's FIN, and the farewell of an upgraded connection when the server stops.
// On the thread of the connection's loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Driver
{
    private Grace? _grace;

    /// <summary>The connection's bytes are the application's from here on.</summary>
    public void OnUpgraded()
    {
        EndGrace();
        if (_connection.IsServerStopping)
        {
            StartGrace(_connection.Limits.UpgradedShutdownTimeoutMilliseconds);
        }
    }

    // FIN is all that tells of a client that has left, and also what one sends that has said all and reads on (README).
    private void OnHalfClosed()
    {
        if (_connection.Limits.AbortsOnHalfClose)
        {
            _connection.CloseAtOnce(ConnectionEndReason.ClientClosed);
        }
        else
        {
            StartGrace(_connection.Limits.HalfCloseTimeoutMilliseconds);
        }
    }

    private void StartGrace(long milliseconds)
    {
        if (_connection.State == ConnectionState.Open)
        {
            var loop = _connection.Loop;
            _grace ??= new Grace(this);
            loop.Timers.Set(_grace, loop.NowMilliseconds + milliseconds);
        }
    }

    private void EndGrace()
    {
        if (_grace is not null)
        {
            TimerWheel.Cancel(_grace);
        }
    }

    private void OnGraceEnded()
    {
        if (_state != State.Exchange)
        {
            return;
        }

        NoteDisconnect();
        if (_stream.IsUpgraded)
        {
            // The reader sees the end as if the client had sent it, and what is written already still goes.
            Content.End();
            _stream.OnContent();
            DemandSendRate();
            _connection.CloseAfterSend(mustLinger: true, ConnectionEndReason.AppShutdownTimeout);
        }
        else
        {
            // What its application makes of it comes after that.
            _connection.Record.End(ConnectionEndReason.ClientClosed);
        }
    }

    // The application no longer answers for how its client takes the rest.
    private void DemandSendRate() => _connection.SendRateMin = _connection.Limits.ResponseRateMin;

    private sealed class Grace(Http1Driver driver) : LoopTimer
    {
        public override void Fire(long nowMilliseconds) => driver._connection.Guard(driver, static driver => driver.OnGraceEnded());
    }
}
