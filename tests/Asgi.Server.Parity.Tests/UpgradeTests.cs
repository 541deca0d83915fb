// Leaving HTTP: Upgrade (RFC 9110, section 7.8) with raw bytes, and the WebSockets middleware above it (RFC 6455).

using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class UpgradeTests(UpgradeTests.WithWebSockets hosts) : IClassFixture<UpgradeTests.WithWebSockets>
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

    public sealed class WithWebSockets : ParityHosts
    {
        protected override void Pipeline(WebApplication application) => application.UseWebSockets();
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task An_upgraded_connection_carries_raw_bytes_both_ways(HostKind kind)
    {
        var host = await hosts.On(kind, EchoUpgraded);
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Request);
        var head = await client.ReadResponseAsync();
        await client.SendAsync("hello");
        var hello = await client.ReadBytesAsync(5);
        await client.SendAsync("bye!!");
        var bye = await client.ReadBytesAsync(5);
        client.ShutdownSend();

        Assert.Equal("HTTP/1.1 101 Switching Protocols", head!.StatusLine);
        Assert.Equal("Upgrade", head.Field("Connection"));
        Assert.Equal("echo", head.Field("Upgrade"));
        Assert.Null(head.Field("Content-Length"));
        Assert.Null(head.Field("Transfer-Encoding"));
        Assert.Equal("hellobye!!", hello + bye);
        Assert.Equal("", await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Bytes_that_came_with_the_head_belong_to_the_new_protocol(HostKind kind)
    {
        var host = await hosts.On(kind, EchoUpgraded);
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Request + "early");
        await client.ReadResponseAsync();

        Assert.Equal("early", await client.ReadBytesAsync(5));
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task When_the_app_returns_the_connection_ends(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
            await stream.WriteAsync("bye"u8.ToArray());
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Request);
        await client.ReadResponseAsync();

        Assert.Equal("bye", await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task After_the_upgrade_http_is_over_for_the_app(HostKind kind)
    {
        (int Status, bool Started, bool ReadOnly) seen = default;
        Exception? again = null, write = null;
        var host = await hosts.On(kind, async context =>
        {
            var upgrade = context.Features.Get<IHttpUpgradeFeature>()!;
            await upgrade.UpgradeAsync();
            var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>()!;
            seen = (context.Response.StatusCode, context.Response.HasStarted, limit.IsReadOnly);
            again = await Record.ExceptionAsync(async () => await upgrade.UpgradeAsync());
            write = await Record.ExceptionAsync(() => context.Response.Body.WriteAsync("no"u8.ToArray()).AsTask());
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Request);
        await client.ReadResponseAsync();
        await client.ReadToEndAsync();

        Assert.Equal((101, true, true), seen);
        Assert.IsType<InvalidOperationException>(again);
        Assert.IsType<InvalidOperationException>(write);
    }

    public static TheoryData<HostKind, string, bool> Upgradable
    {
        get
        {
            var data = new TheoryData<HostKind, string, bool>();
            foreach (var host in Hosts.WithSockets)
            {
                data.Add(host, Request, true);
                data.Add(host, "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, upgrade\r\nUpgrade: echo\r\n\r\n", true);
                data.Add(host, "POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 0\r\n\r\n", true);
                data.Add(host, Wire.Get, false);
                data.Add(host, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\n\r\n", false);
                data.Add(host, Wire.Post("a", "Connection: Upgrade", "Upgrade: echo"), false);
                data.Add(host, Wire.PostChunked(Wire.LastChunk, "Connection: Upgrade", "Upgrade: echo"), false);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Upgradable))]
    public async Task Whether_a_request_can_be_upgraded(HostKind host, string request, bool expected)
    {
        bool? upgradable = null;
        Exception? refusal = null;
        await hosts.ExchangeAsync(host, request, async context =>
        {
            var upgrade = context.Features.Get<IHttpUpgradeFeature>()!;
            upgradable = upgrade.IsUpgradableRequest;
            if (!expected)
                refusal = await Record.ExceptionAsync(async () => await upgrade.UpgradeAsync());
        });

        Assert.Equal(expected, upgradable);
        Assert.Equal(expected ? null : typeof(InvalidOperationException), refusal?.GetType());
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task An_upgradable_request_may_be_answered_as_any_other(HostKind host)
    {
        var exchange = await hosts.ExchangeAsync(host, Request, async context =>
        {
            context.Response.ContentLength = 5;
            var read = await context.Request.Body.ReadAsync(new byte[1]);
            await context.Response.WriteAsync($"read{read}");
        });

        Assert.Equal(200, exchange.Answer.Status);
        Assert.Equal("read0", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_web_socket_echoes_and_closes(HostKind kind)
    {
        using var socket = await OpenAsync(await hosts.On(kind, EchoWebSocket));

        foreach (var length in (int[])[0, 1, 125, 126, 65_535, 65_536, 200_000])
        {
            var message = new string('x', length);
            await socket.SendAsync(message.Ascii(), WebSocketMessageType.Text, endOfMessage: true, default);
            Assert.Equal(message, await ReceiveAsync(socket));
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", default);

        Assert.Equal(WebSocketState.Closed, socket.State);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        Assert.Equal("done", socket.CloseStatusDescription);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_web_socket_request_may_be_refused(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.StatusCode = context.WebSockets.IsWebSocketRequest ? 403 : 400;
            return Task.CompletedTask;
        });

        // TestHost's client speaks of the status in an InvalidOperationException of its own, ClientWebSocket in a WebSocketException.
        var refusal = await Record.ExceptionAsync(() => OpenAsync(host));

        Assert.Contains("403", refusal?.Message);
    }

    private static async Task<WebSocket> OpenAsync(ParityHost host)
    {
        if (host.TestServer is { } server)
            return await server.CreateWebSocketClient().ConnectAsync(new Uri("ws://localhost/"), default);
        var client = new ClientWebSocket();
        var address = new Uri($"ws://127.0.0.1:{host.EndPoint.Port}/");
        if (host.Kind.IsHttp2())
        {
            // By extended CONNECT (RFC 8441).
            client.Options.HttpVersion = HttpVersion.Version20;
            client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            await client.ConnectAsync(address, new HttpMessageInvoker(new SocketsHttpHandler()), default);
            return client;
        }
        await client.ConnectAsync(address, default);
        return client;
    }

    private static async Task<string> ReceiveAsync(WebSocket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        WebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(buffer, default);
            text.Append(Encoding.ASCII.GetString(buffer, 0, received.Count));
        }
        while (!received.EndOfMessage);
        return text.ToString();
    }

    private static async Task EchoUpgraded(HttpContext context)
    {
        context.Response.Headers.Upgrade = "echo";
        var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
        var buffer = new byte[1024];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
            await stream.WriteAsync(buffer.AsMemory(0, read));
    }

    private static async Task EchoWebSocket(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[8192];
        var received = await socket.ReceiveAsync(buffer, default);
        while (received.MessageType != WebSocketMessageType.Close)
        {
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
            received = await socket.ReceiveAsync(buffer, default);
        }
        await socket.CloseAsync(received.CloseStatus!.Value, received.CloseStatusDescription, default);
    }
}
