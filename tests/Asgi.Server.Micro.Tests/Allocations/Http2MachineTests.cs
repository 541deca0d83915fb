// Zero allocations per stream of the HTTP/2 machine: requests as h2load sends them, uploads with padding, resets, and many
// streams at a time.

using System.Buffers.Binary;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class Http2MachineTests
{
    private const int Warm = 200;
    private const int Counted = 2000;

    // Literals with incremental indexing once, then an index for each field.
    private static readonly byte[] First =
        Http2Bytes.Frame(1, 0x05, 1, [0x82, 0x86, 0x84, 0x41, 1, (byte)'a', 0x7A, 3, (byte)'w', (byte)'r', (byte)'k']);

    private static readonly byte[] Next = Http2Bytes.Frame(1, 0x05, 0, 0x82, 0x86, 0x84, 0xBF, 0xBE);

    private int _id = 1;

    [OptimizedFact]
    public void A_request_and_its_response() => DemandNone(machine =>
    {
        Request(machine, Next);
        Answer(machine, machine.Stream!);
    });

    [OptimizedFact]
    public void Thirty_two_streams_at_a_time()
    {
        var streams = new Http2StreamState[32];
        DemandNone(machine =>
        {
            for (int i = 0; i < streams.Length; i++)
            {
                Request(machine, Next);
                streams[i] = machine.Stream!;
            }
            foreach (Http2StreamState stream in streams)
                Answer(machine, stream);
        });
    }

    [OptimizedFact]
    public void Content_with_padding_in_pieces()
    {
        byte[] head = Http2Bytes.Frame(1, 0x04, 0, 0x83, 0x86, 0x84, 0xBF, 0xBE);
        byte[] content = Http2Bytes.PaddedData(0, new string('c', 100), 7);
        byte[] end = Http2Bytes.Frame(0, 0x01, 0, 1, 2, 3);
        DemandNone(machine =>
        {
            Request(machine, head);
            Http2StreamState stream = machine.Stream!;
            int id = stream.Id;
            SetId(content, id);
            SetId(end, id);
            Expect(machine, Http2Event.Content, content.AsSpan(0, 60), out int consumed);
            Expect(machine, Http2Event.Content, content.AsSpan(consumed), out int more);
            Expect(machine, Http2Event.Ignored, content.AsSpan(consumed + more), out _);
            Expect(machine, Http2Event.Content, end, out _);
            machine.Consumed(stream, 103);
            Answer(machine, stream);
        });
    }

    [OptimizedFact]
    public void Streams_that_the_client_resets()
    {
        byte[] reset = Http2Bytes.RstStream(0);
        DemandNone(machine =>
        {
            Request(machine, Next);
            Http2StreamState stream = machine.Stream!;
            SetId(reset, stream.Id);
            Expect(machine, Http2Event.StreamReset, reset, out _);
            machine.Release(stream);
        });
    }

    [OptimizedFact]
    public void Cookies_in_crumbs()
    {
        // Two crumbs that are never indexed.
        byte[] crumbs = Http2Bytes.Frame(1, 0x05, 0,
            [0x82, 0x86, 0x84, 0xBF, 0xBE, 0x1F, 0x11, 3, (byte)'a', (byte)'=', (byte)'b', 0x1F, 0x11, 3, (byte)'c', (byte)'=', (byte)'d']);
        DemandNone(machine =>
        {
            Request(machine, crumbs);
            Http2StreamState stream = machine.Stream!;
            if (!stream.Head.Fields.GetValue(stream.Head.Fields.Find("cookie"u8)).SequenceEqual("a=b; c=d"u8))
                Assert.Fail("The crumbs are not joined.");
            Answer(machine, stream);
        });
    }

    private void DemandNone(Action<Http2Machine> act)
    {
        var machine = new Http2Machine(new Http2Limits { StreamResetsMax = int.MaxValue });
        Expect(machine, Http2Event.Ignored, Http2Bytes.Preface, out _);
        Expect(machine, Http2Event.Settings, Http2Bytes.Settings(), out _);
        Request(machine, First);
        Answer(machine, machine.Stream!);

        for (int i = 0; i < Warm; i++)
            act(machine);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Counted; i++)
            act(machine);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Request(Http2Machine machine, byte[] frame)
    {
        SetId(frame, _id);
        _id += 2;
        Expect(machine, Http2Event.Request, frame, out _);
    }

    private static void Answer(Http2Machine machine, Http2StreamState stream)
    {
        machine.SentHeaders(stream, endStream: false);
        machine.SentData(stream, 13, endStream: true);
        Expect(machine, Http2Event.WindowUpdate, Update, out _);
        machine.Release(stream);
        machine.TakeConnectionIncrement();
    }

    private static readonly byte[] Update = Http2Bytes.WindowUpdate(0, 13);

    private static void SetId(byte[] frame, int id) => BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), id);

    private static void Expect(Http2Machine machine, Http2Event expected, ReadOnlySpan<byte> input, out int consumed)
    {
        Http2Event told = machine.Read(input, 0, out consumed);
        if (told != expected)
            Assert.Fail($"{told} {machine.Fault} instead of {expected}");
    }
}
