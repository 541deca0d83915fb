// The listeners of one endpoint. Made by LoopGroup.Bind; started and closed by Hosting on its own threads.
using System.Net;

namespace Asgi.Server.Loops;

internal sealed class BoundEndpoint
{
    private readonly Loop[] _loops;
    private readonly Listener[] _listeners;

    public BoundEndpoint(Loop[] loops, Listener[] listeners)
    {
        _loops = loops;
        _listeners = listeners;
    }

    /// <summary>The address as bound: with the real port where 0 was asked for.</summary>
    public EndPoint LocalEndPoint => _listeners[0].LocalEndPoint;

    /// <summary>Starts to accept; the loops must run, or be started soon.</summary>
    public void StartAccepting(IConnectionAcceptor acceptor)
    {
        for (var i = 0; i < _listeners.Length; i++)
        {
            IAcceptHandler handler = _listeners.Length == _loops.Length ? new OwnLoop(_loops[i], acceptor) : new InTurns(_loops, acceptor);
            _loops[i].Post(new StartListener(_loops[i], _listeners[i], handler));
        }
    }

    /// <summary>
    /// Closes the listeners, each on its loop; done when connecting is refused and every connection accepted before is its acceptor's.
    /// </summary>
    public async Task CloseAsync()
    {
        await CloseListenersAsync().ConfigureAwait(false);
        if (_listeners.Length != _loops.Length)
        {
            // One accepted in turns may still be on its way to its loop; what is posted now runs behind it.
            await Task.WhenAll(Array.ConvertAll(_loops, Reached.AskAsync)).ConfigureAwait(false);
        }
    }

    /// <summary>Closes listeners whose loops were never started. Host's thread.</summary>
    public void CloseUnstarted()
    {
        foreach (var listener in _listeners)
        {
            listener.Close();
        }
    }

    private Task CloseListenersAsync()
    {
        var closes = new Task[_listeners.Length];
        for (var i = 0; i < closes.Length; i++)
        {
            var close = new CloseListener(_listeners[i]);
            closes[i] = close.Task;
            _loops[i].Post(close);
        }

        return Task.WhenAll(closes);
    }

    private sealed class OwnLoop(Loop loop, IConnectionAcceptor acceptor) : IAcceptHandler
    {
        public void OnAccepted(Transport transport) => acceptor.Accept(loop, transport);
    }

    private sealed class InTurns(Loop[] loops, IConnectionAcceptor acceptor) : IAcceptHandler
    {
        private int _next;

        public void OnAccepted(Transport transport)
        {
            var loop = loops[_next++ % loops.Length];
            if (loop.IsCurrent)
            {
                acceptor.Accept(loop, transport);
            }
            else
            {
                loop.Post(new AcceptOnOwner(loop, transport, acceptor, acceptor.Queued(transport)));
            }
        }
    }

    private sealed class AcceptOnOwner(Loop loop, Transport transport, IConnectionAcceptor acceptor, bool isCounted) : WorkItem
    {
        public override void Run()
        {
            acceptor.Dequeued(transport, isCounted);
            acceptor.Accept(loop, transport);
        }
    }

    private sealed class StartListener(Loop loop, Listener listener, IAcceptHandler handler) : WorkItem
    {
        public override void Run() => loop.Backend.StartAccepting(listener, handler);
    }

    /// <summary>Tells when a loop has come so far.</summary>
    private sealed class Reached : WorkItem
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static Task AskAsync(Loop loop)
        {
            var reached = new Reached();
            loop.Post(reached);
            return reached._done.Task;
        }

        public override void Run() => _done.SetResult();
    }

    private sealed class CloseListener(Listener listener) : WorkItem
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Task => _done.Task;

        public override void Run()
        {
            listener.Close();
            _done.SetResult();
        }
    }
}
