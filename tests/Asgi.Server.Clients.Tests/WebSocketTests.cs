// ASP.NET's WebSockets middleware with the clients people use: .NET's ClientWebSocket, and raw frames where a client would not let one.

using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Asgi.Server.Clients.Tests;

public sealed class WebSocketTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    public static TheoryData<ServerKind> Kinds => AppServer.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Messages_of_every_size_come_back(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync);
        using var socket = await ConnectAsync(server);

        foreach (var type in new[] { WebSocketMessageType.Text, WebSocketMessageType.Binary })
        {
            foreach (var size in new[] { 0, 1, 125, 126, 65_535, 65_536, 1024 * 1024 })
            {
                var message = type == WebSocketMessageType.Binary ? RandomNumberGenerator.GetBytes(size) : new byte[size];
                await Task.WhenAll(
                    socket.SendAsync(message, type, endOfMessage: true, default),
                    AssertReceivesAsync(socket, type, message));
            }
        }
        await CloseAsync(socket);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_message_may_come_in_fragments(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync);
        using var socket = await ConnectAsync(server);
        var message = RandomNumberGenerator.GetBytes(100_000);

        foreach (var fragment in message.Chunk(997))
            await socket.SendAsync(fragment, WebSocketMessageType.Binary, endOfMessage: false, default);
        await socket.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Binary, endOfMessage: true, default);

        await AssertReceivesAsync(socket, WebSocketMessageType.Binary, message);
        await CloseAsync(socket);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Both_sides_may_talk_at_once(ServerKind kind)
    {
        const int Count = 5_000;
        await using var server = await StartAsync(kind, async socket =>
        {
            await Task.WhenAll(TalkAsync(socket, Count), ListenAsync(socket, Count));
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "all said", default);
        });
        using var socket = await ConnectAsync(server);

        await Task.WhenAll(TalkAsync(socket, Count), ListenAsync(socket, Count)).WaitAsync(ClientProcess.Patience);

        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveMessageAsync()).Type);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Many_sockets_do_not_mix(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync);

        await Task.WhenAll(Enumerable.Range(0, 64).Select(async number =>
        {
            using var socket = await ConnectAsync(server);
            for (var turn = 0; turn < 20; turn++)
            {
                await socket.SendTextAsync($"{number}.{turn}");
                Assert.Equal($"{number}.{turn}", await socket.ReceiveTextAsync());
            }
            await CloseAsync(socket);
        }));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_sender_waits_for_a_receiver_that_does_not_read(ServerKind kind)
    {
        // Far more than all buffers between them hold.
        const int Count = 256;
        var message = new byte[128 * 1024];
        var sent = 0;
        await using var server = await StartAsync(kind, async socket =>
        {
            for (; sent < Count; sent++)
                await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, default);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        });
        using var socket = await ConnectAsync(server);
        await socket.ReceiveAsync(new byte[1].AsMemory(), default);

        var received = 1L;
        Assert.InRange(sent, 0, Count - 1);
        for (WebSocketMessageType type = default; type != WebSocketMessageType.Close;)
        {
            (type, var content) = await socket.ReceiveMessageAsync();
            received += content.Length;
        }

        Assert.Equal((long)Count * message.Length, received);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Compression_is_agreed_and_carries_messages(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync, new() { DangerousEnableCompression = true });
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        await socket.ConnectAsync(server.WebSocketAddress, default);
        byte[][] messages = [new byte[1024 * 1024], RandomNumberGenerator.GetBytes(200_000), "short"u8.ToArray()];

        Assert.StartsWith("permessage-deflate", socket.HttpResponseHeaders!["Sec-WebSocket-Extensions"].Single(), StringComparison.Ordinal);
        foreach (var message in messages)
        {
            await Task.WhenAll(
                socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, default),
                AssertReceivesAsync(socket, WebSocketMessageType.Binary, message));
        }
        await CloseAsync(socket);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_frame_may_come_with_the_head(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync);
        await using var client = await RawClient.ConnectAsync(server.EndPoint);

        await client.SendAsync(WebSockets.Handshake + WebSockets.Frame(WebSockets.Text, "early") +
            WebSockets.Frame(WebSockets.Close, "\u0003\u00e8"));
        var head = await client.ReadHeadAsync();

        Assert.Equal("HTTP/1.1 101 Switching Protocols", head!.StatusLine);
        Assert.Equal("websocket", head.Field("Upgrade"));
        Assert.Equal(WebSockets.Accept, head.Field("Sec-WebSocket-Accept"));
        Assert.Equal((WebSockets.Text, "early"), await client.ReadFrameAsync());
        Assert.Equal((WebSockets.Close, "\u0003\u00e8"), await client.ReadFrameAsync());
        Assert.Null(await client.ReadFrameAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_ping_is_answered(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync);
        await using var client = await RawClient.ConnectAsync(server.EndPoint);
        await client.SendAsync(WebSockets.Handshake);
        await client.ReadHeadAsync();

        await client.SendAsync(WebSockets.Frame(WebSockets.Ping, "are you there?"));

        Assert.Equal((WebSockets.Pong, "are you there?"), await client.ReadFrameAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_client_that_answers_pings_stays_and_one_that_does_not_is_let_go(ServerKind kind)
    {
        var end = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accept = new WebSocketAcceptContext { KeepAliveInterval = Soon, KeepAliveTimeout = TimeSpan.FromSeconds(2) };
        await using var server = await StartAsync(
            kind, async socket => end.TrySetResult(await Record.ExceptionAsync(() => WebSockets.EchoAsync(socket))), accept);
        await using var client = await RawClient.ConnectAsync(server.EndPoint);
        await client.SendAsync(WebSockets.Handshake);
        await client.ReadHeadAsync();

        for (var turn = 0; turn < 3; turn++)
        {
            var (opcode, content) = (await client.ReadFrameAsync())!.Value;
            Assert.Equal(WebSockets.Ping, opcode);
            await client.SendAsync(WebSockets.Frame(WebSockets.Pong, content));
        }
        while (await client.ReadFrameAsync() is { } frame)
            Assert.Equal(WebSockets.Ping, frame.Opcode);

        Assert.NotNull(await end.Task.WaitAsync(ClientProcess.Patience));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Keep_alives_of_both_sides_leave_messages_alone(ServerKind kind)
    {
        var accept = new WebSocketAcceptContext
        {
            KeepAliveInterval = TimeSpan.FromMilliseconds(1),
            KeepAliveTimeout = ClientProcess.Patience,
        };
        await using var server = await StartAsync(kind, WebSockets.EchoAsync, accept);
        using var socket = await ConnectAsync(server, options =>
        {
            options.KeepAliveInterval = TimeSpan.FromMilliseconds(1);
            options.KeepAliveTimeout = ClientProcess.Patience;
        });

        for (var turn = 0; turn < 500; turn++)
        {
            await socket.SendTextAsync($"{turn}");
            Assert.Equal($"{turn}", await socket.ReceiveTextAsync());
        }
        await CloseAsync(socket);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_client_closes(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync);
        using var socket = await ConnectAsync(server);

        await socket.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "going home", default);

        Assert.Equal(WebSocketState.Closed, socket.State);
        Assert.Equal((WebSocketCloseStatus.EndpointUnavailable, "going home"), (socket.CloseStatus, socket.CloseStatusDescription));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_server_closes(ServerKind kind)
    {
        WebSocketState? state = null;
        var returned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async socket =>
        {
            await socket.SendTextAsync("last words");
            await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, "enough", default);
            state = socket.State;
            returned.SetResult();
        });
        using var socket = await ConnectAsync(server);

        Assert.Equal("last words", await socket.ReceiveTextAsync());
        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveMessageAsync()).Type);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await returned.Task.WaitAsync(ClientProcess.Patience);

        Assert.Equal((WebSocketCloseStatus.PolicyViolation, "enough"), (socket.CloseStatus, socket.CloseStatusDescription));
        Assert.Equal(WebSocketState.Closed, state);
    }

    [Theory]
    [InlineData(ServerKind.Kestrel, false)]
    [InlineData(ServerKind.Kestrel, true)]
    [InlineData(ServerKind.Asgi, false)]
    [InlineData(ServerKind.Asgi, true)]
    public async Task A_client_that_vanishes_ends_the_receive(ServerKind kind, bool resets)
    {
        var end = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(
            kind, async socket => end.TrySetResult(await Record.ExceptionAsync(() => WebSockets.EchoAsync(socket))));
        await using var client = await RawClient.ConnectAsync(server.EndPoint);
        await client.SendAsync(WebSockets.Handshake);
        await client.ReadHeadAsync();

        if (resets)
            client.Reset();
        else
            await client.DisposeAsync();

        var error = Assert.IsType<WebSocketException>(await end.Task.WaitAsync(ClientProcess.Patience));
        Assert.Equal(WebSocketError.ConnectionClosedPrematurely, error.WebSocketErrorCode);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_client_that_aborts_amid_messages_ends_the_app(ServerKind kind)
    {
        var end = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(
            kind, async socket => end.TrySetResult(await Record.ExceptionAsync(() => WebSockets.EchoAsync(socket))));
        using var socket = await ConnectAsync(server);
        for (var message = 0; message < 10; message++)
            await socket.SendAsync(new byte[100_000], WebSocketMessageType.Binary, endOfMessage: false, default);

        socket.Abort();

        Assert.IsType<WebSocketException>(await end.Task.WaitAsync(ClientProcess.Patience));
    }

    [Theory]
    [InlineData(ServerKind.Kestrel, false)]
    [InlineData(ServerKind.Kestrel, true)]
    [InlineData(ServerKind.Asgi, false)]
    [InlineData(ServerKind.Asgi, true)]
    public async Task The_server_aborts(ServerKind kind, bool abortsTheRequest)
    {
        await using var server = await AppServer.StartAsync(kind, application =>
        {
            application.UseWebSockets();
            application.Run(async context =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.ReceiveMessageAsync();
                if (abortsTheRequest)
                    context.Abort();
                else
                    socket.Abort();
            });
        });
        using var socket = await ConnectAsync(server);
        await socket.SendTextAsync("go away");

        var error = await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveMessageAsync());

        Assert.Equal(WebSocketError.ConnectionClosedPrematurely, error.WebSocketErrorCode);
    }

    [Theory]
    [InlineData(ServerKind.Kestrel, "http://friend.example", true)]
    [InlineData(ServerKind.Kestrel, "http://stranger.example", false)]
    [InlineData(ServerKind.Asgi, "http://friend.example", true)]
    [InlineData(ServerKind.Asgi, "http://stranger.example", false)]
    public async Task Only_allowed_origins_get_in(ServerKind kind, string origin, bool isAllowed)
    {
        var options = new WebSocketOptions();
        options.AllowedOrigins.Add("http://friend.example");
        await using var server = await StartAsync(kind, WebSockets.EchoAsync, options: options);
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Origin", origin);

        var refusal = await Record.ExceptionAsync(() => socket.ConnectAsync(server.WebSocketAddress, default));

        Assert.Equal(isAllowed, refusal is null);
        Assert.Equal(isAllowed ? HttpStatusCode.SwitchingProtocols : HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_subprotocol_is_chosen(ServerKind kind)
    {
        await using var server = await StartAsync(kind, WebSockets.EchoAsync, new() { SubProtocol = "chat.2" });
        using var socket = await ConnectAsync(server, options =>
        {
            options.AddSubProtocol("chat.1");
            options.AddSubProtocol("chat.2");
        });

        Assert.Equal("chat.2", socket.SubProtocol);
        await CloseAsync(socket);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task At_the_stop_an_app_that_listens_to_its_host_says_good_bye(ServerKind kind)
    {
        await using var server = await AppServer.StartAsync(kind, application =>
        {
            application.UseWebSockets();
            application.Run(async context =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                var stopping = new TaskCompletionSource();
                await using var listening = application.Lifetime.ApplicationStopping.Register(stopping.SetResult);
                await socket.SendTextAsync("ready");
                await stopping.Task;
                await socket.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "stopping", default);
            });
        });
        using var socket = await ConnectAsync(server);
        Assert.Equal("ready", await socket.ReceiveTextAsync());

        var stop = server.StopAsync();
        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveMessageAsync()).Type);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await stop;

        Assert.Equal("stopping", socket.CloseStatusDescription);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task At_the_stop_a_socket_holds_on_until_the_hosts_deadline(ServerKind kind)
    {
        var end = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(
            kind, async socket => end.TrySetResult(await Record.ExceptionAsync(() => WebSockets.EchoAsync(socket))),
            shutdownTimeout: TimeSpan.FromSeconds(1));
        using var socket = await ConnectAsync(server);

        var stop = server.StopAsync();
        await socket.SendTextAsync("still there?");
        Assert.Equal("still there?", await socket.ReceiveTextAsync());
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveMessageAsync());

        Assert.NotNull(await end.Task.WaitAsync(ClientProcess.Patience));
        await stop;
    }

    private static Task<AppServer> StartAsync(
        ServerKind kind, Func<WebSocket, Task> app, WebSocketAcceptContext? accept = null, WebSocketOptions? options = null,
        TimeSpan? shutdownTimeout = null) =>
        AppServer.StartAsync(
            kind,
            application =>
            {
                application.UseWebSockets(options ?? new());
                application.Run(async context =>
                {
                    using var socket = await context.WebSockets.AcceptWebSocketAsync(accept ?? new());
                    await app(socket);
                });
            },
            shutdownTimeout: shutdownTimeout);

    private static async Task<ClientWebSocket> ConnectAsync(AppServer server, Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        configure?.Invoke(socket.Options);
        await socket.ConnectAsync(server.WebSocketAddress, CancellationToken.None).WaitAsync(ClientProcess.Patience);
        return socket;
    }

    private static async Task CloseAsync(ClientWebSocket socket)
    {
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", CancellationToken.None).WaitAsync(ClientProcess.Patience);
        Assert.Equal((WebSocketState.Closed, "done"), (socket.State, socket.CloseStatusDescription));
    }

    private static async Task AssertReceivesAsync(WebSocket socket, WebSocketMessageType type, byte[] expected)
    {
        var message = await socket.ReceiveMessageAsync();
        Assert.Equal(type, message.Type);
        Assert.True(expected.AsSpan().SequenceEqual(message.Content), $"{expected.Length} bytes came back changed");
    }

    // The numbers 0 to count - 1, of growing length.
    private static async Task TalkAsync(WebSocket socket, int count)
    {
        for (var number = 0; number < count; number++)
            await socket.SendTextAsync(number.ToString(CultureInfo.InvariantCulture).PadLeft(10 + number % 1000));
    }

    private static async Task ListenAsync(WebSocket socket, int count)
    {
        for (var number = 0; number < count; number++)
            Assert.Equal(number, int.Parse(await socket.ReceiveTextAsync(), CultureInfo.InvariantCulture));
    }
}
