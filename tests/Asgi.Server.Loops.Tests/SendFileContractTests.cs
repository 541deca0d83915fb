// The contract of Transport.SendFile, for every backend that can.

using System.Runtime.Versioning;
using Asgi.Server.Loops.Interop;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Loops.Tests;

public abstract class SendFileContractTests : IDisposable
{
    private const long Gibibyte = 1024 * 1024 * 1024;

    private readonly BackendBed _bed;
    private readonly AcceptRecorder _accepted = new();
    private readonly string _path = Path.GetTempFileName();

    private protected SendFileContractTests(BackendBed bed)
    {
        _bed = bed;
        _bed.Backend.StartAccepting(_bed.Listener, _accepted);
    }

    public void Dispose()
    {
        _bed.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void A_part_of_a_file_is_sent_behind_bytes()
    {
        var (peer, transport, _) = Connect();
        using var file = Open("0123456789"u8);

        Assert.True(transport.CanSendFiles);
        SendBytes(transport, "head "u8, isMoreFollowing: true);
        Assert.Equal(TransportResult.Done(4), transport.SendFile(file, 3, 4));
        SendBytes(transport, " tail"u8, isMoreFollowing: false);

        Assert.Equal("head 3456 tail"u8, peer.Receive(14));
    }

    [Fact]
    public void A_file_that_ends_gives_what_there_is_and_then_nothing()
    {
        var (peer, transport, _) = Connect();
        using var file = Open("0123456789"u8);

        Assert.Equal(TransportResult.Done(2), transport.SendFile(file, 8, 100));
        Assert.Equal(TransportResult.Done(0), transport.SendFile(file, 10, 100));
        Assert.Equal(TransportResult.Done(0), transport.SendFile(file, 11, 100));

        Assert.Equal("89"u8, peer.Receive(2));
    }

    [Fact]
    public void The_offset_may_lie_beyond_4_GiB()
    {
        var (peer, transport, _) = Connect();
        using var file = Open([]);
        RandomAccess.Write(file, "far away"u8, 5 * Gibibyte);

        Assert.Equal(TransportResult.Done(5), transport.SendFile(file, (5 * Gibibyte) + 3, int.MaxValue));

        Assert.Equal(" away"u8, peer.Receive(5));
    }

    [Fact]
    public void Writable_is_said_when_a_full_connection_has_room_again()
    {
        var (peer, transport, handler) = Connect();
        using var file = Open([]);
        RandomAccess.SetLength(file, Gibibyte);
        var sent = 0;
        int before;
        do
        {
            before = handler.WritableCount;
            while (transport.SendFile(file, sent, 1_000_000) is { Status: TransportStatus.Done } result)
            {
                sent += result.Length;
            }

            _bed.PollRest();
        }
        while (handler.WritableCount > before);
        Assert.All(peer.Receive(sent), b => Assert.Equal(0, b));
        _bed.PollUntil(() => handler.WritableCount > before);

        Assert.Equal(TransportStatus.Done, transport.SendFile(file, sent, 1).Status);
    }

    [Fact]
    public void To_a_peer_that_has_reset_nothing_is_sent()
    {
        var (peer, transport, handler) = Connect();
        using var file = Open("0123456789"u8);
        peer.Reset();
        _bed.PollUntil(() => handler.BrokenCount > 0);

        Assert.Equal(TransportStatus.Broken, transport.SendFile(file, 0, 10).Status);
    }

    private protected (Peer Peer, Transport Transport, TransportRecorder Handler) Connect()
    {
        var peer = _bed.Connect();
        _bed.PollUntil(() => _accepted.Accepted.Count > 0);
        var transport = _accepted.Accepted.Dequeue();
        var handler = new TransportRecorder();
        _bed.Backend.Attach(transport, handler);
        return (peer, transport, handler);
    }

    private SafeFileHandle Open(ReadOnlySpan<byte> content)
    {
        var file = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(file, content, 0);
        return file;
    }

    private static unsafe void SendBytes(Transport transport, ReadOnlySpan<byte> bytes, bool isMoreFollowing)
    {
        fixed (byte* start = bytes)
        {
            Assert.Equal(TransportResult.Done(bytes.Length), transport.Send([new IoVector(start, bytes.Length)], isMoreFollowing));
        }
    }
}

public sealed class SimulatedSendFileTests() : SendFileContractTests(new SimulatedBed());

public sealed class PortableSendFileTests() : SendFileContractTests(new PortableBed());

[SupportedOSPlatform("linux")]
public sealed class EpollSendFileTests() : SendFileContractTests(new EpollBed())
{
    // A file of proc has no splice: the kernel refuses sendfile, and its bytes are copied.
    [Fact]
    public void A_file_that_cannot_be_spliced_is_copied()
    {
        const string Special = "/proc/sys/kernel/ostype";
        var (peer, transport, _) = Connect();
        var expected = File.ReadAllBytes(Special);
        using var file = File.OpenHandle(Special);

        Assert.Equal(TransportResult.Done(expected.Length - 1), transport.SendFile(file, 1, 1000));

        Assert.Equal(expected[1..], peer.Receive(expected.Length - 1));
    }
}
