// A thread's hold on a loop: who may touch what the loop owns. While application code runs the hold can be taken away, so that a handler
// that blocks its thread does not block its loop; every call of the application back into the server asks here first. Written by the
// holding thread, read by the watchdog.
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Loops;

internal sealed class LoopHold(Loop loop)
{
    /// <summary>The thread does the loop's own work: nobody else can have the loop.</summary>
    private const int InLoop = 0;

    /// <summary>The thread is in application code: the loop may be handed to another.</summary>
    private const int InApplication = 1;

    /// <summary>Another thread has the loop, for good.</summary>
    private const int HandedOff = 2;

    private int _state;
    private int _callNumber;
    private int _waitedCallNumber;

    public Loop Loop { get; } = loop;

    /// <summary>What flows on the thread when no application code has run on it: nothing, for the threads of a server.</summary>
    public ExecutionContext Context { get; } = ExecutionContext.Capture()!;

    /// <summary>
    /// Odd while a call into the application is under way, and different for each call: two equal odd numbers at two times are one call
    /// that has not returned in between. Any thread.
    /// </summary>
    public int CallNumber => Volatile.Read(ref _callNumber);

    /// <summary>The last call that the watchdog has seen waiting; perhaps not for so long that it took the loop. Any thread.</summary>
    public int WaitedCallNumber => Volatile.Read(ref _waitedCallNumber);

    public bool IsLost => Volatile.Read(ref _state) == HandedOff;

    /// <summary>The call under way, for who takes the loop over.</summary>
    public ReadyItem? Item { get; private set; }

    public int Call { get; private set; }

    /// <summary>Why the hold was lost.</summary>
    public HandOffReason Reason { get; private set; }

    /// <summary>The thread, as the kernel numbers it; 0 where that is unknown.</summary>
    public int ThreadId { get; } = KernelThread.CurrentId();

    /// <summary>The next thing is application code. Holding thread.</summary>
    public void BeginCall(ReadyItem item, int call)
    {
        Item = item;
        Call = call;
        _callNumber++;
        Volatile.Write(ref _state, InApplication);
    }

    /// <summary>The application has returned. Its own thread.</summary>
    /// <returns>False when another thread has the loop.</returns>
    public bool EndCall()
    {
        if (Interlocked.CompareExchange(ref _state, InLoop, InApplication) != InApplication)
        {
            return false;
        }

        _callNumber++;
        return true;
    }

    /// <summary>A call under way was seen waiting in the kernel. The watchdog.</summary>
    public void NoteWait(int callNumber) => Volatile.Write(ref _waitedCallNumber, callNumber);

    /// <summary>Takes the loop back from the application for a moment. The thread of the hold.</summary>
    public LoopEntry Enter()
    {
        if (_state == InLoop)
        {
            return new LoopEntry(isInside: true, null);
        }

        return Interlocked.CompareExchange(ref _state, InLoop, InApplication) == InApplication
            ? new LoopEntry(isInside: true, this)
            : default;
    }

    public void Leave() => Volatile.Write(ref _state, InApplication);

    /// <summary>Takes the loop from its thread, which is in application code. Any thread; one wins.</summary>
    public bool TryTake(HandOffReason reason)
    {
        if (Interlocked.CompareExchange(ref _state, HandedOff, InApplication) != InApplication)
        {
            return false;
        }

        // Who has taken the loop reads this, and that thread is started after it.
        Reason = reason;
        return true;
    }
}

/// <summary>A visit of application code to what a loop owns; ends when disposed. On the thread that made it.</summary>
internal readonly ref struct LoopEntry(bool isInside, LoopHold? hold)
{
    /// <summary>Whether the caller has the loop until this entry is disposed. Otherwise it must post.</summary>
    public bool IsInside => isInside;

    public void Dispose() => hold?.Leave();
}
