// What the contract suite needs of a backend under test: a listener to connect to, and peers that are no code of the product's.

using System.Net;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

internal abstract class BackendBed : IDisposable
{
    // Far more than any test needs; none waits it out unless it fails.
    private const int PollsMax = 200;
    private const int PollMilliseconds = 100;

    public abstract Backend Backend { get; }

    public abstract Listener Listener { get; }

    public abstract Peer Connect();

    /// <summary>Polls until a condition holds.</summary>
    public void PollUntil(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.True(i < PollsMax, "What the test waits for has not happened.");
            Backend.Poll(PollMilliseconds);
        }
    }

    /// <summary>Takes all events there are.</summary>
    public virtual void PollRest()
    {
        for (var i = 0; i < 10; i++)
        {
            Backend.Poll(0);
        }
    }

    public abstract void Dispose();
}

/// <summary>The other end of a connection.</summary>
internal abstract class Peer : IDisposable
{
    public abstract EndPoint LocalEndPoint { get; }

    public abstract void Send(ReadOnlySpan<byte> bytes);

    /// <summary>Exactly so many bytes.</summary>
    public abstract byte[] Receive(int count);

    /// <summary>How the connection ends, with nothing received before that.</summary>
    public abstract ConnectionEnd ReceiveEnd();

    public abstract void ShutdownSend();

    public abstract void Reset();

    public abstract void Dispose();
}

internal sealed class AcceptRecorder : IAcceptHandler
{
    public Queue<Transport> Accepted { get; } = new();

    public void OnAccepted(Transport transport) => Accepted.Enqueue(transport);
}

internal sealed class TransportRecorder : ITransportHandler
{
    public int ReadableCount { get; private set; }

    public int WritableCount { get; private set; }

    public int PeerShutdownCount { get; private set; }

    public int BrokenCount { get; private set; }

    public Action WhenReadable { get; set; } = () => { };

    public void OnReadable()
    {
        ReadableCount++;
        WhenReadable();
    }

    public void OnWritable() => WritableCount++;

    public void OnPeerShutdown() => PeerShutdownCount++;

    public void OnBroken() => BrokenCount++;
}
