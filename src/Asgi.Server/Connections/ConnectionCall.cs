// A call into application code that belongs to a connection as a whole and may take its time: it starts from the ready list, with hand-off,
// and goes on wherever the application does. The loop hears of its end.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

/// <param name="connection">Whose call it is.</param>
/// <param name="run">The application's code.</param>
/// <param name="onEnded">Called on the loop when task and call are over, with what they threw.</param>
internal sealed class ConnectionCall(Connection connection, Func<Task> run, Action<Exception?> onEnded) : ReadyItem
{
    private readonly Loop _loop = connection.Loop;
    private Task? _task;
    private bool _isEndedAtReturn;
    private bool _hasReturned;
    private bool _hasEnded;

    /// <summary>Once. Loop thread.</summary>
    public void Begin() => _loop.Ready(this);

    public override CallPlace PlaceOf(int call) => connection.Dispatch.UsualPlace;

    public override void Call(int call)
    {
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
            _isEndedAtReturn = true;
        }
        else
        {
            // Not as an away call of the loop: most of these wait for their client nearly all the time.
            _task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() => _loop.Post(new Ended(this)));
        }
    }

    public override void Returned(int call, bool wasAway)
    {
        _hasReturned = true;
        _hasEnded |= _isEndedAtReturn;
        EndIfOver();
    }

    private void EndIfOver()
    {
        if (_hasReturned && _hasEnded)
        {
            var failure = _task!.IsCanceled ? new TaskCanceledException(_task) : _task.Exception?.InnerException;
            connection.Guard((onEnded, failure), static end => end.onEnded(end.failure));
        }
    }

    private sealed class Ended(ConnectionCall call) : WorkItem
    {
        public override void Run()
        {
            call._hasEnded = true;
            call.EndIfOver();
        }
    }
}
