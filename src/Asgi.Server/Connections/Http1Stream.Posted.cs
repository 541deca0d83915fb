// How what other threads want of the stream comes to the loop: as flags of one post, made when first needed. One that comes too late, when
// the connection has let go of the stream, is thrown away. Posted on any thread, run on the loop's.
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Stream
{
    private PostedWork? _posted;

    protected override void Post(StreamWork work)
    {
        if (_posted is null)
        {
            Interlocked.CompareExchange(ref _posted, new PostedWork(this), null);
        }

        _posted.Add((int)work);
    }

    // The connection has let go of the stream: its requests are long over. What was written to it goes nowhere.
    private void RunLate(StreamWork work)
    {
        var dropped = new SendBuffer(_loop.Blocks);
        _postedOutput.TakeTo(dropped);
        dropped.Clear();
        if ((work & StreamWork.Abort) != 0)
        {
            _driver.AbortByApplication();
        }
    }

    private sealed class PostedWork(Http1Stream stream) : WorkItem
    {
        private int _work;

        public void Add(int work)
        {
            if (Interlocked.Or(ref _work, work) == 0)
            {
                stream._loop.Post(this);
            }
        }

        public override void Run() =>
            stream._connection.Guard(this, static posted => posted.RunAll());

        private void RunAll()
        {
            var work = (StreamWork)Interlocked.Exchange(ref _work, 0);
            if (stream._driver.IsCurrent(stream))
            {
                stream.Run(work);
            }
            else
            {
                stream.RunLate(work);
            }
        }
    }
}
