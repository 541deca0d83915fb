// What the clients of a soak do. Each scenario is one round on a connection of its own; every response is compared with what it must be.

using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Endure;

/// <param name="Name">What stands in the report.</param>
/// <param name="Clients">How many do it at once.</param>
/// <param name="RoundAsync">One round.</param>
internal sealed record Scenario(string Name, int Clients, Func<IPEndPoint, Tally, CancellationToken, Task> RoundAsync)
{
    private const int Mib = 1 << 20;

    public static readonly Scenario[] All =
    [
        new("keep-alive", 4, KeepAliveAsync),
        new("pipelined", 2, PipelinedAsync),
        new("upload", 2, UploadAsync),
        new("chunked", 2, ChunkedAsync),
        new("events", 4, EventsAsync),
        new("websocket", 2, WebSocketAsync),
        new("abort", 2, AbortAsync),
        new("half-close", 2, HalfCloseAsync),
        new("per-request", 2, PerRequestAsync),
        new("slow reader", 4, SlowReaderAsync),
        new("slow writer", 4, SlowWriterAsync),
    ];

    private static readonly int[] Sizes = [0, 1, 100, 1_000, 4_095, 4_096, 16_384, 65_537, 300_000];

    private static string Get(string target, string more = "") => $"GET {target} HTTP/1.1\r\nHost: a\r\n{more}\r\n";

    private static async Task KeepAliveAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        for (int i = 0; i < 50; i++)
        {
            int size = Sizes[Random.Shared.Next(Sizes.Length)];
            await connection.SendAsync(Get($"/{(i % 3 == 0 ? "pieces" : "bytes")}?n={size}"), stop);
            Response? response = await connection.ReadResponseAsync(stop);
            tally.Count("keep-alive", response, ServedApp.Content(size));
            if (response is null)
                return;
        }
    }

    private static async Task PipelinedAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        for (int round = 0; round < 20; round++)
        {
            int[] sizes = [.. Enumerable.Range(0, 16).Select(_ => Random.Shared.Next(2000))];
            await connection.SendAsync(string.Concat(sizes.Select(size => Get($"/bytes?n={size}"))), stop);
            foreach (int size in sizes)
                tally.Count("pipelined", await connection.ReadResponseAsync(stop), ServedApp.Content(size));
        }
    }

    private static async Task UploadAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        for (int i = 0; i < 5; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(Random.Shared.Next(Mib));
            await connection.SendAsync($"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {content.Length}\r\n\r\n", stop);
            await connection.SendAsync(content, stop);
            byte[] hash = Encoding.ASCII.GetBytes(Convert.ToHexString(SHA256.HashData(content)));
            tally.Count("upload", await connection.ReadResponseAsync(stop), hash);
        }
    }

    private static async Task ChunkedAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        for (int i = 0; i < 10; i++)
        {
            byte[][] chunks = [.. Enumerable.Range(0, 8).Select(_ => RandomNumberGenerator.GetBytes(Random.Shared.Next(1, 6_000)))];
            await connection.SendAsync("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", stop);
            foreach (byte[] chunk in chunks)
            {
                byte[] framed = [.. Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n"), .. chunk, .. "\r\n"u8];
                await connection.SendAsync(framed, stop);
            }
            await connection.SendAsync("0\r\n\r\n", stop);
            tally.Count("chunked", await connection.ReadResponseAsync(stop), chunks.SelectMany(chunk => chunk).ToArray());
        }
    }

    private static async Task EventsAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        await connection.SendAsync(Get("/events?n=20"), stop);
        string all = string.Concat(Enumerable.Range(0, 20).Select(i => $"data: {i}\n\n"));
        tally.Count("events", await connection.ReadResponseAsync(stop), Encoding.ASCII.GetBytes(all));
    }

    private static async Task WebSocketAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server}/socket"), stop);
        var buffer = new byte[8 * 1024];
        for (int i = 0; i < 20; i++)
        {
            byte[] message = RandomNumberGenerator.GetBytes(Random.Shared.Next(1, buffer.Length));
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, stop);
            int length = 0;
            bool isEnd = false;
            while (!isEnd)
            {
                ValueWebSocketReceiveResult read = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
                length += read.Count;
                isEnd = read.EndOfMessage;
            }
            tally.Count("websocket", buffer.AsSpan(0, length).SequenceEqual(message));
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, stop);
    }

    private static async Task AbortAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        string[] begun =
        [
            Get($"/pieces?n={8 * Mib}"), Get("/events?n=20"), "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nx", "GET / HT",
        ];
        await connection.SendAsync(begun[Random.Shared.Next(begun.Length)], stop);
        await Task.Delay(Random.Shared.Next(30), stop);
        connection.Reset();
    }

    private static async Task HalfCloseAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        await connection.SendAsync(Get("/bytes?n=5000"), stop);
        connection.Socket.Shutdown(SocketShutdown.Send);
        tally.Count("half-close", await connection.ReadResponseAsync(stop), ServedApp.Content(5000));
        tally.Count("half-close", await connection.ReadEndAsync(stop) is (true, ""));
    }

    private static async Task PerRequestAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        await connection.SendAsync(Get("/bytes?n=700", "Connection: close\r\n"), stop);
        Response? response = await connection.ReadResponseAsync(stop);
        tally.Count("per-request", response, ServedApp.Content(700));
        tally.Count("per-request", response is { Closes: true } && await connection.ReadEndAsync(stop) is (true, ""));
        await Task.Delay(5, stop); // a port stays in TIME_WAIT for a minute, and there are 28,000
    }

    private static async Task SlowReaderAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop, receiveBufferSize: 4096);
        await connection.SendAsync(Get("/pieces?n=200000"), stop);
        await Task.Delay(Random.Shared.Next(500), stop);
        tally.Count("slow reader", await connection.ReadResponseAsync(stop), ServedApp.Content(200_000));
    }

    private static async Task SlowWriterAsync(IPEndPoint server, Tally tally, CancellationToken stop)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server, stop);
        byte[] content = RandomNumberGenerator.GetBytes(3000);
        string head = $"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {content.Length}\r\n\r\n";
        byte[] all = [.. Encoding.ASCII.GetBytes(head), .. content];
        for (int start = 0; start < all.Length; start += 250)
        {
            await connection.SendAsync(all.AsMemory(start, Math.Min(250, all.Length - start)), stop);
            await Task.Delay(20, stop);
        }
        byte[] hash = Encoding.ASCII.GetBytes(Convert.ToHexString(SHA256.HashData(content)));
        tally.Count("slow writer", await connection.ReadResponseAsync(stop), hash);
    }
}
