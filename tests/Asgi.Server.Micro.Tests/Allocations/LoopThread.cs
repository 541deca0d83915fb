// What the thread of a real loop allocates from one request to the next, noted by the application itself: the figure of a request is
// everything from its start to the start of the next one, the rest of the tick and the system calls between included.

using System.Net;
using System.Net.Sockets;
using Asgi.Server.Connections;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Micro.Tests.Allocations;

internal sealed class LoopThread
{
    public const int RequestCount = 10_000;
    private const int WarmUpCount = 1_000;

    /// <summary>
    /// Requests after a rest of the connection that may need something anew: two batches of pipelined ones. A busy machine may stop the
    /// client for a second, and so the connection rests.
    /// </summary>
    private const int AfterRestCount = 32;

    private readonly long[] _allocated = new long[WarmUpCount + RequestCount + 1];
    private readonly bool[] _hasRested = new bool[WarmUpCount + RequestCount + 1];
    private object? _served;
    private int _threadId;
    private int _count;
    private bool _hasMoved;

    // The first deadline of a process makes what is made once, perhaps a second after the first request.
    static LoopThread()
    {
        foreach (var isHttp2 in new[] { false, true })
        {
            using var server = new SimulatedServer(_ => new PlaintextApplication(), logMinimum: LogLevel.Warning, isHttp2: isHttp2);
            var client = server.Connect();
            client.Send(isHttp2 ? Http2Bytes.Join(Http2Bytes.Start, Http2Bytes.Get(1)) : Messages.Bytes(Messages.Wrk));
            server.Advance(2 * Http1Driver.RestAfterMilliseconds);
        }
    }

    /// <summary>Requests that have to be sent.</summary>
    public int Count => _allocated.Length;

    /// <summary>Options under which one thread has the loop for good, and whose fields have a known size.</summary>
    public static void Configure(AsgiServerOptions options)
    {
        options.LoopCount = 1;
        options.AddServerHeader = false;

        // A busy machine can hold up the thread of any call for longer than the default.
        options.HandOffThreshold = TimeSpan.FromMinutes(1);
    }

    /// <summary>First thing in the application.</summary>
    /// <param name="served">What a connection has for all its requests until it rests.</param>
    public void NoteRequest(object served)
    {
        var threadId = Environment.CurrentManagedThreadId;
        _hasMoved |= _count > 0 && threadId != _threadId;
        _threadId = threadId;
        _hasRested[_count] = served != _served;
        _served = served;
        _allocated[_count++] = GC.GetAllocatedBytesForCurrentThread();
    }

    /// <summary>Bytes that the requests behind the warm-up have allocated, each the same; once all are answered.</summary>
    public long AllocatedPerRequest()
    {
        Assert.Equal(_allocated.Length, _count);
        Assert.False(_hasMoved, "The loop has changed hands: what one thread allocates says nothing.");
        var counted = new List<long>(RequestCount);
        for (var (i, left) = (WarmUpCount, 0); i < WarmUpCount + RequestCount; i++)
        {
            left = _hasRested[i + 1] ? AfterRestCount : Math.Max(0, left - 1);
            if (left <= 0)
            {
                counted.Add(_allocated[i + 1] - _allocated[i]);
            }
        }

        Assert.InRange(counted.Count, RequestCount / 2, RequestCount);
        return PerRequest.Of([.. counted]);
    }

    /// <summary>Sends requests over one connection, one round trip after the other.</summary>
    /// <param name="endPoint">Where the server listens.</param>
    /// <param name="request">One request.</param>
    /// <param name="pipelined">Requests in one write; the first goes alone.</param>
    public void Drive(IPEndPoint endPoint, string request, int pipelined = 1)
    {
        using var socket = Connect(endPoint);
        var responseLength = Exchange(socket, Messages.Bytes(request), expectedLength: null);
        for (var sent = 1; sent < Count;)
        {
            var count = Math.Min(pipelined, Count - sent);
            Exchange(socket, Messages.Bytes(string.Concat(Enumerable.Repeat(request, count))), responseLength * count);
            sent += count;
        }
    }

    /// <summary>Sends requests as streams of one connection of HTTP/2, a stream when the one before has ended.</summary>
    public void DriveHttp2(IPEndPoint endPoint, string path)
    {
        using var socket = Connect(endPoint);
        socket.Send(Http2Bytes.Join(Http2Bytes.Start, Http2Bytes.SettingsAck(), Http2Bytes.WindowUpdate(0, 1 << 30)));
        var frame = new byte[16 * 1024];
        for (var i = 0; i < Count; i++)
        {
            var id = (uint)(1 + (2 * i));
            socket.Send(Http2Bytes.Request(id, path: path));
            ReadResponse(socket, id, frame);
        }
    }

    private static Socket Connect(IPEndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = 30_000, // milliseconds: a test that has failed ends
        };
        socket.Connect(endPoint);
        return socket;
    }

    // Frames of the connection may come before those of the stream.
    private static void ReadResponse(Socket socket, uint id, byte[] frame)
    {
        for (var (status, contentLength, isEnded) = ((byte)0, 0, false); !isEnded;)
        {
            ReceiveExactly(socket, frame.AsSpan(0, 9));
            var length = (frame[0] << 16) | (frame[1] << 8) | frame[2];
            var (type, isLast) = (frame[3], (frame[4] & Http2Bytes.EndStream) != 0);
            var stream = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(5));
            ReceiveExactly(socket, frame.AsSpan(0, length));
            if (stream == 0)
            {
                continue;
            }

            Assert.Equal(id, stream);
            status = type == Http2Bytes.HeadersType ? frame[0] : status;
            contentLength += type == Http2Bytes.Data ? length : 0;
            isEnded = isLast;
            if (isEnded)
            {
                // Status 200 is the eighth entry of HPACK's static table.
                Assert.Equal((0x88, 13), (status, contentLength));
            }
        }
    }

    private static void ReceiveExactly(Socket socket, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var received = socket.Receive(buffer);
            Assert.NotEqual(0, received);
            buffer = buffer[received..];
        }
    }

    // The first response tells how long they are: it comes whole, in one send.
    private static int Exchange(Socket socket, byte[] request, int? expectedLength)
    {
        socket.Send(request);
        var buffer = new byte[16 * 1024];
        var length = 0;
        do
        {
            var received = socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None);
            Assert.NotEqual(0, received);
            length += received;
        }
        while (length < expectedLength);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", System.Text.Encoding.ASCII.GetString(buffer, 0, length), StringComparison.Ordinal);
        Assert.Equal(expectedLength ?? length, length);
        return length;
    }
}
