// The counters of the event source, polled at the pace of whoever listens: made when the first one comes. Any thread.
using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace Asgi.Server.Diagnostics;

internal sealed partial class ServerEvents
{
    private readonly ConcurrentDictionary<Func<int>, bool> _queuedRequests = new();
    private readonly List<DiagnosticCounter> _counters = [];
    private long _lagTicks;

    /// <summary>Lets listeners ask how many requests wait for a thread, until <see cref="ForgetQueuedRequests"/>.</summary>
    [NonEvent]
    public void ObserveQueuedRequests(Func<int> count) => _queuedRequests[count] = true;

    [NonEvent]
    public void ForgetQueuedRequests(Func<int> count) => _queuedRequests.TryRemove(count, out _);

    /// <summary>A loop was busy for so long. While enabled.</summary>
    [NonEvent]
    public void LoopLagged(TimeSpan lag)
    {
        var seen = Volatile.Read(ref _lagTicks);
        while (lag.Ticks > seen)
        {
            var before = Interlocked.CompareExchange(ref _lagTicks, lag.Ticks, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    protected override void OnEventCommand(EventCommandEventArgs command)
    {
        // The first Enable makes them; they cost nothing while nobody polls. Commands come one at a time, under the runtime's own lock.
        if (command.Command != EventCommand.Enable || _counters.Count > 0)
        {
            return;
        }

        PerSecond("connections-per-second", "Connection Rate", () => Volatile.Read(ref _totalConnections));
        Poll("total-connections", "Total Connections", () => Volatile.Read(ref _totalConnections));
        Poll("current-connections", "Current Connections", () => Volatile.Read(ref _currentConnections));
        Poll("connection-queue-length", "Connection Queue Length", () => Volatile.Read(ref _queuedConnections));
        Poll("request-queue-length", "Request Queue Length", () => _queuedRequests.Keys.Sum(static count => count()));
        Poll("current-upgraded-requests", "Current Upgraded Requests (WebSockets)", () => Volatile.Read(ref _upgradedRequests));
        PerSecond("tls-handshakes-per-second", "TLS Handshake Rate", () => Volatile.Read(ref _totalHandshakes));
        Poll("total-tls-handshakes", "Total TLS Handshakes", () => Volatile.Read(ref _totalHandshakes));
        Poll("current-tls-handshakes", "Current TLS Handshakes", () => Volatile.Read(ref _currentHandshakes));
        Poll("failed-tls-handshakes", "Failed TLS Handshakes", () => Volatile.Read(ref _failedHandshakes));
        PerSecond("requests-per-second", "Request Rate", () => Volatile.Read(ref _totalRequests));
        Poll("current-requests", "Current Requests", () => Volatile.Read(ref _currentRequests));
        Poll("hand-offs", "Hand-offs of Event Loops", () => Volatile.Read(ref _handOffs));
        Poll("loop-lag", "Longest Event Loop Lag", TakeLagMilliseconds, "ms");
    }

    protected override void Dispose(bool disposing)
    {
        _counters.ForEach(counter => counter.Dispose());
        _counters.Clear();
        base.Dispose(disposing);
    }

    [NonEvent]
    private double TakeLagMilliseconds() => TimeSpan.FromTicks(Interlocked.Exchange(ref _lagTicks, 0)).TotalMilliseconds;

    [NonEvent]
    private void Poll(string name, string displayName, Func<double> value, string units = "") =>
        _counters.Add(new PollingCounter(name, this, value) { DisplayName = displayName, DisplayUnits = units });

    [NonEvent]
    private void PerSecond(string name, string displayName, Func<double> total) =>
        _counters.Add(new IncrementingPollingCounter(name, this, total)
        {
            DisplayName = displayName,
            DisplayRateTimeScale = TimeSpan.FromSeconds(1),
        });
}
