// Listens to the meter of one server and keeps what it measures. Any thread.

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Asgi.Server.Diagnostics;

namespace Asgi.Server.Tests.Diagnostics;

internal sealed record Measured(string Instrument, double Value, IReadOnlyDictionary<string, object?> Tags);

internal sealed class MeterProbe : IDisposable
{
    private readonly MeterListener _listener;

    /// <param name="metrics">Whose meter.</param>
    /// <param name="instruments">The instruments listened to, without "asgi.server."; none for all.</param>
    public MeterProbe(ServerMetrics metrics, params string[] instruments)
    {
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == metrics.Meter
                    && (instruments.Length == 0 || instruments.Contains(instrument.Name["asgi.server.".Length..])))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        _listener.SetMeasurementEventCallback<double>(Keep);
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, state) => Keep(instrument, value, tags, state));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, state) => Keep(instrument, value, tags, state));
        _listener.Start();
    }

    public ConcurrentQueue<Measured> All { get; } = new();

    public IEnumerable<Measured> Of(string instrument) => All.Where(measured => measured.Instrument == $"asgi.server.{instrument}");

    public double Sum(string instrument) => Of(instrument).Sum(measured => measured.Value);

    public void Poll() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) =>
        All.Enqueue(new Measured(instrument.Name, value, tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value)));
}
