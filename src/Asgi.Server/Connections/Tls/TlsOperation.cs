// Work of SslStream that takes several records: a handshake, or the request for a client's certificate later. Its steps run on the loop,
// one for each time the records it waits for are there; or, where application code may run in them, as calls from the ready list, with
// hand-off. The loop hears of its progress and of its end.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

/// <param name="connection">Whose it is.</param>
/// <param name="wire">What SslStream reads and writes.</param>
/// <param name="runsApplicationCode">Whether application code may run in it, on any thread.</param>
/// <param name="run">The work.</param>
/// <param name="onProgress">Called on the loop when it has the wire again.</param>
/// <param name="onEnded">Called on the loop when the work is over and all calls have returned, with what it has thrown.</param>
internal sealed class TlsOperation(
    Connection connection, TlsWire wire, bool runsApplicationCode, Func<Task> run, Action onProgress, Action<Exception?> onEnded)
    : ReadyItem
{
    private Task? _task;
    private bool _isCalling;
    private bool _isCompleted;

    /// <summary>Whether work and calls are over.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether the loop may fill the wire and take what was written.</summary>
    public bool LoopHasWire => HasEnded || wire.IsReadWaiting;

    /// <summary>Once.</summary>
    public void Begin()
    {
        wire.OnWaiting = runsApplicationCode ? Progress : null;
        Step();
    }

    /// <summary>There may be what it waits for.</summary>
    public void Pump()
    {
        if (!_isCalling && !HasEnded && wire.IsReadWaiting && wire.CanCompleteRead)
        {
            Step();
        }
    }

    public override CallPlace PlaceOf(int call) => connection.Dispatch.UsualPlace;

    public override void Call(int call)
    {
        if (_task is not null)
        {
            wire.CompleteRead();
            return;
        }

        try
        {
            _task = run();
        }
        catch (Exception exception)
        {
            _task = Task.FromException(exception);
        }

        if (_task.IsCompleted)
        {
            _isCompleted = true;
        }
        else
        {
            _task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() => connection.Loop.Post(new Completed(this)));
        }
    }

    public override void Returned(int call, bool wasAway)
    {
        _isCalling = false;
        if (_isCompleted)
        {
            End();
        }
        else
        {
            Progress();
        }
    }

    private void Step()
    {
        _isCalling = true;
        if (_task is not null)
        {
            wire.GiveAway();
        }

        if (runsApplicationCode)
        {
            connection.Loop.Ready(this);
        }
        else
        {
            Call(1);
            Returned(1, wasAway: false);
        }
    }

    private void Progress()
    {
        if (LoopHasWire)
        {
            connection.Guard(onProgress, static progress => progress());
        }
    }

    private void End()
    {
        HasEnded = true;
        wire.OnWaiting = null;
        var failure = _task!.IsCanceled ? new TaskCanceledException(_task) : _task.Exception?.InnerException;
        connection.Guard((onEnded, failure), static end => end.onEnded(end.failure));
    }

    private sealed class Completed(TlsOperation operation) : WorkItem
    {
        public override void Run()
        {
            operation._isCompleted = true;
            if (!operation._isCalling)
            {
                operation.End();
            }
        }
    }
}
