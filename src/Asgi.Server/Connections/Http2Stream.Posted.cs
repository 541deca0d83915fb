// What other threads want of the stream, as flags that the connection's one post finds (Http2Posts). Added on any thread, run on the
// loop's.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Stream
{
    private Http2ErrorCode _resetCode;

    // The request that its application has asked to reset: the post may find another one.
    private int _resetId;

    private int _work;

    /// <summary>The list of streams of the connection that have work.</summary>
    public Http2Stream? NextPosted { get; set; }

    private bool IsResetAsked => Volatile.Read(ref _resetId) == State.Id;

    /// <summary>The application's task has completed. Any thread.</summary>
    public void OnApplicationCompletedLater() => Post(StreamWork.Returned);

    /// <summary>Does what was posted. Loop thread.</summary>
    public void RunPosted()
    {
        var work = (StreamWork)Interlocked.Exchange(ref _work, 0);
        if ((work & StreamWork.RequestClose) != 0)
        {
            _connection.ShutDown(ConnectionEndReason.GracefulShutdown);
        }

        if (_life == Life.Running)
        {
            try
            {
                Run(work);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // It has broken all streams; that the application is done must be heard of nevertheless, or the connection is never let go.
                _connection.Fail(exception);
                if ((work & StreamWork.Returned) != 0 && _life == Life.Running)
                {
                    _calls.OnApplicationDone();
                }
            }
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

    protected override void Post(StreamWork work)
    {
        if (Interlocked.Or(ref _work, (int)work) == 0)
        {
            _driver.Posts.Push(this);
        }
    }

    private void Run(StreamWork work)
    {
        if ((work & StreamWork.Abort) != 0 && IsResetAsked)
        {
            _connection.Log.StreamAborted(_connection.Id, State.Id, _resetCode.ToString());
            _driver.Reset(this, _resetCode);
        }

        RunReceiving(work);
        if ((work & StreamWork.CancelFlush) != 0 && _isAwaitingFlush != 0)
        {
            Volatile.Write(ref _isAwaitingFlush, 0);
            _calls.Add(ReadyCall.Flushed);
        }

        if ((work & StreamWork.Output) != 0)
        {
            TakeOutput();
        }

        if ((work & StreamWork.Returned) != 0)
        {
            _calls.OnApplicationDone();
        }
    }
}
