// The contract on the simulation: what drivers are tested on behaves as what they run on. And what only the simulation has: time.

using System.Net;
using System.Text;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

public sealed class SimulatedBackendTests : BackendContractTests
{
    public SimulatedBackendTests()
        : base(new SimulatedBed())
    {
    }

    [Fact]
    public void A_poll_moves_the_clock_when_there_is_nothing_else_to_do()
    {
        var backend = new SimulatedBackend(seed: 0);
        var start = backend.NowMilliseconds;
        backend.HorizonMilliseconds = start + 1000;

        backend.Poll(600);
        Assert.Equal((start + 600, false), (backend.NowMilliseconds, backend.IsIdle));
        backend.Poll(600);
        Assert.Equal((start + 1000, false), (backend.NowMilliseconds, backend.IsIdle));
        backend.Poll(600);
        Assert.Equal((start + 1000, true), (backend.NowMilliseconds, backend.IsIdle));
    }
}

internal sealed class SimulatedBed : BackendBed
{
    private readonly SimulatedBackend _backend = new(seed: 0);

    public SimulatedBed() => Listener = _backend.Listen();

    public override Backend Backend => _backend;

    public override Listener Listener { get; }

    public override Peer Connect() => new SimulatedPeer(this, ((SimulatedListener)Listener).Connect());

    public override void Dispose() => _backend.Dispose();
}

// A client that reads only what it is asked to, as a blocking socket would with little buffers.
internal sealed class SimulatedPeer : Peer
{
    private readonly SimulatedBed _bed;
    private readonly SimulatedClient _client;

    public SimulatedPeer(SimulatedBed bed, SimulatedClient client)
    {
        _bed = bed;
        _client = client;
        _client.Window = 0;
    }

    public override EndPoint LocalEndPoint => _client.LocalEndPoint;

    public override void Send(ReadOnlySpan<byte> bytes) => _client.Send(bytes);

    public override byte[] Receive(int count)
    {
        _client.Window = count;
        _bed.PollUntil(() => _client.ReceivedLength == count);
        return Encoding.Latin1.GetBytes(_client.Take());
    }

    public override ConnectionEnd ReceiveEnd()
    {
        _client.Window = 1;
        _bed.PollUntil(() => _client.End != ConnectionEnd.None);
        Assert.Equal(0, _client.ReceivedLength);
        return _client.End;
    }

    public override void ShutdownSend() => _client.ShutdownSend();

    public override void Reset() => _client.Reset();

    public override void Dispose()
    {
    }
}
