// The contract of Backend, Listener and Transport. A backend passes all of it or is not one.

using System.Net.Sockets;
using System.Text;
using Asgi.Server.Loops.Interop;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Loops.Tests;

public abstract class BackendContractTests : IDisposable
{
    private readonly BackendBed _bed;
    private readonly AcceptRecorder _accepted = new();

    private protected BackendContractTests(BackendBed bed)
    {
        _bed = bed;
        _bed.Backend.StartAccepting(_bed.Listener, _accepted);
    }

    public void Dispose() => _bed.Dispose();

    [Fact]
    public void A_connection_is_accepted_with_its_addresses()
    {
        var (peer, transport, _) = Connect();

        Assert.Equal(peer.LocalEndPoint, transport.RemoteEndPoint);
        Assert.Equal(_bed.Listener.LocalEndPoint, transport.LocalEndPoint);
    }

    [Fact]
    public void Many_connections_are_accepted()
    {
        var peers = Enumerable.Range(0, 100).Select(_ => _bed.Connect()).ToArray();

        _bed.PollUntil(() => _accepted.Accepted.Count == peers.Length);

        Array.ForEach(peers, peer => peer.Dispose());
    }

    [Fact]
    public void Nothing_is_readable_before_something_was_sent()
    {
        var (_, transport, handler) = Connect();
        _bed.PollRest();

        Assert.Equal(0, handler.ReadableCount);
        Assert.Equal(TransportResult.WouldBlock, transport.Receive(new byte[1]));
    }

    [Fact]
    public void Readable_is_said_once_until_more_arrives()
    {
        var (peer, transport, handler) = Connect();
        peer.Send("hello"u8);
        _bed.PollUntil(() => handler.ReadableCount > 0);
        Assert.Equal("he", Receive(transport, 2));

        var before = handler.ReadableCount;
        _bed.PollRest();
        Assert.Equal(before, handler.ReadableCount);

        Assert.Equal("llo", Receive(transport, 100));
        Assert.Equal(TransportResult.WouldBlock, transport.Receive(new byte[1]));
        peer.Send("again"u8);
        _bed.PollUntil(() => handler.ReadableCount > before);
        Assert.Equal("again", Receive(transport, 100));
    }

    [Fact]
    public void What_was_sent_before_a_connection_is_attached_is_readable_then()
    {
        var peer = _bed.Connect();
        peer.Send("early"u8);
        _bed.PollUntil(() => _accepted.Accepted.Count > 0);
        _bed.PollRest();

        var handler = new TransportRecorder();
        var transport = _accepted.Accepted.Dequeue();
        _bed.Backend.Attach(transport, handler);
        _bed.PollUntil(() => handler.ReadableCount > 0);

        Assert.Equal("early", Receive(transport, 100));
    }

    [Fact]
    public void A_peers_FIN_is_told_and_comes_behind_its_bytes()
    {
        var (peer, transport, handler) = Connect();
        peer.Send("last"u8);
        peer.ShutdownSend();
        _bed.PollUntil(() => handler.PeerShutdownCount > 0);

        Assert.Equal("last", Receive(transport, 100));
        Assert.Equal(TransportResult.Done(0), transport.Receive(new byte[1]));
        Assert.Equal(TransportResult.Done(0), transport.Receive(new byte[1]));
        Assert.Equal(0, handler.BrokenCount);
    }

    [Fact]
    public void A_peer_that_has_sent_FIN_still_receives()
    {
        var (peer, transport, handler) = Connect();
        peer.ShutdownSend();
        _bed.PollUntil(() => handler.PeerShutdownCount > 0);

        Send(transport, "answer");

        Assert.Equal("answer"u8, peer.Receive(6));
    }

    [Fact]
    public void A_peers_RST_breaks_the_connection()
    {
        var (peer, transport, handler) = Connect();
        peer.Reset();
        _bed.PollUntil(() => handler.BrokenCount > 0);

        Assert.Equal(TransportStatus.Broken, transport.Receive(new byte[1]).Status);
        Assert.Equal(TransportStatus.Broken, SendOnce(transport, "x").Status);
    }

    [Fact]
    public void A_connection_that_both_sides_have_shut_down_is_broken()
    {
        var (peer, transport, handler) = Connect();
        transport.ShutdownSend();
        Assert.Equal(ConnectionEnd.Fin, peer.ReceiveEnd());
        peer.ShutdownSend();

        _bed.PollUntil(() => handler.BrokenCount > 0);

        Assert.Equal(TransportResult.Done(0), transport.Receive(new byte[1]));
    }

    [Fact]
    public void Writable_is_said_when_a_full_connection_has_room_again()
    {
        var (peer, transport, handler) = Connect();
        _bed.PollRest();
        var sent = new List<byte>();
        var piece = Enumerable.Range(0, 10_000).Select(i => (byte)i).ToArray();
        int before;
        do
        {
            // A system may find room for more at once, and says so.
            before = handler.WritableCount;
            while (SendOnce(transport, piece) is { Status: TransportStatus.Done } result)
            {
                sent.AddRange(piece.AsSpan(0, result.Length));
            }

            _bed.PollRest();
        }
        while (handler.WritableCount > before);
        _bed.PollRest();
        Assert.Equal(before, handler.WritableCount);

        Assert.Equal(sent, peer.Receive(sent.Count));
        _bed.PollUntil(() => handler.WritableCount > before);
        Assert.Equal(TransportStatus.Done, SendOnce(transport, piece).Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public unsafe void A_gathered_send_keeps_the_order(int count)
    {
        var (peer, transport, _) = Connect();
        var bytes = Enumerable.Range(0, count).Select(i => (byte)i).ToArray();
        fixed (byte* start = bytes)
        {
            // Every vector has one byte and an empty one behind it.
            var vectors = new IoVector[count * 2];
            for (var i = 0; i < count; i++)
            {
                vectors[i * 2] = new IoVector(start + i, 1);
                vectors[(i * 2) + 1] = new IoVector(start + i, 0);
            }

            Assert.Equal(TransportResult.Done(count), transport.Send(vectors));
        }

        Assert.Equal(bytes, peer.Receive(count));
    }

    [Fact]
    public void A_close_delivers_what_was_sent_and_then_FIN()
    {
        var (peer, transport, _) = Connect();
        Send(transport, "last");

        transport.Close();
        transport.Close();

        Assert.Equal("last"u8, peer.Receive(4));
        Assert.Equal(ConnectionEnd.Fin, peer.ReceiveEnd());
    }

    [Fact]
    public void A_close_with_bytes_nobody_received_is_an_RST()
    {
        var (peer, transport, handler) = Connect();
        peer.Send("unread"u8);
        _bed.PollUntil(() => handler.ReadableCount > 0);

        transport.Close();

        Assert.Equal(ConnectionEnd.Reset, peer.ReceiveEnd());
    }

    [Fact]
    public void An_abort_is_an_RST()
    {
        var (peer, transport, _) = Connect();

        transport.Abort();
        transport.Abort();
        transport.Close();

        Assert.Equal(ConnectionEnd.Reset, peer.ReceiveEnd());
    }

    [Fact]
    public void After_its_own_FIN_a_connection_still_receives()
    {
        var (peer, transport, handler) = Connect();
        transport.ShutdownSend();
        Assert.Equal(ConnectionEnd.Fin, peer.ReceiveEnd());

        peer.Send("late"u8);
        _bed.PollUntil(() => handler.ReadableCount > 0);

        Assert.Equal("late", Receive(transport, 100));
    }

    [Fact]
    public void Nothing_is_told_of_a_closed_connection()
    {
        var (peer, transport, handler) = Connect();
        _bed.PollRest();
        var before = handler.WritableCount;
        transport.Close();

        peer.Send("late"u8);
        peer.ShutdownSend();
        _bed.PollRest();

        Assert.Equal((0, before, 0, 0), (handler.ReadableCount, handler.WritableCount, handler.PeerShutdownCount, handler.BrokenCount));
    }

    [Fact]
    public void An_event_of_a_connection_closed_in_the_same_batch_is_stale()
    {
        var (firstPeer, first, firstHandler) = Connect();
        var (secondPeer, second, secondHandler) = Connect();
        _bed.PollRest();
        firstHandler.WhenReadable = second.Close;
        secondHandler.WhenReadable = first.Close;

        firstPeer.Send("x"u8);
        secondPeer.Send("x"u8);
        _bed.PollUntil(() => firstHandler.ReadableCount + secondHandler.ReadableCount > 0);
        _bed.PollRest();

        Assert.Equal(1, firstHandler.ReadableCount + secondHandler.ReadableCount);
    }

    [Fact]
    public void A_wake_ends_the_next_poll()
    {
        _bed.PollRest();
        _bed.Backend.Wake();

        _bed.Backend.Poll(-1);
    }

    [Fact]
    public void A_wake_from_another_thread_ends_a_poll_under_way()
    {
        _bed.PollRest();
        var waker = new Thread(_bed.Backend.Wake);
        waker.Start();

        _bed.Backend.Poll(-1);

        waker.Join();
    }

    [Fact]
    public void A_closed_listener_refuses()
    {
        _bed.Listener.Close();
        _bed.Listener.Close();

        var exception = Assert.Throws<SocketException>(() => _bed.Connect());

        Assert.Equal(SocketError.ConnectionRefused, exception.SocketErrorCode);
    }

    [Fact]
    public void The_clock_does_not_go_back()
    {
        var before = _bed.Backend.NowMilliseconds;
        _bed.Backend.Poll(1);

        Assert.InRange(_bed.Backend.NowMilliseconds, before, long.MaxValue);
    }

    private (Peer Peer, Transport Transport, TransportRecorder Handler) Connect()
    {
        var peer = _bed.Connect();
        _bed.PollUntil(() => _accepted.Accepted.Count > 0);
        var transport = _accepted.Accepted.Dequeue();
        var handler = new TransportRecorder();
        _bed.Backend.Attach(transport, handler);
        return (peer, transport, handler);
    }

    private static string Receive(Transport transport, int max)
    {
        var buffer = new byte[max];
        var result = transport.Receive(buffer);
        Assert.Equal(TransportStatus.Done, result.Status);
        return Encoding.ASCII.GetString(buffer, 0, result.Length);
    }

    private static void Send(Transport transport, string bytes) =>
        Assert.Equal(TransportResult.Done(bytes.Length), SendOnce(transport, bytes));

    private static TransportResult SendOnce(Transport transport, string bytes) => SendOnce(transport, Encoding.ASCII.GetBytes(bytes));

    private static unsafe TransportResult SendOnce(Transport transport, byte[] bytes)
    {
        fixed (byte* start = bytes)
        {
            return transport.Send([new IoVector(start, bytes.Length)]);
        }
    }
}
