// The contract on Linux, over real sockets of the loopback interface.

using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Epoll;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

[SupportedOSPlatform("linux")]
public sealed class EpollBackendTests() : BackendContractTests(new EpollBed());

[SupportedOSPlatform("linux")]
internal sealed class EpollBed : BackendBed
{
    private readonly EpollBackend _backend = new();

    public override Backend Backend => _backend;

    public override Listener Listener { get; } =
        EpollListener.Bind(new IPEndPoint(IPAddress.Loopback, 0), backlog: 512, isSibling: false, hasSiblings: false);

    public override Peer Connect() => new SocketPeer(Listener.LocalEndPoint);

    public override void Dispose()
    {
        Listener.Close();
        _backend.Dispose();
    }
}

/// <summary>A blocking socket of the framework.</summary>
internal sealed class SocketPeer : Peer
{
    // Only a failing test waits so long.
    private const int PatienceMilliseconds = 20_000;

    private readonly Socket _socket;

    public SocketPeer(EndPoint server)
    {
        var protocol = server.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp;
        _socket = new Socket(server.AddressFamily, SocketType.Stream, protocol) { ReceiveTimeout = PatienceMilliseconds };
        _socket.Connect(server);
    }

    public override EndPoint LocalEndPoint => _socket.LocalEndPoint!;

    public override void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Assert.Equal(bytes.Length, _socket.Send(bytes));
        }
        catch (SocketException)
        {
            // The server's end is closed: what became of it is what the test looks at.
        }
    }

    public override byte[] Receive(int count)
    {
        var bytes = new byte[count];
        for (var received = 0; received < count;)
        {
            var length = _socket.Receive(bytes.AsSpan(received));
            Assert.NotEqual(0, length);
            received += length;
        }

        return bytes;
    }

    public override ConnectionEnd ReceiveEnd()
    {
        try
        {
            Assert.Equal(0, _socket.Receive(new byte[1]));
            return ConnectionEnd.Fin;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            return ConnectionEnd.Reset;
        }
    }

    public override void ShutdownSend()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Reset by the server before.
        }
    }

    public override void Reset()
    {
        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Close();
    }

    public override void Dispose() => _socket.Dispose();
}
