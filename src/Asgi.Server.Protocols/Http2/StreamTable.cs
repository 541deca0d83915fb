// The streams of a connection by their ids (RFC 9113, section 5.1.1), their number (5.1.2), and what is still known of those that are gone.
// Owned by the machine. Open addressing: ids of clients count up, so they spread evenly over the slots by themselves.

using System.Diagnostics;

namespace Asgi.Server.Protocols.Http2;

internal sealed class StreamTable(int streamsMax)
{
    private const int InitialSlots = 8;

    // A client opens no stream beyond the limit before it has learnt of a reset of ours, so there is something on its way to as many
    // streams as the limit has, and to those it opened before it knew the limit.
    private const int ResetsRememberedMin = 256;
    private const int ResetsRememberedMax = 4096;

    private Http2StreamState?[] _slots = [];
    private int _count;
    private Http2StreamState[] _pool = [];
    private int _pooled;
    private int[]? _resets; // ids, those of the peer's resets negative
    private int _nextReset;
    private int _skippedFrom; // the last ids that a client left out
    private int _skippedTo;

    /// <summary>The highest id that a client has used, whatever became of it.</summary>
    public int HighestId { get; private set; }

    /// <summary>Streams above this one are ignored (6.8); all are served until GOAWAY says otherwise.</summary>
    public int ServedIdMax { get; set; } = int.MaxValue;

    /// <summary>Streams that count against the limit (5.1.2): open or half-closed.</summary>
    public int OpenCount { get; private set; }

    /// <summary>Streams that somebody uses: those that are open, and those that are closed and not released.</summary>
    public int Count => _count;

    /// <summary>
    /// Whether one more may be opened. The applications of streams that were reset may still run: so many again, and no more, may do so.
    /// </summary>
    public bool HasRoom => OpenCount < streamsMax && _count < 2L * streamsMax;

    public Http2StreamState? Find(int id)
    {
        if (_count == 0)
            return null;
        int mask = _slots.Length - 1;
        for (int slot = (id >> 1) & mask; _slots[slot] is { } found; slot = (slot + 1) & mask)
        {
            if (found.Id == id)
                return found;
        }
        return null;
    }

    /// <summary>The state of any id, with its record if somebody still uses the stream.</summary>
    public Http2StreamPhase GetPhase(int id, out Http2StreamState? stream)
    {
        stream = Find(id);
        if (stream is not null)
            return stream.Phase;
        if (id > HighestId || (id & 1) == 0)
            return Http2StreamPhase.Idle;
        if (id > ServedIdMax)
            return Http2StreamPhase.ResetByUs;
        if (_resets is null)
            return Http2StreamPhase.Closed;
        return _resets.AsSpan().Contains(id) ? Http2StreamPhase.ResetByUs
            : _resets.AsSpan().Contains(-id) ? Http2StreamPhase.ResetByPeer
            : Http2StreamPhase.Closed;
    }

    /// <summary>Whether a client went past this id without using it, as far as that is known: only the last gap is.</summary>
    public bool IsSkipped(int id) => id >= _skippedFrom && id < _skippedTo;

    /// <summary>Notes the first use of an id, which closes all idle ones below it (5.1.1).</summary>
    public void Use(int id)
    {
        int next = HighestId == 0 ? 1 : HighestId + 2;
        if (id > next)
            (_skippedFrom, _skippedTo) = (next, id);
        HighestId = id;
    }

    /// <summary>Begins a stream in a record of the pool.</summary>
    public Http2StreamState Add(int id, int sendWindow, int receiveWindow)
    {
        Http2StreamState stream = _pooled > 0 ? _pool[--_pooled] : new Http2StreamState();
        stream.Start(id, sendWindow, receiveWindow);
        if (2 * (_count + 1) > _slots.Length)
            Grow();
        Insert(stream);
        _count++;
        return stream;
    }

    /// <summary>Changes the state of a stream, here and nowhere else: the number of open ones follows from it.</summary>
    public void Move(Http2StreamState stream, Http2StreamPhase phase)
    {
        OpenCount += (IsOpen(phase) ? 1 : 0) - (IsOpen(stream.Phase) ? 1 : 0);
        stream.Phase = phase;
    }

    /// <summary>Takes a closed stream out and its record back.</summary>
    public void Remove(Http2StreamState stream)
    {
        Debug.Assert(!IsOpen(stream.Phase));
        Delete(stream.Id);
        _count--;
        if (stream.Phase is Http2StreamPhase.ResetByUs or Http2StreamPhase.ResetByPeer)
            RememberReset(stream.Id, stream.Phase);
        stream.Clear();
        if (_pool.Length == 0)
            _pool = new Http2StreamState[Math.Min(InitialSlots, streamsMax)];
        if (_pooled == _pool.Length && _pooled < streamsMax)
            Array.Resize(ref _pool, Math.Min(_pooled * 2, streamsMax));
        if (_pooled < _pool.Length)
            _pool[_pooled++] = stream;
    }

    /// <summary>Notes that a stream was closed by RST_STREAM, for frames of it that are still to come.</summary>
    public void RememberReset(int id, Http2StreamPhase phase)
    {
        _resets ??= new int[Math.Clamp(streamsMax, ResetsRememberedMin, ResetsRememberedMax)];
        _resets[_nextReset] = phase == Http2StreamPhase.ResetByUs ? id : -id;
        _nextReset = (_nextReset + 1) % _resets.Length;
    }

    /// <summary>Lets go of the storage, when there is no stream; what is known of the streams that are gone stays.</summary>
    public void DropScratch()
    {
        if (_count > 0)
            return;
        _slots = [];
        _pool = [];
        _pooled = 0;
    }

    public Enumerator GetEnumerator() => new(_slots);

    private static bool IsOpen(Http2StreamPhase phase) =>
        phase is Http2StreamPhase.Open or Http2StreamPhase.HalfClosedLocal or Http2StreamPhase.HalfClosedRemote;

    private void Insert(Http2StreamState stream)
    {
        int mask = _slots.Length - 1;
        int slot = (stream.Id >> 1) & mask;
        while (_slots[slot] is not null)
            slot = (slot + 1) & mask;
        _slots[slot] = stream;
    }

    /// <summary>Empties a slot and moves up what had to go past it, so that no search ends too early.</summary>
    private void Delete(int id)
    {
        int mask = _slots.Length - 1;
        int hole = (id >> 1) & mask;
        while (_slots[hole]!.Id != id)
            hole = (hole + 1) & mask;
        for (int slot = (hole + 1) & mask; _slots[slot] is { } stream; slot = (slot + 1) & mask)
        {
            int home = (stream.Id >> 1) & mask;
            if (((slot - home) & mask) >= ((slot - hole) & mask))
            {
                _slots[hole] = stream;
                hole = slot;
            }
        }
        _slots[hole] = null;
    }

    private void Grow()
    {
        Http2StreamState?[] old = _slots;
        _slots = new Http2StreamState[Math.Max(InitialSlots, old.Length * 2)];
        foreach (Http2StreamState? stream in old)
        {
            if (stream is not null)
                Insert(stream);
        }
    }

    /// <summary>All streams that somebody uses, in no order.</summary>
    public ref struct Enumerator(ReadOnlySpan<Http2StreamState?> slots)
    {
        private readonly ReadOnlySpan<Http2StreamState?> _slots = slots;
        private int _next;

        public Http2StreamState Current { get; private set; } = null!;

        public bool MoveNext()
        {
            while (_next < _slots.Length)
            {
                if (_slots[_next++] is { } stream)
                {
                    Current = stream;
                    return true;
                }
            }
            return false;
        }
    }
}
