// What the server counts, as a meter: for dotnet-counters and OpenTelemetry. Counted on any thread, read by whoever listens. Whoever counts
// asks Enabled first: a server that nobody watches measures nothing.
using System.Diagnostics.Metrics;
using System.Net;

namespace Asgi.Server.Diagnostics;

internal sealed class ServerMetrics : IDisposable
{
    public const string MeterName = "Asgi.Server";

    // Kestrel's, so that dashboards need another name only.
    private static readonly InstrumentAdvice<double> ConnectionSeconds =
        new() { HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] };

    // From a tick of a few requests to a handler that blocks its loop for good.
    private static readonly InstrumentAdvice<double> LagSeconds =
        new() { HistogramBucketBoundaries = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5] };

    private readonly bool _ownsMeter;
    private readonly Counter<long> _handOffs;
    private readonly Counter<long> _rejectedConnections;

    /// <param name="factory">Makes and owns the meter; null: the meter is this object's.</param>
    public ServerMetrics(IMeterFactory? factory)
    {
        _ownsMeter = factory is null;
        Meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _handOffs = Meter.CreateCounter<long>(
            "asgi.server.hand_offs", "{hand_off}", "Times an event loop went on with another thread, because application code held it up.");
        _rejectedConnections = Meter.CreateCounter<long>(
            "asgi.server.rejected_connections", "{connection}", "Connections closed unread, because as many were open as may be.");
        ActiveConnections = Meter.CreateUpDownCounter<long>(
            "asgi.server.active_connections", "{connection}", "Connections that are open.");
        QueuedConnections = Meter.CreateUpDownCounter<long>(
            "asgi.server.queued_connections", "{connection}", "Connections accepted by one loop that wait for another to take them.");
        UpgradedConnections = Meter.CreateUpDownCounter<long>(
            "asgi.server.upgraded_connections", "{connection}", "Connections that are upgraded, as WebSockets are.");
        ActiveRequests = Meter.CreateUpDownCounter<long>(
            "asgi.server.active_requests", "{request}", "Requests from their head to the end of their application, waiting ones too.");
        ConnectionDuration = Meter.CreateHistogram(
            "asgi.server.connection.duration", "s", "How long connections were open.", tags: null, ConnectionSeconds);
        TlsHandshakeDuration = Meter.CreateHistogram(
            "asgi.server.tls_handshake.duration", "s", "How long handshakes of TLS took.", tags: null, ConnectionSeconds);
        ActiveTlsHandshakes = Meter.CreateUpDownCounter<long>(
            "asgi.server.active_tls_handshakes", "{handshake}", "Handshakes of TLS that are under way, or waited for.");
        LoopLag = Meter.CreateHistogram(
            "asgi.server.loop.lag",
            "s",
            "How long an event loop was busy before it looked for events again: so long waits what comes meanwhile.",
            tags: null,
            LagSeconds);
    }

    public Meter Meter { get; }

    public UpDownCounter<long> ActiveConnections { get; }

    public UpDownCounter<long> QueuedConnections { get; }

    public UpDownCounter<long> UpgradedConnections { get; }

    public UpDownCounter<long> ActiveRequests { get; }

    public Histogram<double> ConnectionDuration { get; }

    public Histogram<double> LoopLag { get; }

    public Histogram<double> TlsHandshakeDuration { get; }

    public UpDownCounter<long> ActiveTlsHandshakes { get; }

    public void HandedOff() => _handOffs.Add(1);

    public void ConnectionRejected(EndPoint? local)
    {
        if (_rejectedConnections.Enabled)
        {
            _rejectedConnections.Add(1, EndPointTags.Of(local));
        }

        if (ConnectionDuration.Enabled)
        {
            var errorType = ConnectionEndReason.MaxConcurrentConnectionsExceeded.ErrorType();
            RecordConnection(TimeSpan.Zero, local, protocol: null, errorType, applicationTags: []);
        }
    }

    /// <param name="duration">From the accept to the end.</param>
    /// <param name="local">Where it was accepted.</param>
    /// <param name="protocol">Name and version of its protocol; null: it had none yet.</param>
    /// <param name="errorType">Why it has ended; null: as connections do.</param>
    /// <param name="applicationTags">What the application has added.</param>
    /// <param name="tlsVersion">The version of its TLS; null without it.</param>
    public void RecordConnection(
        TimeSpan duration,
        EndPoint? local,
        (string Name, string Version)? protocol,
        string? errorType,
        IEnumerable<KeyValuePair<string, object?>> applicationTags,
        string? tlsVersion = null)
    {
        var tags = EndPointTags.Of(local);
        if (tlsVersion is not null)
        {
            tags.Add("tls.protocol.version", tlsVersion);
        }

        if (protocol is var (name, version))
        {
            tags.Add("network.protocol.name", name);
            tags.Add("network.protocol.version", version);
        }

        if (errorType is not null)
        {
            tags.Add("error.type", errorType);
        }

        foreach (var tag in applicationTags)
        {
            tags.Add(tag);
        }

        ConnectionDuration.Record(duration.TotalSeconds, tags);
    }

    /// <param name="duration">From the accept to the end of the handshake.</param>
    /// <param name="local">Where the connection was accepted.</param>
    /// <param name="tlsVersion">What was agreed on; null: nothing.</param>
    /// <param name="errorType">The type of what was thrown; null: nothing was.</param>
    public void RecordHandshake(TimeSpan duration, EndPoint? local, string? tlsVersion, string? errorType)
    {
        var tags = EndPointTags.Of(local);
        if (tlsVersion is not null)
        {
            tags.Add("tls.protocol.version", tlsVersion);
        }

        if (errorType is not null)
        {
            tags.Add("error.type", errorType);
        }

        TlsHandshakeDuration.Record(duration.TotalSeconds, tags);
    }

    /// <summary>Lets listeners ask for the threads beside the loops, and for what waits for one.</summary>
    public void ObserveSpareThreads(Func<int> threads, Func<int> queuedRequests)
    {
        Meter.CreateObservableUpDownCounter(
            "asgi.server.threads", threads, "{thread}", "Threads that run event loops and blocking routes.");
        Meter.CreateObservableUpDownCounter(
            "asgi.server.queued_requests", queuedRequests, "{request}", "Requests of blocking routes that wait for a thread.");
    }

    /// <summary>Lets listeners ask how many routes are known to block.</summary>
    public void ObserveBlockingRoutes(Func<int> routes) =>
        Meter.CreateObservableUpDownCounter(
            "asgi.server.blocking_routes", routes, "{route}", "Routes that are known to block their thread.");

    /// <summary>Lets listeners ask for the memory of each loop, in blocks. The loops count on meanwhile: the figures are near.</summary>
    public void ObserveBlocks(Func<IEnumerable<LoopBlocks>> loops)
    {
        Meter.CreateObservableUpDownCounter(
            "asgi.server.memory.rented_blocks",
            () => loops().Select(static loop => new Measurement<int>(loop.Rented, LoopTag(loop.Loop))),
            "{block}",
            "Blocks of 16 KiB, and single larger ones, that hold what is received or to be sent.");
        Meter.CreateObservableUpDownCounter(
            "asgi.server.memory.pooled_blocks",
            () => loops().Select(static loop => new Measurement<int>(loop.Pooled, LoopTag(loop.Loop))),
            "{block}",
            "Blocks of 16 KiB that are kept for the next who needs one.");
    }

    public void Dispose()
    {
        if (_ownsMeter)
        {
            Meter.Dispose();
        }
    }

    public static KeyValuePair<string, object?> LoopTag(string name) => new("asgi.server.loop", name);
}

/// <summary>The blocks of one loop's memory.</summary>
internal readonly record struct LoopBlocks(string Loop, int Rented, int Pooled);
