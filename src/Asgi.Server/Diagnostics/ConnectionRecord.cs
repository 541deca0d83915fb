// What logs, meters and events are told of one connection, from its accept to its end. Each connection has one; its members are for the
// thread of the connection's loop unless they say otherwise. What a listener is told at the start it is told at the end too, and one that
// comes in between hears of neither: so a count that goes up and down never drifts.
using System.Net;

namespace Asgi.Server.Diagnostics;

/// <summary>A connection's name and its two ends, asked for only when somebody listens.</summary>
internal interface IConnectionEndPoints
{
    string Id { get; }

    EndPoint? RemoteEndPoint { get; }

    EndPoint? LocalEndPoint { get; }

    /// <summary>Where it was accepted, whatever a proxy or middleware says of its ends: what measurements are told apart by.</summary>
    EndPoint? TransportLocalEndPoint { get; }
}

internal sealed class ConnectionRecord
{
    private readonly ServerDiagnostics _diagnostics;
    private readonly IConnectionEndPoints _endPoints;
    private readonly Measured? _measured;
    private int _reason;
    private string? _exceptionType;
    private bool _isUpgraded;
    private bool _isUpgradeCounted;

    public ConnectionRecord(ServerDiagnostics diagnostics, IConnectionEndPoints endPoints)
    {
        _diagnostics = diagnostics;
        _endPoints = endPoints;
        IsLogged = diagnostics.Log.LogsConnections;
        var metrics = diagnostics.Metrics;
        var (isCounted, isTimed) = (metrics.ActiveConnections.Enabled, metrics.ConnectionDuration.Enabled);
        if (isCounted || isTimed)
        {
            _measured = new Measured(isCounted, endPoints.TransportLocalEndPoint)
            {
                Tags = isTimed ? [] : null,
                StartedAt = isTimed ? diagnostics.Time.GetTimestamp() : 0,
            };
            if (isCounted)
            {
                metrics.ActiveConnections.Add(1, EndPointTags.Of(_measured.Local));
            }
        }

        diagnostics.Events.ConnectionStarted(endPoints);
        if (IsLogged)
        {
            diagnostics.Log.ConnectionStarted(endPoints.Id);
        }
    }

    /// <summary>Whether Debug was on for connections when this one began: what a request would log is then asked once.</summary>
    public bool IsLogged { get; }

    /// <summary>Why the connection ends; set once. Any thread.</summary>
    public ConnectionEndReason Reason => (ConnectionEndReason)Volatile.Read(ref _reason);

    /// <summary>
    /// What the application adds to the measured duration; null when nobody measures it. The application's, until it is done.
    /// </summary>
    public ICollection<KeyValuePair<string, object?>>? Tags => _measured?.Tags;

    /// <summary>Name and version of the protocol, for the measured duration.</summary>
    public (string Name, string Version) Protocol
    {
        set
        {
            if (_measured is not null)
            {
                _measured.Protocol = value;
            }
        }
    }

    /// <summary>The version of its TLS, for the measured duration; null without it.</summary>
    public string? TlsVersion
    {
        set
        {
            if (_measured is not null)
            {
                _measured.TlsVersion = value;
            }
        }
    }

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
        if (_measured is { IsCounted: true })
        {
            metrics.ActiveConnections.Add(-1, EndPointTags.Of(_measured.Local));
        }

        if (_isUpgraded)
        {
            StopUpgraded();
        }

        if (_measured is { Tags: { } tags } measured)
        {
            var duration = _diagnostics.Time.GetElapsedTime(measured.StartedAt);
            metrics.RecordConnection(
                duration, measured.Local, measured.Protocol, GetErrorType(), tags, measured.TlsVersion);
        }

        _diagnostics.Events.ConnectionStopped(_endPoints);
        if (IsLogged)
        {
            _diagnostics.Log.ConnectionStopped(_endPoints.Id);
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

    /// <summary>What only meters want to know. The end is kept: when the socket is closed it may not tell it any more.</summary>
    private sealed class Measured(bool isCounted, EndPoint? local)
    {
        public bool IsCounted => isCounted;

        public EndPoint? Local => local;

        public long StartedAt { get; init; }

        /// <summary>Null when the duration is not measured.</summary>
        public List<KeyValuePair<string, object?>>? Tags { get; init; }

        public (string Name, string Version)? Protocol { get; set; }

        public string? TlsVersion { get; set; }
    }
}
