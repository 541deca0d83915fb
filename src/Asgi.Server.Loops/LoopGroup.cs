// The loops of one server. Binds endpoints and spreads their connections over the loops. Used by Hosting, on the host's threads.
using System.Net;
using System.Net.Sockets;

namespace Asgi.Server.Loops;

/// <summary>Takes a new connection on the thread of the loop that will own it.</summary>
internal interface IConnectionAcceptor
{
    void Accept(Loop loop, Transport transport);

    /// <summary>One loop has accepted a connection that is another's, which will take it. The first loop's thread.</summary>
    /// <returns>What <see cref="Dequeued"/> is to be told.</returns>
    bool Queued(Transport transport) => false;

    /// <summary>The other loop takes it now. That loop's thread, before <see cref="Accept"/>.</summary>
    void Dequeued(Transport transport, bool isCounted)
    {
    }
}

/// <summary>How the loops of a server deal with application code that blocks.</summary>
internal sealed record BlockingOptions
{
    /// <summary>How long a call may hold its loop before another thread goes on with it; null: nobody watches.</summary>
    public int? HandOffMilliseconds { get; init; } = 10;

    /// <summary>Calls made on spare threads at the same time.</summary>
    public int SpareCallCountMax { get; init; } = 256;

    /// <summary>Calls that wait for a spare thread.</summary>
    public int WaitingCallCountMax { get; init; } = 10_000;
}

internal sealed class LoopGroup : IDisposable
{
    private readonly BackendFactory _backends;
    private readonly Loop[] _loops;
    private readonly Watchdog? _watchdog;

    /// <param name="count">Loops to run, each a thread. At least 1.</param>
    /// <param name="blocking">How to deal with calls that block; null: with the defaults.</param>
    /// <param name="backends">What the loops run on; null: what suits this system.</param>
    public LoopGroup(int count, BlockingOptions? blocking = null, BackendFactory? backends = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _backends = backends ?? BackendFactory.ForThisSystem();
        blocking ??= new BlockingOptions();
        Spares = new SpareThreads(count, blocking.SpareCallCountMax, blocking.WaitingCallCountMax);
        _loops = new Loop[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                _loops[i] = new Loop(_backends.Create(), $"asgi loop {i}", Spares);
            }
        }
        catch
        {
            // The process is out of descriptors: those that were made give theirs back.
            Array.ForEach(_loops, static loop => loop?.Dispose());
            throw;
        }

        if (blocking.HandOffMilliseconds is { } threshold)
        {
            _watchdog = new Watchdog(_loops, threshold);
        }
    }

    public ReadOnlySpan<Loop> Loops => _loops;

    public SpareThreads Spares { get; }

    public void Start()
    {
        foreach (var loop in _loops)
        {
            loop.Start();
        }

        _watchdog?.Start();
    }

    /// <summary>
    /// Binds an endpoint: with a socket for each loop where the system spreads connections over them, else the loops take turns.
    /// </summary>
    /// <param name="endPoint">An IP endpoint, port 0 for a free one, or a unix socket's path.</param>
    /// <param name="backlog">Connections the kernel completes ahead of an accept, for each socket.</param>
    /// <param name="unixSocketMode">The mode of a unix socket's file, set before anybody can connect; null for the umask's.</param>
    /// <exception cref="SocketException">The endpoint cannot be bound; nothing stays bound.</exception>
    public BoundEndpoint Bind(EndPoint endPoint, int backlog, UnixFileMode? unixSocketMode = null) =>
        new(_loops, _backends.Bind(endPoint, backlog, _loops.Length, unixSocketMode));

    /// <summary>Takes over a stream socket that listens already, as a process inherits it; the loops take turns.</summary>
    /// <param name="handle">The descriptor; closed with the endpoint.</param>
    /// <exception cref="InvalidOperationException">It is no stream socket that listens.</exception>
    public BoundEndpoint Adopt(ulong handle) => new(_loops, [_backends.Adopt(handle)]);

    public void Stop()
    {
        foreach (var loop in _loops)
        {
            loop.Stop();
        }
    }

    public void Dispose()
    {
        Stop();
        _watchdog?.Dispose();
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }

        Spares.Dispose();
    }
}
