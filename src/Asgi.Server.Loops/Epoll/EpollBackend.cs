// Linux readiness. One epoll instance and one eventfd per loop; all on the loop's thread but Wake.
//
// Connections are registered once, edge-triggered for reading and writing: pausing a side is not asking, and needs no system call.
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Interop;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Loops.Epoll;

/// <summary>A descriptor that the backend watches.</summary>
internal interface IEpollSource
{
    void OnEvents(uint events);
}

[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollBackend : Backend
{
    /// <summary>Events taken by one poll; what is beyond waits for the next tick.</summary>
    public const int EventCountMax = 512;

    // struct epoll_event is packed on x86-64 only.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - sizeof(ulong);
    private const ulong WakeData = ulong.MaxValue;

    private readonly int _epoll;

    // Counts its users: a stranger that posts while the loop is disposed must not write to whoever got the descriptor's number next.
    private readonly SafeFileHandle _eventFd;
    private readonly byte* _events = (byte*)NativeMemory.Alloc((nuint)(EventCountMax * 16));

    // Slots carry a generation, so that an event of a descriptor closed earlier in the same batch is not taken for its successor's.
    private readonly List<(IEpollSource? Source, uint Generation)> _slots = [];
    private readonly Stack<int> _freeSlots = new();

    // The batch lives here and not on the stack of Poll: a loop that changes hands goes on with the next event.
    private int _batchCount;
    private int _batchNext;
    private bool _isDisposed;

    public EpollBackend()
    {
        _epoll = Errno.Demand(Libc.EpollCreate(Constants.EpollCloseOnExec));
        var eventFd = Errno.Demand(Libc.EventFd(0, Constants.EventFdCloseOnExec | Constants.EventFdNonBlocking));
        _eventFd = new SafeFileHandle(eventFd, ownsHandle: true);
        Control(Constants.EpollAdd, eventFd, Constants.EpollIn | Constants.EpollEdgeTriggered, WakeData);
    }

    public override long NowMilliseconds => Environment.TickCount64;

    public override void Poll(int timeoutMilliseconds)
    {
        _batchCount = Math.Max(0, Libc.EpollWait(_epoll, _events, EventCountMax, timeoutMilliseconds));
        _batchNext = 0;
        while (_batchNext < _batchCount)
        {
            var @event = _events + _batchNext++ * EventSize;
            Dispatch(*(uint*)@event, *(ulong*)(@event + DataOffset));
        }
    }

    public override void Wake()
    {
        if (_eventFd.IsClosed)
        {
            return;
        }

        // Edge-triggered and never read: each write is an edge, and the counter cannot overflow in the life of a process.
        ulong one = 1;
        try
        {
            _ = Libc.Write(_eventFd, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // Disposed since it was asked: there is nobody to wake.
        }
    }

    public override void StartAccepting(Listener listener, IAcceptHandler handler) => ((EpollListener)listener).Start(this, handler);

    public override void Attach(Transport transport, ITransportHandler handler) => ((EpollTransport)transport).Attach(this, handler);

    /// <summary>Watches a descriptor; the slot is its name until <see cref="Remove"/>.</summary>
    public int Add(int descriptor, uint events, IEpollSource source)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _slots.Count;
            _slots.Add((null, 0));
        }

        var generation = _slots[slot].Generation;
        _slots[slot] = (source, generation);
        Control(Constants.EpollAdd, descriptor, events, ((ulong)generation << 32) | (uint)slot);
        return slot;
    }

    /// <summary>Forgets a slot. The kernel forgets the descriptor when it is closed.</summary>
    public void Remove(int slot)
    {
        _slots[slot] = (null, _slots[slot].Generation + 1);
        _freeSlots.Push(slot);
    }

    /// <summary>Stops watching a descriptor that stays open.</summary>
    public void Unwatch(int slot, int descriptor)
    {
        Control(Constants.EpollDelete, descriptor, 0, 0);
        Remove(slot);
    }

    public override void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _eventFd.Dispose();
            _ = Libc.Close(_epoll);
            NativeMemory.Free(_events);
        }
    }

    private void Dispatch(uint events, ulong data)
    {
        if (data == WakeData)
        {
            return;
        }

        var (source, generation) = _slots[(int)(uint)data];
        if (generation == (uint)(data >> 32))
        {
            source?.OnEvents(events);
        }
    }

    private void Control(int operation, int descriptor, uint events, ulong data)
    {
        var @event = stackalloc byte[16];
        *(uint*)@event = events;
        *(ulong*)(@event + DataOffset) = data;
        Errno.Demand(Libc.EpollControl(_epoll, operation, descriptor, @event));
    }
}
