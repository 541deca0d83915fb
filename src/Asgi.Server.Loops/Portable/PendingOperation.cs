// An operation that the runtime completes on a thread of its own, and its place in the queue of the backend that dispatches it. One object
// per socket and kind, used again and again. Started on the loop's thread; what runs elsewhere says so.
using System.Net.Sockets;

namespace Asgi.Server.Loops.Portable;

/// <summary>At any time it is with its owner, or with the system, or queued; so it stands in one queue at a time.</summary>
internal abstract class PendingOperation : SocketAsyncEventArgs
{
    // Without the starter's execution context: no AsyncLocal of an application flows into a completion.
    protected PendingOperation()
        : base(true)
    {
    }

    public PendingOperation? Next { get; set; }

    /// <summary>Who dispatches the completion. Set before the operation is started.</summary>
    public PortableBackend? Backend { get; set; }

    /// <summary>Tells its owner that it is complete. Loop thread.</summary>
    public abstract void Dispatch();

    /// <summary>It is complete and no loop will hear of it any more. Any thread.</summary>
    public abstract void Abandon();

    // Any thread: the runtime's.
    protected sealed override void OnCompleted(SocketAsyncEventArgs e) => Backend!.Enqueue(this);
}
