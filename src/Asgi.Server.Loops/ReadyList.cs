// The calls into application code that a tick has ready, in order: asyncio's ready queue. Loop thread only, but where a member says
// otherwise.
namespace Asgi.Server.Loops;

/// <summary>Where a call into application code is made.</summary>
internal enum CallPlace
{
    /// <summary>On the loop's own thread, with a spare one ready to go on with the loop.</summary>
    Loop,

    /// <summary>On a spare thread; it waits for one if there is none, and is refused when too many wait.</summary>
    SpareThread,

    /// <summary>On a spare thread if there is one, else on the runtime's thread pool: others may be waiting for this call.</summary>
    SpareThreadNow,

    /// <summary>On the runtime's thread pool.</summary>
    ThreadPool,
}

/// <summary>Why a loop goes on without the thread of a call.</summary>
internal enum HandOffReason
{
    /// <summary>The call takes too long and its thread runs: it computes, is being compiled, or the machine is busy.</summary>
    Runs,

    /// <summary>The call takes too long and its thread waits in the kernel.</summary>
    Waits,

    /// <summary>The call has said itself that it is about to block.</summary>
    Surrendered,
}

/// <summary>Calls into application code, and what the server does when one has returned. An item may have several kinds of call.</summary>
internal abstract class ReadyItem
{
    internal ReadyItem? NextReady { get; set; }

    internal bool IsListed { get; set; }

    /// <summary>What is to be called now; an item that has more lists itself again. Zero when there is nothing left to call.</summary>
    public virtual int TakeCall() => 1;

    public virtual CallPlace PlaceOf(int call) => CallPlace.Loop;

    /// <summary>Calls the application. Nothing of a driver or a machine is on the stack below it. Any thread; must not throw.</summary>
    public abstract void Call(int call);

    /// <summary>The application's frame is gone: driver code may go on. Loop thread.</summary>
    /// <param name="call">What was called.</param>
    /// <param name="wasAway">Whether the call ended on another thread; <see cref="WentAway"/> was said before.</param>
    public virtual void Returned(int call, bool wasAway)
    {
    }

    /// <summary>The call is made, or goes on, on another thread. Loop thread.</summary>
    public virtual void WentAway(int call)
    {
    }

    /// <summary>The loop went on without its thread, because the call blocks it. After <see cref="WentAway"/>. Loop thread.</summary>
    public virtual void Blocked(HandOffReason reason)
    {
    }

    /// <summary>
    /// The call has returned on its loop, which stood still meanwhile: its thread was seen waiting, though not for long. Before
    /// <see cref="Returned"/>. Loop thread.
    /// </summary>
    public virtual void Waited(int call)
    {
    }

    /// <summary>Too many calls wait for a spare thread: this one is not made. Loop thread.</summary>
    public virtual void Refused(int call)
    {
    }
}

internal sealed class ReadyList
{
    private ReadyItem? _first;
    private ReadyItem? _last;

    public bool IsEmpty => _first is null;

    /// <summary>Adds an item behind the others; an item that is listed already stays where it is.</summary>
    public void Add(ReadyItem item)
    {
        if (item.IsListed)
        {
            return;
        }

        item.IsListed = true;
        if (_last is null)
        {
            _first = item;
        }
        else
        {
            _last.NextReady = item;
        }

        _last = item;
    }

    public ReadyItem? Take()
    {
        var item = _first;
        if (item is not null)
        {
            _first = item.NextReady;
            _last = _first is null ? null : _last;
            item.NextReady = null;
            item.IsListed = false;
        }

        return item;
    }

    /// <summary>The last item now listed: a round of the tick ends with it.</summary>
    public ReadyItem? Last => _last;
}
