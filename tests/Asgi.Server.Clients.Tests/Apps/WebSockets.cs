// What tests of web sockets share: whole messages, an echo, and the few frames a raw client needs (RFC 6455, section 5.2).

using System.Net.WebSockets;
using System.Text;
using Asgi.Server.Testing;

namespace Asgi.Server.Clients.Tests;

internal static class WebSockets
{
    public const string Handshake =
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    // Of the key above (RFC 6455, section 1.3).
    public const string Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    public const int Text = 0x1;
    public const int Close = 0x8;
    public const int Ping = 0x9;
    public const int Pong = 0xA;

    /// <summary>One whole message and its type; content is null for a close.</summary>
    public static async Task<(WebSocketMessageType Type, byte[] Content)> ReceiveMessageAsync(
        this WebSocket socket, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ClientProcess.Patience);
        using var content = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
            content.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
                return (received.MessageType, content.ToArray());
        }
    }

    public static async Task<string> ReceiveTextAsync(this WebSocket socket) =>
        Encoding.UTF8.GetString((await socket.ReceiveMessageAsync()).Content);

    public static Task SendTextAsync(this WebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    /// <summary>Echoes frame by frame until the client closes, and closes as it did.</summary>
    public static async Task EchoAsync(WebSocket socket)
    {
        var buffer = new byte[8192];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (received.MessageType == WebSocketMessageType.Close)
                break;
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
        }
        await socket.CloseOutputAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, CancellationToken.None);
    }

    /// <summary>A final frame of less than 126 bytes as a client sends it, masked with zeros, which leaves the bytes as they are.</summary>
    public static string Frame(int opcode, string content) => $"{(char)(0x80 | opcode)}{(char)(0x80 | content.Length)}\0\0\0\0{content}";

    /// <summary>The next frame of less than 126 bytes; null when the connection has ended.</summary>
    public static async Task<(int Opcode, string Content)?> ReadFrameAsync(this RawClient client)
    {
        var head = await client.ReadBytesAsync(2);
        return head.Length < 2 ? null : (head[0] & 0xF, await client.ReadBytesAsync(head[1]));
    }
}
