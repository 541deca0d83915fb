// What a loop needs of an operating system: a clock, readiness, and sockets that never block. Epoll/ is one; the tests' simulation another.
// All members are for the loop's thread unless they say otherwise.
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops.Interop;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Loops;

internal abstract class Backend : IDisposable
{
    /// <summary>A monotonic clock, milliseconds from an arbitrary start. Any thread.</summary>
    public abstract long NowMilliseconds { get; }

    /// <summary>Waits for events at most so long (-1: without end; 0: not at all) and dispatches what there is to its handlers.</summary>
    public abstract void Poll(int timeoutMilliseconds);

    /// <summary>Ends a <see cref="Poll"/> under way, or the next one. Any thread.</summary>
    public abstract void Wake();

    /// <summary>Listens on a bound endpoint; connections are dispatched to <paramref name="handler"/> from the next poll on.</summary>
    public abstract void StartAccepting(Listener listener, IAcceptHandler handler);

    /// <summary>Starts to watch an accepted connection, which may have been accepted by another loop.</summary>
    public abstract void Attach(Transport transport, ITransportHandler handler);

    public abstract void Dispose();
}

/// <summary>A bound, listening socket. Made on the host's thread, closed on its loop's.</summary>
internal abstract class Listener
{
    /// <summary>The address as bound: with the real port where 0 was asked for.</summary>
    public abstract EndPoint LocalEndPoint { get; }

    public abstract void Close();
}

internal interface IAcceptHandler
{
    /// <summary>A connection was accepted and waits to be attached to a loop.</summary>
    void OnAccepted(Transport transport);
}

internal interface ITransportHandler
{
    /// <summary>
    /// Bytes, the end of the stream or an error wait to be received. Edge-triggered: said once until a receive would block.
    /// </summary>
    void OnReadable();

    /// <summary>There is room to send again after a send that would have blocked.</summary>
    void OnWritable();

    /// <summary>The peer has shut down its sending side (FIN); bytes it sent before may still wait.</summary>
    void OnPeerShutdown();

    /// <summary>The connection is broken in both directions (RST, or an error).</summary>
    void OnBroken();
}

internal enum TransportStatus
{
    /// <summary>Bytes were moved; <see cref="TransportResult.Length"/> says how many. Zero received is the end of the stream.</summary>
    Done,

    /// <summary>Nothing now; the handler hears when that changes.</summary>
    WouldBlock,

    /// <summary>The connection is broken.</summary>
    Broken,
}

internal readonly record struct TransportResult(TransportStatus Status, int Length)
{
    public static TransportResult WouldBlock => new(TransportStatus.WouldBlock, 0);

    public static TransportResult Broken => new(TransportStatus.Broken, 0);

    public static TransportResult Done(int length) => new(TransportStatus.Done, length);
}

/// <summary>A connected stream socket.</summary>
internal abstract class Transport
{
    public abstract EndPoint? RemoteEndPoint { get; }

    public abstract EndPoint? LocalEndPoint { get; }

    /// <summary>
    /// The connection as a socket, for options and credentials; null where there is none to give. It is closed with the transport. Any
    /// thread.
    /// </summary>
    public virtual Socket? Socket => null;

    public abstract TransportResult Receive(Span<byte> buffer);

    /// <summary>Whether <see cref="SendFile"/> is to be used: the bytes sent are those of the file.</summary>
    public virtual bool CanSendFiles => false;

    /// <param name="vectors">What is to be sent, in order.</param>
    /// <param name="isMoreFollowing">Whether another send follows at once, with which the last bytes may share a segment.</param>
    public abstract TransportResult Send(ReadOnlySpan<IoVector> vectors, bool isMoreFollowing = false);

    /// <summary>Sends bytes of a file without their passing through the server's memory.</summary>
    /// <param name="file">A file that can be read at an offset.</param>
    /// <param name="offset">Where to start, in bytes; may lie beyond 2 GiB.</param>
    /// <param name="count">Bytes at most, greater than 0.</param>
    /// <returns>Bytes sent; zero of them when the file ends at the offset; broken also when the file cannot be read.</returns>
    public virtual TransportResult SendFile(SafeFileHandle file, long offset, int count) => throw new NotSupportedException();

    /// <summary>Bytes that a send has taken and the peer has not acknowledged; 0 where that is unknown.</summary>
    public virtual long UnacknowledgedLength => 0;

    /// <summary>Bytes that a send has taken and the system has not: nothing is sent until they are. A socket has none.</summary>
    public virtual long UnsentLength => 0;

    /// <summary>Whether more may be received without a new edge after a receive that has not filled its buffer. Not of a socket.</summary>
    public virtual bool HasMore => false;

    /// <summary>Whether the transport itself waits for bytes, whatever is above it does.</summary>
    public virtual bool WantsInput => false;

    /// <summary>
    /// Everything was sent, FIN is next: has said whatever the protocol of the transport says last. Idempotent; it may leave bytes unsent.
    /// </summary>
    public virtual void FinishSend()
    {
    }

    /// <summary>Sends FIN: no more bytes go out, bytes still come in.</summary>
    public abstract void ShutdownSend();

    /// <summary>Lets the connection go; bytes accepted by a send are still delivered. Idempotent.</summary>
    public abstract void Close();

    /// <summary>Lets the connection go with RST. Idempotent.</summary>
    public abstract void Abort();
}
