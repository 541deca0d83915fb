// How what other threads want of the streams of a connection comes to the loop: one post for all of them, made by the first. Streams push
// themselves on any thread; the loop takes all at once.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class Http2Posts(Loop loop) : WorkItem
{
    private Http2Stream? _top;

    /// <summary>Adds a stream that has work and did not have any. Any thread.</summary>
    public void Push(Http2Stream stream)
    {
        Http2Stream? top;
        do
        {
            top = Volatile.Read(ref _top);
            stream.NextPosted = top;
        }
        while (Interlocked.CompareExchange(ref _top, stream, top) != top);

        // Who comes first posts; the others are found with it.
        if (top is null)
        {
            loop.Post(this);
        }
    }

    // A stream that fails breaks its connection and nothing else: one that is passed over would wait for ever.
    public override void Run()
    {
        var stream = Reverse(Interlocked.Exchange(ref _top, null));
        while (stream is not null)
        {
            // Read first: what it runs may push it again.
            var next = stream.NextPosted;
            stream.NextPosted = null;
            stream.RunPosted();
            stream = next;
        }
    }

    private static Http2Stream? Reverse(Http2Stream? stream)
    {
        Http2Stream? reversed = null;
        while (stream is not null)
        {
            (stream.NextPosted, reversed, stream) = (reversed, stream, stream.NextPosted);
        }

        return reversed;
    }
}
