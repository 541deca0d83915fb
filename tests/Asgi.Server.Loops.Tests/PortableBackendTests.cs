// The contract on the framework's sockets, over the loopback interface, and what only this backend has: sends that are still under way
// when their connection ends, and looks at connections of which the system tells nothing by itself.

using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Asgi.Server.Loops.Interop;
using Asgi.Server.Loops.Portable;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

public sealed class PortableBackendContractTests() : BackendContractTests(new PortableBed());

public sealed class PortableBackendTests : IDisposable
{
    private readonly PortableBed _bed = new();
    private readonly AcceptRecorder _accepted = new();

    public PortableBackendTests() => _bed.Backend.StartAccepting(_bed.Listener, _accepted);

    public void Dispose() => _bed.Dispose();

    [Fact]
    public void A_close_delivers_what_waits_for_room_and_then_FIN()
    {
        var (peer, transport, _) = Connect(_bed);
        var sent = Fill(transport);

        transport.Close();
        var received = WhilePolling(_bed, () => peer.Receive(sent.Length));

        Assert.Equal(sent, received);
        Assert.Equal(ConnectionEnd.Fin, WhilePolling(_bed, peer.ReceiveEnd));
    }

    [Fact]
    public void A_FIN_comes_behind_what_waits_for_room()
    {
        var (peer, transport, handler) = Connect(_bed);
        var sent = Fill(transport);
        var before = handler.WritableCount;

        transport.ShutdownSend();
        var received = WhilePolling(_bed, () => peer.Receive(sent.Length));

        Assert.Equal(sent, received);
        Assert.Equal(ConnectionEnd.Fin, WhilePolling(_bed, peer.ReceiveEnd));
        Assert.Equal(before, handler.WritableCount);
        peer.Send("late"u8);
        _bed.PollUntil(() => handler.ReadableCount > 0);
    }

    [Fact]
    public void An_abort_while_bytes_wait_for_room_is_an_RST()
    {
        var (peer, transport, handler) = Connect(_bed);
        Fill(transport);

        transport.Abort();
        _bed.PollRest();

        Assert.Equal(ConnectionEnd.Reset, EndOf(peer));
        Assert.Equal((0, 0), (handler.BrokenCount, handler.PeerShutdownCount));
    }

    // The process may go on when a loop has ended, and so do its last bytes.
    [Fact]
    public void What_waits_for_room_is_delivered_when_nobody_polls_any_more()
    {
        using var bed = new PortableBed();
        bed.Backend.StartAccepting(bed.Listener, _accepted);
        var (peer, transport, _) = Connect(bed);
        var sent = Fill(transport);
        transport.Close();

        bed.Dispose();

        Assert.Equal(sent, peer.Receive(sent.Length));
        Assert.Equal(ConnectionEnd.Fin, peer.ReceiveEnd());
    }

    [Fact]
    public void What_a_peer_never_takes_is_given_up()
    {
        var (peer, transport, _) = Connect(_bed);
        Fill(transport);
        var portable = (PortableTransport)transport;
        transport.Close();
        var now = _bed.Backend.NowMilliseconds;

        portable.LookAgain(now + PortableTransport.DeliveryMillisecondsMax - 1000);
        Assert.True(portable.IsSilent);
        portable.LookAgain(now + PortableTransport.DeliveryMillisecondsMax + 1000);

        Assert.False(portable.IsSilent);
        Assert.Equal(ConnectionEnd.Reset, EndOf(peer));
    }

    // The first bytes are answered with RST: whoever waits for the next request must hear of that.
    [Fact]
    public void A_connection_that_breaks_while_it_sends_is_told_as_broken()
    {
        var (peer, transport, handler) = Connect(_bed);
        peer.Dispose();
        _bed.PollUntil(() => handler.PeerShutdownCount > 0);

        SendAll(transport, [Bytes(1_000)]);
        SendAll(transport, [Bytes(1_000)]);

        _bed.PollUntil(() => handler.BrokenCount > 0);
        Assert.Equal(TransportStatus.Broken, transport.Receive(new byte[1]).Status);
    }

    // A large send whose first bytes are answered with RST: what it could not take fails when it is given to the system a second time.
    [Fact]
    public void A_connection_that_breaks_while_a_send_is_handed_over_is_told_as_broken()
    {
        for (var size = 200_000; size < 4_000_000; size += 200_000)
        {
            var (peer, transport, handler) = Connect(_bed);
            peer.Dispose();
            _bed.PollUntil(() => handler.PeerShutdownCount > 0);

            SendAll(transport, [Bytes(size)]);

            _bed.PollUntil(() => handler.BrokenCount > 0);
            transport.Abort();
        }
    }

    [Fact]
    public void A_connection_whose_socket_the_application_has_closed_is_broken()
    {
        var (_, transport, handler) = Connect(_bed);

        transport.Socket!.Dispose();

        _bed.PollUntil(() => handler.BrokenCount > 0);
        Assert.Equal(TransportStatus.Broken, transport.Receive(new byte[1]).Status);
        Assert.Equal(0, transport.UnacknowledgedLength);
        transport.ShutdownSend();
        transport.Abort();
    }

    [Fact]
    public void A_connection_whose_socket_the_application_has_closed_while_its_bytes_waited_is_broken()
    {
        var (peer, transport, handler) = Connect(_bed);
        peer.Send("unread"u8);
        _bed.PollUntil(() => handler.ReadableCount > 0);

        transport.Socket!.Dispose();

        Assert.Equal(0, transport.UnacknowledgedLength);
        _bed.PollUntil(() => handler.BrokenCount > 0);
        Assert.Equal(TransportStatus.Broken, transport.Receive(new byte[1]).Status);
        transport.Close();
    }

    [Fact]
    public void A_send_on_a_socket_that_the_application_has_closed_fails()
    {
        var (_, transport, _) = Connect(_bed);
        transport.Socket!.Dispose();

        Assert.Equal(0, SendAll(transport, [Bytes(3)]));

        transport.Close();
    }

    [Fact]
    public void On_a_unix_socket_a_FIN_that_waits_for_room_is_not_sent_yet()
    {
        using var bed = new PortableBed(isUnix: true);
        bed.Backend.StartAccepting(bed.Listener, _accepted);
        var (peer, transport, handler) = Connect(bed);
        var sent = Fill(transport);

        transport.ShutdownSend();
        peer.ShutdownSend();
        bed.PollUntil(() => handler.PeerShutdownCount > 0);
        Assert.Equal(0, handler.BrokenCount);

        Assert.Equal(sent, WhilePolling(bed, () => peer.Receive(sent.Length)));
        bed.PollUntil(() => handler.BrokenCount > 0);
    }

    // A receive that is not pending cannot fail: the system is asked.
    [Fact]
    public void An_RST_is_told_of_a_connection_whose_bytes_nobody_takes()
    {
        var (peer, transport, handler) = Connect(_bed);
        peer.Send("unread"u8);
        _bed.PollUntil(() => handler.ReadableCount > 0);

        peer.Reset();
        _bed.PollUntil(() => handler.BrokenCount > 0);

        Assert.Equal(TransportStatus.Broken, transport.Receive(new byte[100]).Status);
    }

    [Fact]
    public void An_RST_behind_a_FIN_is_told()
    {
        var (peer, transport, handler) = Connect(_bed);
        peer.ShutdownSend();
        _bed.PollUntil(() => handler.PeerShutdownCount > 0);
        Assert.Equal(TransportResult.Done(0), transport.Receive(new byte[1]));

        peer.Reset();
        _bed.PollUntil(() => handler.BrokenCount > 0);

        Assert.Equal((1, 1, 1), (handler.ReadableCount, handler.PeerShutdownCount, handler.BrokenCount));
    }

    [Fact]
    public void What_is_not_acknowledged_is_known_where_the_system_tells()
    {
        var (peer, transport, _) = Connect(_bed);
        Assert.Equal(0, transport.UnacknowledgedLength);
        var sent = Fill(transport);
        Assert.InRange(transport.UnacknowledgedLength, 1, sent.Length);

        WhilePolling(_bed, () => peer.Receive(sent.Length));

        _bed.PollUntil(() => transport.UnacknowledgedLength == 0);
    }

    [Fact]
    public void A_send_larger_than_a_piece_keeps_the_order()
    {
        var (peer, transport, _) = Connect(_bed);
        byte[][] parts = [Bytes(10), Bytes(PortableBackend.CopySize - 10), Bytes(1), Bytes(PortableBackend.CopySize + 1), Bytes(5), []];

        var sent = SendAll(transport, parts);

        Assert.Equal(parts.SelectMany(part => part).Take(sent), WhilePolling(_bed, () => peer.Receive(sent)));
        Assert.True(sent > PortableBackend.CopySize);
    }

    // Completions come in on the runtime's threads while their connection, their listener and at last their backend end.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_completes_meanwhile_an_end_is_an_end(int seed)
    {
        const int ConnectionCount = 200;
        var random = new Random(seed);
        var (bed, accepted) = (new PortableBed(), new AcceptRecorder());
        bed.Backend.StartAccepting(bed.Listener, accepted);
        var connections = new List<(Transport Transport, TransportRecorder Handler, int Told)>();
        for (var i = 0; i < ConnectionCount; i++)
        {
            var peer = bed.Connect();
            bed.PollUntil(() => accepted.Accepted.Count > 0);
            var (transport, handler) = (accepted.Accepted.Dequeue(), new TransportRecorder());
            bed.Backend.Attach(transport, handler);
            handler.WhenReadable = () => transport.Receive(new byte[100]);
            if (random.Next(4) == 0)
            {
                Fill(transport);
            }

            Action act = random.Next(4) switch { 0 => peer.Reset, 1 => peer.ShutdownSend, 2 => peer.Dispose, _ => () => peer.Send("x"u8) };
            ThreadPool.UnsafeQueueUserWorkItem(_ => Record.Exception(act), null);
            for (var polls = random.Next(3); polls > 0; polls--)
            {
                bed.Backend.Poll(0);
            }

            Action end = random.Next(3) switch { 0 => transport.Close, 1 => transport.Abort, _ => transport.ShutdownSend };
            end();
            if (end.Method.Name != nameof(Transport.ShutdownSend))
            {
                connections.Add((transport, handler, ToldOf(handler)));
            }
        }

        bed.Backend.Poll(0);
        bed.Dispose();

        Assert.NotEmpty(connections);
        Assert.All(connections, connection => Assert.Equal(connection.Told, ToldOf(connection.Handler)));
    }

    [Fact]
    public unsafe void The_loops_thread_allocates_nothing_for_a_receive_and_a_send()
    {
        const int WarmUpCount = 200;
        var (peer, transport, handler) = Connect(_bed);
        var buffer = GC.AllocateArray<byte>(100, pinned: true);
        var allocated = 0L;
        for (var i = 0; i < 2 * WarmUpCount; i++)
        {
            peer.Send("request"u8);
            var (told, before) = (handler.ReadableCount, GC.GetAllocatedBytesForCurrentThread());
            while (handler.ReadableCount == told)
            {
                _bed.Backend.Poll(100);
            }

            var received = transport.Receive(buffer);
            fixed (byte* start = buffer)
            {
                transport.Send([new IoVector(start, received.Length), new IoVector(start, 1)]);
            }

            allocated += i < WarmUpCount ? 0 : GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal("requestr"u8, peer.Receive(8));
        }

        Assert.Equal(0, allocated);
    }

    [Fact]
    public void On_a_unix_socket_a_FIN_is_told_when_what_came_before_is_taken()
    {
        using var bed = new PortableBed(isUnix: true);
        bed.Backend.StartAccepting(bed.Listener, _accepted);
        var (peer, transport, handler) = Connect(bed);
        peer.Send("last"u8);
        peer.ShutdownSend();
        bed.PollUntil(() => handler.ReadableCount > 0);

        Assert.Equal(TransportResult.Done(4), transport.Receive(new byte[100]));
        bed.PollUntil(() => handler.PeerShutdownCount > 0);

        Assert.Equal(TransportResult.Done(0), transport.Receive(new byte[100]));
        Assert.Equal(0, handler.BrokenCount);
        SendAll(transport, [Bytes(3)]);
        Assert.Equal(Bytes(3), peer.Receive(3));
    }

    [Fact]
    public void On_a_unix_socket_a_peer_that_has_gone_breaks_the_connection()
    {
        using var bed = new PortableBed(isUnix: true);
        bed.Backend.StartAccepting(bed.Listener, _accepted);
        var (peer, transport, handler) = Connect(bed);
        peer.ShutdownSend();
        bed.PollUntil(() => handler.PeerShutdownCount > 0);

        peer.Dispose();
        bed.PollUntil(() => handler.BrokenCount > 0);

        Assert.Null(transport.RemoteEndPoint);
    }

    [Theory]
    [InlineData(1, ConnectionPhase.Open)] // ESTABLISHED
    [InlineData(5, ConnectionPhase.Open)] // FIN_WAIT2
    [InlineData(7, ConnectionPhase.Over)] // CLOSE
    [InlineData(8, ConnectionPhase.PeerShutdown)] // CLOSE_WAIT
    [InlineData(9, ConnectionPhase.Over)] // LAST_ACK
    internal void States_of_Linux(int state, ConnectionPhase phase) => Assert.Equal(phase, TcpKnowledge.OfLinux(state));

    [Theory]
    [InlineData(4, ConnectionPhase.Open)]
    [InlineData(9, ConnectionPhase.Open)]
    [InlineData(0, ConnectionPhase.Over)]
    [InlineData(5, ConnectionPhase.PeerShutdown)]
    [InlineData(8, ConnectionPhase.Over)]
    internal void States_of_Darwin(int state, ConnectionPhase phase) => Assert.Equal(phase, TcpKnowledge.OfDarwin(state));

    [Theory]
    [InlineData(4, ConnectionPhase.Open)]
    [InlineData(6, ConnectionPhase.Open)]
    [InlineData(0, ConnectionPhase.Over)]
    [InlineData(7, ConnectionPhase.PeerShutdown)]
    [InlineData(9, ConnectionPhase.Over)]
    internal void States_of_Windows(int state, ConnectionPhase phase) => Assert.Equal(phase, TcpKnowledge.OfWindows(state));

    private (Peer Peer, Transport Transport, TransportRecorder Handler) Connect(PortableBed bed)
    {
        var peer = bed.Connect();
        bed.PollUntil(() => _accepted.Accepted.Count > 0);
        var transport = _accepted.Accepted.Dequeue();
        var handler = new TransportRecorder();
        bed.Backend.Attach(transport, handler);
        return (peer, transport, handler);
    }

    // Until a send is pending.
    private static byte[] Fill(Transport transport)
    {
        var sent = new List<byte>();
        for (var i = 0; ; i++)
        {
            var piece = Bytes(30_000 + i);
            var length = SendAll(transport, [piece]);
            if (length == 0)
            {
                return [.. sent];
            }

            sent.AddRange(piece.AsSpan(0, length));
        }
    }

    private static int ToldOf(TransportRecorder handler) =>
        handler.ReadableCount + handler.WritableCount + handler.PeerShutdownCount + handler.BrokenCount;

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)i)];

    private static unsafe int SendAll(Transport transport, byte[][] parts)
    {
        var pins = Array.ConvertAll(parts, part => GCHandle.Alloc(part, GCHandleType.Pinned));
        var vectors = pins.Zip(parts, (pin, part) => new IoVector((byte*)pin.AddrOfPinnedObject(), part.Length)).ToArray();
        var result = transport.Send(vectors);
        Array.ForEach(pins, pin => pin.Free());
        return result.Length;
    }

    private static T WhilePolling<T>(PortableBed bed, Func<T> call)
    {
        // A task, so that what fails on its thread fails the test.
        var calling = Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        bed.PollUntil(() => calling.IsCompleted);
        return calling.GetAwaiter().GetResult();
    }

    // What was sent before the end is of no interest.
    private static ConnectionEnd EndOf(Peer peer)
    {
        while (true)
        {
            try
            {
                peer.Receive(1);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                return ConnectionEnd.Reset;
            }
        }
    }
}

internal sealed class PortableBed : BackendBed
{
    // For completions on other threads to come in: only tests that expect nothing wait it out.
    private const int QuietMilliseconds = 20;

    private readonly PortableBackend _backend = new();
    private readonly string? _path;

    public PortableBed(bool isUnix = false)
    {
        _path = isUnix ? Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock") : null;
        Listener = PortableListener.Bind(
            isUnix ? new UnixDomainSocketEndPoint(_path!) : new IPEndPoint(IPAddress.Loopback, 0), backlog: 512);
    }

    public override Backend Backend => _backend;

    public override Listener Listener { get; }

    public override Peer Connect() => new SocketPeer(Listener.LocalEndPoint);

    public override void PollRest()
    {
        for (var i = 0; i < 5; i++)
        {
            _backend.Poll(QuietMilliseconds);
        }
    }

    public override void Dispose()
    {
        Listener.Close();
        _backend.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }
}
