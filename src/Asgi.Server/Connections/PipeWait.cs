// One wait of the loop for a pipe: a value task that is taken once, at once or in its continuation, which the pipe's scheduler posts to the
// loop. Loop thread.
using System.Runtime.CompilerServices;

namespace Asgi.Server.Connections;

internal readonly struct PipeWait<T>(ValueTask<T> task)
{
    private readonly ValueTaskAwaiter<T> _awaiter = task.GetAwaiter();

    public bool IsCompleted => _awaiter.IsCompleted;

    public void OnCompleted(Action continuation) => _awaiter.UnsafeOnCompleted(continuation);

    /// <summary>Once, when it is completed. Throws what the pipe's other side was completed with.</summary>
    public T Take() => _awaiter.GetResult();
}
