// A result that an application may wait for, reused from wait to wait. Completed from the ready list, so that what continues inline is
// application code called from there.
using System.Threading.Tasks.Sources;

namespace Asgi;

internal sealed class Promise<T> : IValueTaskSource<T>, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<T> _core;

    /// <summary>Starts a new wait; the token names it in a ValueTask.</summary>
    public short Begin()
    {
        _core.Reset();
        return _core.Version;
    }

    public void SetResult(T result) => _core.SetResult(result);

    public void SetException(Exception exception) => _core.SetException(exception);

    public T GetResult(short token) => _core.GetResult(token);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
