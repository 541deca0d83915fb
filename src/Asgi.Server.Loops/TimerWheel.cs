// The deadlines of one loop, a hashed wheel: set, move and cancel in constant time, whatever the number of connections. Loop thread only.
//
// A timer moved to a later time is not relinked: when its old slot comes up it is found early and filed again. So the deadline that every
// request of a keep-alive connection sets costs one store.
using System.Numerics;

namespace Asgi.Server.Loops;

/// <summary>A deadline. Fires at the first wheel step at or after it, never before; milliseconds of the backend's clock.</summary>
internal abstract class LoopTimer
{
    internal const long Unset = long.MaxValue;

    internal LoopTimer? Previous { get; set; }

    internal LoopTimer? Following { get; set; }

    internal int Slot { get; set; } = -1;

    /// <summary>When to fire; <see cref="Unset"/> when not armed.</summary>
    public long DueMilliseconds { get; internal set; } = Unset;

    public bool IsArmed => DueMilliseconds != Unset;

    /// <summary>Runs on the loop's thread; the timer is no longer armed and may be set again.</summary>
    public abstract void Fire(long nowMilliseconds);
}

internal sealed class TimerWheel(long nowMilliseconds)
{
    /// <summary>
    /// The wheel's step: how late a deadline may fire. Server deadlines are seconds; a finer step would wake idle loops more often.
    /// </summary>
    public const int StepMilliseconds = 64;

    private const int SlotCount = 512;
    private readonly LoopTimer?[] _slots = new LoopTimer?[SlotCount];
    private readonly ulong[] _occupied = new ulong[SlotCount / 64];
    private long _step = nowMilliseconds / StepMilliseconds;
    private int _count;

    /// <summary>Arms a timer, or moves it.</summary>
    public void Set(LoopTimer timer, long dueMilliseconds)
    {
        var isLater = timer.Slot >= 0 && dueMilliseconds >= FiledDue(timer);
        timer.DueMilliseconds = dueMilliseconds;
        if (!isLater)
        {
            Remove(timer);
            File(timer);
        }
    }

    /// <summary>Disarms a timer. It may stay filed until its slot comes up, where it is dropped.</summary>
    public static void Cancel(LoopTimer timer) => timer.DueMilliseconds = LoopTimer.Unset;

    /// <summary>Takes a timer out of the wheel: its owner is gone and must not be kept alive by it.</summary>
    public void Remove(LoopTimer timer)
    {
        if (timer.Slot < 0)
        {
            return;
        }

        if (timer.Following is not null)
        {
            timer.Following.Previous = timer.Previous;
        }

        if (timer.Previous is not null)
        {
            timer.Previous.Following = timer.Following;
        }
        else
        {
            _slots[timer.Slot] = timer.Following;
            if (timer.Following is null)
            {
                _occupied[timer.Slot >> 6] &= ~(1UL << timer.Slot);
            }
        }

        timer.Previous = timer.Following = null;
        timer.Slot = -1;
        _count--;
    }

    /// <summary>Milliseconds until the next slot that holds a timer, or -1 when the wheel is empty.</summary>
    public int MillisecondsToNext(long nowMilliseconds)
    {
        if (_count == 0)
        {
            return -1;
        }

        var next = (_step + StepsToNext()) * StepMilliseconds;
        return (int)Math.Max(0, next - nowMilliseconds);
    }

    /// <summary>Fires what is due.</summary>
    public void Advance(long nowMilliseconds)
    {
        var target = nowMilliseconds / StepMilliseconds;
        if (_count == 0)
        {
            _step = target;
            return;
        }

        // After a long pause one turn of the wheel sees every timer.
        if (target - _step > SlotCount)
        {
            _step = target - SlotCount;
        }

        while (_step < target)
        {
            _step++;
            FireSlot((int)(_step % SlotCount), nowMilliseconds);
        }
    }

    private void FireSlot(int slot, long nowMilliseconds)
    {
        // Filing again never lands in this slot (File), so the slot empties whatever the timers set and remove when they fire.
        while (_slots[slot] is { } timer)
        {
            Remove(timer);
            if (timer.DueMilliseconds <= nowMilliseconds)
            {
                timer.DueMilliseconds = LoopTimer.Unset;
                timer.Fire(nowMilliseconds);
            }
            else if (timer.IsArmed)
            {
                File(timer);
            }
        }
    }

    private void File(LoopTimer timer)
    {
        // Rounded up: never early. Beyond a turn of the wheel a timer waits in the slot before the current one and is filed again.
        var step = Math.Clamp((timer.DueMilliseconds + StepMilliseconds - 1) / StepMilliseconds, _step + 1, _step + SlotCount - 1);
        var slot = (int)(step % SlotCount);
        timer.Slot = slot;
        timer.Following = _slots[slot];
        if (timer.Following is not null)
        {
            timer.Following.Previous = timer;
        }

        _slots[slot] = timer;
        _occupied[slot >> 6] |= 1UL << slot;
        _count++;
    }

    private long FiledDue(LoopTimer timer) => (_step + ((timer.Slot - _step % SlotCount + SlotCount) % SlotCount)) * StepMilliseconds;

    private int StepsToNext()
    {
        var start = (int)((_step + 1) % SlotCount);
        for (var scanned = 0; scanned < SlotCount;)
        {
            var slot = (start + scanned) % SlotCount;
            var word = _occupied[slot >> 6] >> (slot & 63);
            if (word != 0)
            {
                return scanned + BitOperations.TrailingZeroCount(word) + 1;
            }

            scanned += 64 - (slot & 63);
        }

        return SlotCount;
    }
}
