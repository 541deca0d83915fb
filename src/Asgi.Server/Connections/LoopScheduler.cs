// Where what waits for a pipe goes on: a loop's side as posted work, an application's on the runtime's pool. An application's side becomes
// the loop's when HTTP takes the pipe over. Called by pipes, on any thread.
using System.IO.Pipelines;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class LoopScheduler(Loop loop, bool isLoops) : PipeScheduler
{
    private volatile bool _isLoops = isLoops;

    /// <summary>From here on nobody but the loop waits.</summary>
    public void BecomeLoops() => _isLoops = true;

    public override void Schedule(Action<object?> action, object? state)
    {
        if (_isLoops)
        {
            loop.Post(new Continuation(action, state));
        }
        else
        {
            ThreadPool.Schedule(action, state);
        }
    }

    private sealed class Continuation(Action<object?> action, object? state) : WorkItem
    {
        public override void Run() => action(state);
    }
}
