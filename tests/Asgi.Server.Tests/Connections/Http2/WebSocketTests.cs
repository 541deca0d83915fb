// WebSockets over HTTP/2 (RFC 8441) through ASP.NET's own middleware: what UseWebSockets puts in front of an application.

using System.Net.WebSockets;
using System.Text;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class WebSocketTests
{
    private static readonly byte[] Mask = [1, 2, 3, 4];

    [Fact]
    public void The_middleware_accepts_and_both_ends_talk_and_close() => Seeds.Run(10, seed =>
    {
        using var server = Serve(
            async context =>
            {
                Assert.True(context.WebSockets.IsWebSocketRequest);
                Assert.Equal(["chat"], context.WebSockets.WebSocketRequestedProtocols);
                using var socket = await context.WebSockets.AcceptWebSocketAsync("chat");
                var buffer = new byte[4096];
                while (await socket.ReceiveAsync(buffer, default) is { MessageType: not WebSocketMessageType.Close } received)
                {
                    await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
                }

                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", default);
            },
            seed);
        var peer = new Http2Peer(server);
        peer.Send(Connect(1), Connect(3));
        Assert.Equal(("200", "chat", "200"), (peer[1].Status, peer[1].Head["sec-websocket-protocol"], peer[3].Status));
        Assert.DoesNotContain("sec-websocket-accept", peer[1].Head.Keys);

        peer.Send(Message(1, 1, "hello"), Message(3, 2, "other"), Message(1, 1, "again"));
        Assert.Equal("\u0081\u0005hello\u0081\u0005again", peer[1].Content);
        Assert.Equal("\u0082\u0005other", peer[3].Content);

        // 1000 is the normal closure.
        peer.Send(Message(1, 8, "\u0003\u00e8"));
        Assert.EndsWith("\u0088\u0005\u0003\u00e8bye", peer[1].Content, StringComparison.Ordinal);
        Assert.True(peer[1].IsEnded);
        Assert.False(peer[3].IsEnded);
        peer.Send(RstStream(3));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_socket_whose_stream_is_reset_is_aborted()
    {
        Exception? failure = null;
        using var server = Serve(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            failure = await Record.ExceptionAsync(async () => await socket.ReceiveAsync(new byte[10].AsMemory(), default));
        });
        var peer = new Http2Peer(server);
        peer.Send(Connect(1));
        peer.Send(RstStream(1));

        Assert.IsType<WebSocketException>(failure);
        server.DemandNothingLeft();
    }

    private static SimulatedServer Serve(RequestDelegate run, int seed = 0)
    {
        var middleware = new WebSocketMiddleware(run, Options.Create(new WebSocketOptions()), NullLoggerFactory.Instance);
        return HostedDelegate.Serve(middleware.Invoke, seed, isHttp2: true);
    }

    private static byte[] Connect(uint id) => Headers(
        id,
        end: false,
        ":method: CONNECT",
        ":protocol: websocket",
        ":scheme: http",
        ":path: /chat",
        ":authority: a",
        "sec-websocket-version: 13",
        "sec-websocket-protocol: chat",
        "origin: http://a");

    // RFC 6455, section 5.2: final, masked, and short.
    private static byte[] Message(uint id, byte opcode, string text)
    {
        var content = Encoding.Latin1.GetBytes(text);
        var masked = content.Select((value, i) => (byte)(value ^ Mask[i % Mask.Length]));
        byte[] frame = [(byte)(0x80 | opcode), (byte)(0x80 | content.Length), .. Mask, .. masked];
        return DataFrame(id, Encoding.Latin1.GetString(frame));
    }
}
