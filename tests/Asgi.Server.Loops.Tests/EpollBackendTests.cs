// The contract on Linux, over real sockets of the loopback interface.

using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Epoll;
using Asgi.Server.Loops.Interop;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

[SupportedOSPlatform("linux")]
public sealed class EpollBackendTests() : BackendContractTests(new EpollBed())
{
    // A stranger may post while the loop is disposed, and the kernel gives a descriptor's number to whoever asks next.
    [Fact]
    public unsafe void A_wake_after_the_end_writes_to_nobody_elses_descriptor()
    {
        var backend = new EpollBackend();
        backend.Dispose();
        var others = Enumerable.Range(0, 64).Select(_ => Errno.Demand(Libc.EventFd(0, Constants.EventFdNonBlocking))).ToList();

        backend.Wake();

        foreach (var other in others)
        {
            ulong count = 0;
            Assert.Equal(-1, Libc.Read(other, &count, sizeof(ulong)));
            Assert.Equal(Errno.TryAgain, Marshal.GetLastPInvokeError());
            _ = Libc.Close(other);
        }
    }
}

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
