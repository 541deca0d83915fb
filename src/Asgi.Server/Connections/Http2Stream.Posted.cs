// What other threads want of the stream, as flags that the connection's one post finds (Http2Posts). Added on any thread, run on the
// loop's.
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Stream
{
    private Http2ErrorCode _resetCode;
    private int _work;

    [Flags]
    private enum Work
    {
        Output = 1,
        Receive = 2,
        CancelReceive = 4,
        CancelFlush = 8,
        Reset = 16,
        Returned = 32,
        Upgrade = 64,
        EndCanceledWait = 128,
        RequestClose = 256,
    }

    /// <summary>The list of streams of the connection that have work.</summary>
    public Http2Stream? NextPosted { get; set; }

    /// <summary>The application's task has completed. Any thread.</summary>
    public void OnApplicationCompletedLater() => Post(Work.Returned);

    /// <summary>Does what was posted. Loop thread.</summary>
    public void RunPosted()
    {
        var work = (Work)Interlocked.Exchange(ref _work, 0);
        if ((work & Work.RequestClose) != 0)
        {
            _driver.ShutDown();
        }

        if (_life == Life.Running)
        {
            Run(work);
        }
        else
        {
            // The request is over: what was written to it goes nowhere.
            _postedOutput.TakeTo(Pending);
            if (_life == Life.Free)
            {
                Pending.Reset();
            }
        }
    }

    private void Post(Work work)
    {
        if (Interlocked.Or(ref _work, (int)work) == 0)
        {
            _driver.Posts.Push(this);
        }
    }

    private void Run(Work work)
    {
        if ((work & Work.Reset) != 0)
        {
            _connection.Log.StreamAborted(_connection.Id, State.Id, _resetCode.ToString());
            _driver.Reset(this, _resetCode);
        }

        if ((work & Work.Upgrade) != 0)
        {
            BecomeRaw();
        }

        if ((work & Work.CancelReceive) != 0)
        {
            _isReceiveCanceled = true;
            OnContent();
        }

        if ((work & Work.Receive) != 0)
        {
            BeginAwaitContent();
        }

        if ((work & Work.EndCanceledWait) != 0)
        {
            CancelWaitIfAsked();
        }

        if ((work & Work.CancelFlush) != 0 && _isAwaitingFlush != 0)
        {
            Volatile.Write(ref _isAwaitingFlush, 0);
            _calls.Add(ReadyCall.Flushed);
        }

        if ((work & Work.Output) != 0)
        {
            TakeOutput();
        }

        if ((work & Work.Returned) != 0)
        {
            _calls.OnApplicationDone();
        }
    }
}
