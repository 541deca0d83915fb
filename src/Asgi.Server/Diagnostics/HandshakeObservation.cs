// What meters and events are told of one handshake of TLS, from the accept of its connection to its end, once. Who hears of its beginning
// hears of its end. On the thread of the connection's loop.
using System.Net;
using System.Net.Security;
using System.Security.Authentication;

namespace Asgi.Server.Diagnostics;

internal struct HandshakeObservation
{
    private readonly IConnectionEndPoints _connection;
    private readonly EndPoint? _local;
    private readonly bool _isCounted;
    private readonly long? _startedAt;
    private ServerDiagnostics? _diagnostics;

    public HandshakeObservation(ServerDiagnostics diagnostics, IConnectionEndPoints connection)
    {
        _diagnostics = diagnostics;
        _connection = connection;
        var metrics = diagnostics.Metrics;
        _isCounted = metrics.ActiveTlsHandshakes.Enabled;
        _startedAt = metrics.TlsHandshakeDuration.Enabled ? diagnostics.Time.GetTimestamp() : null;
        _local = _isCounted || _startedAt is not null ? connection.TransportLocalEndPoint : null;
        if (_isCounted)
        {
            metrics.ActiveTlsHandshakes.Add(1, EndPointTags.Of(_local));
        }

        diagnostics.Events.HandshakeStarted(_connection);
    }

    /// <param name="version">What was agreed on, as meters name it.</param>
    /// <param name="protocols">The same, as events name it.</param>
    /// <param name="applicationProtocol">What ALPN has agreed on, or none.</param>
    /// <param name="hostName">The name of the server that the client has asked for, or an empty one.</param>
    public void Established(
        string? version, SslProtocols protocols, SslApplicationProtocol applicationProtocol, string hostName)
    {
        if (End(version, failure: null) is { } diagnostics)
        {
            diagnostics.Events.HandshakeEnded(_connection, protocols, applicationProtocol, hostName);
        }
    }

    /// <summary>It has failed, or there was none; what is said after the first end does not count.</summary>
    public void Failed(Exception failure)
    {
        if (End(version: null, failure) is { } diagnostics)
        {
            diagnostics.Events.HandshakeFailed(_connection);
        }
    }

    /// <summary>The client has asked for none, or the server has stopped: no failure.</summary>
    public void Abandoned()
    {
        if (Take() is { } diagnostics)
        {
            diagnostics.Events.HandshakeAbandoned();
        }
    }

    // Null: it has ended before.
    private ServerDiagnostics? End(string? version, Exception? failure)
    {
        var diagnostics = Take();
        if (_startedAt is { } startedAt)
        {
            diagnostics?.Metrics.RecordHandshake(
                diagnostics.Time.GetElapsedTime(startedAt), _local, version, failure?.GetType().FullName);
        }

        return diagnostics;
    }

    private ServerDiagnostics? Take()
    {
        var diagnostics = _diagnostics;
        _diagnostics = null;
        if (diagnostics is not null && _isCounted)
        {
            diagnostics.Metrics.ActiveTlsHandshakes.Add(-1, EndPointTags.Of(_local));
        }

        return diagnostics;
    }
}
