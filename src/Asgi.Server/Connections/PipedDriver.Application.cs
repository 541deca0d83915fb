// The connection as its middleware sees it, and the end of the middleware. What the interface offers is for any thread.
using System.IO.Pipelines;
using System.Net;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Asgi.Server.Protocols.ProxyProtocol;

namespace Asgi.Server.Connections;

internal sealed partial class PipedDriver : IPipedConnection
{
    private volatile Exception? _reason;
    private bool _hasEndedOutput;

    public IDuplexPipe Pipe { get; }

    string IConnectionInfo.Id => _connection.Id;

    EndPoint? IConnectionInfo.RemoteEndPoint => _connection.RemoteEndPoint;

    EndPoint? IConnectionInfo.LocalEndPoint => _connection.LocalEndPoint;

    EndPoint? IConnectionInfo.TransportRemoteEndPoint => _connection.TransportRemoteEndPoint;

    EndPoint? IConnectionInfo.TransportLocalEndPoint => _connection.TransportLocalEndPoint;

    ProxyHeader? IConnectionInfo.ProxyHeader => _connection.ProxyHeader;

    ITlsInfo? IConnectionInfo.Tls => _connection.Tls;

    bool IConnectionInfo.HasFeatures => _connection.HasFeatures;

    ICollection<KeyValuePair<string, object?>>? IConnectionInfo.MetricsTags => _connection.MetricsTags;

    IDictionary<object, object?> IConnectionInfo.Items => _connection.Items;

    IDictionary<object, object?> IConnectionInfo.PersistentState => _connection.PersistentState;

    CancellationToken IConnectionInfo.Closed => _connection.Closed;

    CancellationToken IConnectionInfo.CloseRequested => _connection.CloseRequested;

    bool IConnectionInfo.IsCountLimited => _connection.IsCountLimited;

    object? IConnectionInfo.GetFeature(Type key) => _connection.GetFeature(key);

    void IConnectionInfo.StopCounting() => _connection.StopCounting();

    void IConnectionInfo.OnHeartbeat(Action<object> action, object state) => _connection.OnHeartbeat(action, state);

    void IConnectionInfo.OnCompleted(Func<object, Task> callback, object state) => _connection.OnCompleted(callback, state);

    void IConnectionInfo.AbortLater() => _connection.AbortLater();

    public void Abort(Exception reason)
    {
        _reason ??= reason;
        _connection.Loop.Post(new AbortWork(this));
    }

    public void RequestClose() => _connection.Loop.Post(new CloseWork(this));

    private void OnApplicationEnded(Exception? failure)
    {
        _isApplicationOver = true;
        if (_connection.State == ConnectionState.Closed)
        {
            // What it throws because its client has left, or because it was told to stop, is no error of its own.
            if (failure is not (null or IOException or OperationCanceledException))
            {
                _connection.Log.MiddlewareFailed(_connection.Id, failure);
            }

            _connection.Release();
        }
        else
        {
            if (failure is not null)
            {
                _connection.Log.MiddlewareFailed(_connection.Id, failure);
            }

            if (failure is not null && !_hasEndedOutput)
            {
                _reason ??= failure;
                _connection.Record.Fail(failure);
                _connection.Abort(ConnectionEndReason.UnhandledException);
                return;
            }

            // Whether it has said so or not.
            _input.Reader.Complete();
            _output.Writer.Complete();
        }
    }

    private sealed class AbortWork(PipedDriver driver) : WorkItem
    {
        public override void Run()
        {
            if (driver._connection.State != ConnectionState.Closed)
            {
                driver._connection.Log.ApplicationAborted(driver._connection.Id);
                driver._connection.Abort(ConnectionEndReason.AbortedByApp);
            }
        }
    }

    private sealed class CloseWork(PipedDriver driver) : WorkItem
    {
        public override void Run() => driver._connection.ShutDown(ConnectionEndReason.ResponseNoKeepAlive);
    }
}
