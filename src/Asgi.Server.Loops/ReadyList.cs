// The calls into application code that a tick has ready, in order: asyncio's ready queue. Loop thread only.
namespace Asgi.Server.Loops;

/// <summary>One call into application code, and what the server does when the call has returned.</summary>
internal abstract class ReadyItem
{
    internal ReadyItem? NextReady { get; set; }

    internal bool IsListed { get; set; }

    /// <summary>Calls the application. Nothing of a driver or a machine is on the stack below it.</summary>
    public abstract void Call();

    /// <summary>The application's frame is gone: driver code may go on.</summary>
    public abstract void Returned();
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
