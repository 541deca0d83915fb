// Frames that are legal one by one and an attack in numbers (RFC 9113, section 10.5): one counter for each kind, over a span of time, each
// with the fault it ends in. Owned by the machine, which counts before it does anything else.

namespace Asgi.Server.Protocols.Http2;

internal struct AbuseCounters(Http2Limits limits)
{
    private Counter _resets;
    private Counter _streamFaults;
    private Counter _settings;
    private Counter _pings;
    private Counter _emptyData;
    private Counter _priorities;
    private Counter _unknownFrames;
    private Counter _tinyWindowUpdates;

    /// <summary>The peer reset a stream, or one of its requests was refused or malformed.</summary>
    public Http2Fault? Reset(long now) => Count(ref _resets, limits.StreamResetsMax, now) ? null : Http2Faults.TooManyResets;

    /// <summary>A response is complete: it forgives a reset.</summary>
    public void ResponseSent() => _resets.Forgive(1);

    /// <summary>The peer made us reset a stream that was open.</summary>
    public Http2Fault? StreamFault(long now) =>
        Count(ref _streamFaults, limits.StreamFaultsMax, now) ? null : Http2Faults.TooManyStreamFaults;

    public Http2Fault? Settings(long now) => Count(ref _settings, limits.SettingsMax, now) ? null : Http2Faults.TooManySettings;

    public Http2Fault? Ping(long now) => Count(ref _pings, limits.PingsMax, now) ? null : Http2Faults.TooManyPings;

    public Http2Fault? EmptyData(long now) =>
        Count(ref _emptyData, limits.EmptyDataFramesMax, now) ? null : Http2Faults.TooManyEmptyDataFrames;

    public Http2Fault? Priority(long now) => Count(ref _priorities, limits.PrioritiesMax, now) ? null : Http2Faults.TooManyPriorities;

    public Http2Fault? UnknownFrame(long now) =>
        Count(ref _unknownFrames, limits.UnknownFramesMax, now) ? null : Http2Faults.TooManyUnknownFrames;

    public Http2Fault? WindowUpdate(int increment, long now) =>
        increment >= limits.TinyWindowBytes || Count(ref _tinyWindowUpdates, limits.TinyWindowUpdatesMax, now)
            ? null
            : Http2Faults.TooManyTinyWindowUpdates;

    /// <summary>
    /// A DATA frame goes out, with what the windows have left after it: it forgives a PING, and the window updates of stream and connection
    /// unless it is a crumb that the peer's windows made one.
    /// </summary>
    public void DataSent(int length, int windowLeft)
    {
        _pings.Forgive(1);
        if (length >= limits.TinyWindowBytes || windowLeft > 0)
            _tinyWindowUpdates.Forgive(2);
    }

    private readonly bool Count(ref Counter counter, int max, long now) => counter.Add(now, limits.AbuseWindowMilliseconds) <= max;

    private struct Counter
    {
        private long _start;
        private int _count;

        public int Add(long now, int window)
        {
            if (now - _start >= window)
            {
                _start = now;
                _count = 0;
            }
            return ++_count;
        }

        public void Forgive(int count) => _count = Math.Max(0, _count - count);
    }
}
