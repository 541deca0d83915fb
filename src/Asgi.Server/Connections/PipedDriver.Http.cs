// HTTP over the pipe: a connection without a socket, with the limits of the endpoint, that ends the one below with its own end.
using System.IO.Pipelines;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server.Connections;

internal sealed partial class PipedDriver
{
    private Connection? _httpConnection;
    private PipeTransport? _http;
    private int _hasServed;

    public async Task ServeHttpAsync(HttpOverPipe over)
    {
        if (Interlocked.Exchange(ref _hasServed, 1) != 0)
        {
            throw new InvalidOperationException("HTTP has been run on this connection already.");
        }

        PumpedPipe? pumped = null;
        if (ReferenceEquals(over.Pipe, Pipe))
        {
            _applicationSide.BecomeLoops();
        }
        else
        {
            // Its code is the application's, which may block: it is not called on the loop.
            pumped = new PumpedPipe(over.Pipe, _connection, OnPumpFailed);
        }

        var start = new StartHttp(this, over, pumped?.LoopSide ?? Pipe);
        _connection.Loop.Post(start);
        var pumping = pumped?.RunAsync() ?? Task.CompletedTask;
        await start.Ended.ConfigureAwait(false);
        await pumping.ConfigureAwait(false);
    }

    /// <summary>HTTP breaks the connection, and has said why.</summary>
    public void AbortByHttp()
    {
        _reason ??= new ConnectionAbortedException("HTTP has aborted the connection.");
        _connection.Abort(ConnectionEndReason.OtherError);
    }

    private void OnPumpFailed(Exception exception)
    {
        if (_connection.State == ConnectionState.Closed)
        {
            return;
        }

        // Before HTTP finds its pipe broken, which otherwise means that the client has reset the connection.
        _connection.Record.Fail(exception);
        if (exception is not OperationCanceledException)
        {
            _connection.Log.MiddlewareFailed(_connection.Id, exception);
        }
    }

    // The connection's place, age and end are those of the one below: it lingers, and it is counted.
    private void Start(HttpOverPipe over, IDuplexPipe pipe, Action onReleased)
    {
        _http = new PipeTransport(this, pipe, over.RemoteEndPoint, over.LocalEndPoint);
        var limits = _connection.Limits with { Connections = null, AgeMaxMilliseconds = null, LingeringTimeoutMilliseconds = 0 };
        var below = new ConnectionBelow(_connection, over.Scheme, over.GetFeature, onReleased);
        _httpConnection = new Connection(_connection.Loop, _http, _connection.Registry, limits, number: 0, below) { Id = over.Id };
        _httpConnection.Start(_createHttp(_httpConnection));
        if (_connection.State == ConnectionState.Closed)
        {
            _http.OnBroken();
            return;
        }

        if (_connection.HasPeerShutdown)
        {
            _http.OnPeerShutdown();
        }

        if (_connection.IsCloseRequested)
        {
            _httpConnection.ShutDown(_connection.ShutDownReason);
        }
    }

    private sealed class StartHttp(PipedDriver driver, HttpOverPipe over, IDuplexPipe pipe) : WorkItem
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;

        public override void Run() => driver._connection.Guard(
            (driver, over, pipe, _ended), static start => start.driver.Start(start.over, start.pipe, start._ended.SetResult));
    }
}
