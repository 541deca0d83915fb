// What logs, meters and events are told of one connection, from its accept to its end. Each connection has one; its members are for the
// thread of the connection's loop unless they say otherwise. What a listener is told at the start it is told at the end too, and one that
// comes in between hears of neither: so a count that goes up and down never drifts.
using System.Net;

namespace Asgi.Server.Diagnostics;

/// <summary>The two ends of a connection, asked for only when somebody listens.</summary>
internal interface IConnectionEndPoints
{
    EndPoint? RemoteEndPoint { get; }

    EndPoint? LocalEndPoint { get; }

    /// <summary>Where it was accepted, whatever a proxy or middleware says of its ends: what measurements are told apart by.</summary>
    EndPoint? TransportLocalEndPoint { get; }
}

internal sealed class ConnectionRecord
{
    private readonly ServerDiagnostics _diagnostics;
    private readonly IConnectionEndPoints _endPoints;
    private readonly string _id;
    private readonly EndPoint? _local;
    private readonly long _startedAt;
    private readonly bool _isCounted;
    private readonly List<KeyValuePair<string, object?>>? _tags;
    private int _reason;
    private string? _exceptionType;
    private bool _isUpgraded;
    private bool _isUpgradeCounted;

    public ConnectionRecord(ServerDiagnostics diagnostics, string id, IConnectionEndPoints endPoints)
    {
        _diagnostics = diagnostics;
        _id = id;
        _endPoints = endPoints;
        IsLogged = diagnostics.Log.LogsConnections;
        var metrics = diagnostics.Metrics;
        _isCounted = metrics.ActiveConnections.Enabled;
        if (metrics.ConnectionDuration.Enabled)
        {
            _tags = [];
            _startedAt = diagnostics.Time.GetTimestamp();
        }

        if (_isCounted || _tags is not null)
        {
            // Kept: at the end the socket is closed, and may not tell it any more.
            _local = endPoints.TransportLocalEndPoint;
        }

        if (_isCounted)
        {
            metrics.ActiveConnections.Add(1, EndPointTags.Of(_local));
        }

        diagnostics.Events.ConnectionStarted(id, endPoints);
        if (IsLogged)
        {
            diagnostics.Log.ConnectionStarted(id);
        }
    }

    /// <summary>Whether Debug was on for connections when this one began: what a request would log is then asked once.</summary>
    public bool IsLogged { get; }

    /// <summary>Why the connection ends; set once. Any thread.</summary>
    public ConnectionEndReason Reason => (ConnectionEndReason)Volatile.Read(ref _reason);

    /// <summary>
    /// What the application adds to the measured duration; null when nobody measures it. The application's, until it is done.
    /// </summary>
    public ICollection<KeyValuePair<string, object?>>? Tags => _tags;

    /// <summary>Name and version of the protocol, for the measured duration.</summary>
    public (string Name, string Version)? Protocol { get; set; }

    /// <summary>The connection ends, or will. The first reason counts; None is no reason. Any thread.</summary>
    public void End(ConnectionEndReason reason) => Interlocked.CompareExchange(ref _reason, (int)reason, (int)ConnectionEndReason.None);

    /// <summary>An exception came where nobody could answer it. Any thread.</summary>
    public void Fail(Exception exception)
    {
        Interlocked.CompareExchange(ref _exceptionType, exception.GetType().FullName, null);
        End(ConnectionEndReason.UnhandledException);
    }

    /// <summary>The connection is the application's, as raw bytes. The application's thread.</summary>
    public void Upgraded()
    {
        _isUpgraded = true;
        _isUpgradeCounted = _diagnostics.Metrics.UpgradedConnections.Enabled;
        if (_isUpgradeCounted)
        {
            _diagnostics.Metrics.UpgradedConnections.Add(1, EndPointTags.Of(_endPoints.TransportLocalEndPoint));
        }

        _diagnostics.Events.Upgraded();
    }

    /// <summary>The connection is gone, and its application done.</summary>
    public void Stop()
    {
        var metrics = _diagnostics.Metrics;
        if (_isCounted)
        {
            metrics.ActiveConnections.Add(-1, EndPointTags.Of(_local));
        }

        if (_isUpgraded)
        {
            StopUpgraded();
        }

        if (_tags is not null)
        {
            metrics.RecordConnection(_diagnostics.Time.GetElapsedTime(_startedAt), _local, Protocol, GetErrorType(), _tags);
        }

        _diagnostics.Events.ConnectionStopped(_id);
        if (IsLogged)
        {
            _diagnostics.Log.ConnectionStopped(_id);
        }
    }

    private void StopUpgraded()
    {
        if (_isUpgradeCounted)
        {
            _diagnostics.Metrics.UpgradedConnections.Add(-1, EndPointTags.Of(_endPoints.TransportLocalEndPoint));
        }

        _diagnostics.Events.UpgradeEnded();
    }

    private string? GetErrorType() =>
        Reason == ConnectionEndReason.UnhandledException && _exceptionType is not null ? _exceptionType : Reason.ErrorType();
}
