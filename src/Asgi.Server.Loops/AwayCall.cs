// A call into application code that is made, or ends, on another thread than the loop's. The loop hears of its end by a post.
namespace Asgi.Server.Loops;

internal sealed class AwayCall(Loop loop, ReadyItem item, int call) : WorkItem, IThreadPoolWorkItem
{
    /// <summary>Makes the call: on a spare thread, or the pool's.</summary>
    public void Execute()
    {
        item.Call(call);
        End();
    }

    /// <summary>The call has returned; nothing of it may be touched after this. The thread it was made on.</summary>
    public void End()
    {
        loop.AwayEnded();
        loop.Post(this);
    }

    public override void Run() => item.Returned(call, wasAway: true);
}
