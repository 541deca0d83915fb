// One thread beside the loop on which an application goes on when the test says so, and what it allocates there: the application's own
// code and all of the server's that it calls, or that runs as its continuation.

namespace Asgi.Server.Micro.Tests.Allocations;

internal sealed class OtherThread : IDisposable
{
    private readonly SemaphoreSlim _begin = new(0);
    private readonly SemaphoreSlim _end = new(0);
    private readonly Thread _thread;
    private Action? _work;
    private Exception? _failure;
    private long _allocated;

    public OtherThread()
    {
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>What an application that has gone asynchronous does next; called for each request.</summary>
    public Action? Work { get; set; }

    /// <summary>Does the work, and waits for its end.</summary>
    /// <returns>What it has allocated, in bytes.</returns>
    public long GoOn()
    {
        _work = Work;
        _begin.Release();
        _end.Wait();
        Assert.Null(_failure);
        return _allocated;
    }

    public void Dispose()
    {
        _work = null;
        _begin.Release();
        _thread.Join();
        _begin.Dispose();
        _end.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _begin.Wait();
            if (_work is not { } work)
            {
                return;
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                work();
            }
            catch (Exception exception)
            {
                _failure = exception;
            }

            _allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            _end.Release();
        }
    }
}
