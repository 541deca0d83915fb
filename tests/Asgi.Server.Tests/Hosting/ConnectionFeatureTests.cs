// What an app on real sockets learns of its connection, and what an endpoint can put before HTTP by its options.

using System.Net;
using System.Net.Sockets;
using System.Text;
using Asgi.Server.Features;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting;

public sealed class ConnectionFeatureTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string GetAndClose = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    private const string Proxied = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";

    [Fact]
    public async Task The_socket_is_lent_for_as_long_as_the_connection_lives()
    {
        Socket? socket = null;
        var isOver = new TaskCompletionSource();
        await using var host = await AppHost.StartAsync(context =>
        {
            socket = context.Features.Get<IConnectionSocketFeature>()!.Socket;
            Assert.Same(socket, context.Features.Get<IConnectionSocketFeature>()!.Socket);
            context.Features.Get<IConnectionCompleteFeature>()!.OnCompleted(
                _ =>
                {
                    isOver.SetResult();
                    return Task.CompletedTask;
                },
                "");
            return context.Response.WriteAsync($"{socket.RemoteEndPoint} {socket.NoDelay}");
        });

        var exchange = await RawClient.ExchangeAsync(host.EndPoint, GetAndClose);
        Assert.EndsWith(" True", exchange.Answer.Content, StringComparison.Ordinal);
        Assert.StartsWith("127.0.0.1:", exchange.Answer.Content, StringComparison.Ordinal);
        await isOver.Task.WaitAsync(AppHost.Patience);
        Assert.Throws<ObjectDisposedException>(() => socket!.Available);
    }

    [Fact]
    public async Task A_unix_client_is_known_by_its_credentials()
    {
        var path = Path.Combine(Path.GetTempPath(), $"asgi-{Guid.NewGuid():N}.sock");
        await using var host = await AppHost.StartAsync(
            context =>
            {
                // SOL_SOCKET, SO_PEERCRED: process, user, group.
                var credentials = new byte[12];
                context.Features.Get<IConnectionSocketFeature>()!.Socket.GetRawSocketOption(1, 17, credentials);
                return context.Response.WriteAsync($"{BitConverter.ToInt32(credentials)}");
            },
            options => options.ListenUnixSocket(path));
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });

        Assert.Equal($"{Environment.ProcessId}", await client.GetStringAsync(new Uri("http://h/")));
    }

    [Fact]
    public async Task A_trusted_proxy_is_believed()
    {
        await using var host = await AppHost.StartAsync(
            context => context.Response.WriteAsync(
                $"{context.Connection.RemoteIpAddress} {context.Features.Get<IProxyProtocolFeature>()!.Version}"),
            options => options.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseProxyProtocol(proxy =>
                proxy.TrustedAddresses.Add(IPAddress.Loopback))));
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Proxied + Get);

        Assert.Equal("192.0.2.1 1", (await client.ReadResponseAsync())?.Content);
    }

    [Fact]
    public async Task Every_peer_of_a_unix_socket_can_be_trusted()
    {
        var path = Path.Combine(Path.GetTempPath(), $"asgi-{Guid.NewGuid():N}.sock");
        await using var host = await AppHost.StartAsync(
            context => context.Response.WriteAsync($"{context.Connection.RemoteIpAddress}"),
            options => options.ListenUnixSocket(path, endpoint => endpoint.UseProxyProtocol(proxy => proxy.TrustAll = true)));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await socket.SendAsync(Encoding.ASCII.GetBytes(Proxied + GetAndClose));
        using var reader = new StreamReader(new NetworkStream(socket));

        Assert.Contains("\r\n192.0.2.1\r\n", await reader.ReadToEndAsync().WaitAsync(AppHost.Patience), StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_that_trusts_nobody_is_refused_with_what_to_write()
    {
        var options = new AsgiServerOptions();

        var nobody = Assert.Throws<InvalidOperationException>(
            () => options.ListenAnyIP(81, endpoint => endpoint.UseProxyProtocol(_ => { })));
        var both = Assert.Throws<InvalidOperationException>(() => options.ListenAnyIP(81, endpoint => endpoint.UseProxyProtocol(proxy =>
        {
            proxy.TrustAll = true;
            proxy.TrustedNetworks.Add(IPNetwork.Parse("10.0.0.0/8"));
        })));

        Assert.Contains("[::]:81", nobody.Message, StringComparison.Ordinal);
        Assert.Contains("TrustedNetworks", nobody.Message, StringComparison.Ordinal);
        Assert.Contains("TrustAll", both.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_of_the_proxy_protocol_have_their_range()
    {
        var options = new ProxyProtocolOptions { MaxLength = 232 };
        options.MaxLength = 65_551;
        options.Timeout = TimeSpan.FromMilliseconds(1);
        options.Timeout = TimeSpan.FromDays(1);

        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxLength = 231);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxLength = 65_552);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Timeout = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Timeout = TimeSpan.FromDays(2));
        Assert.True(options.Required);
        Assert.False(options.TrustAll);
    }

    [Fact]
    public void Trusted_addresses_are_networks_of_one()
    {
        var options = new ProxyProtocolOptions();
        options.TrustedAddresses.Add(IPAddress.Parse("::ffff:10.0.0.1"));
        options.TrustedAddresses.Add(IPAddress.Parse("2001:db8::1"));
        options.TrustedNetworks.Add(IPNetwork.Parse("::ffff:192.0.2.0/120"));

        Assert.Equal(
            ["10.0.0.1/32", "2001:db8::1/128", "192.0.2.0/24"],
            options.ToRules(new IPEndPoint(IPAddress.Any, 0)).TrustedNetworks.Select(network => network.ToString()));
    }

    [Fact]
    public async Task A_handler_that_is_no_http_comes_from_the_apps_services()
    {
        await using var host = await AppHost.StartAsync(
            _ => Task.CompletedTask,
            options => options.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseConnectionHandler<Greeter>()));
        using var client = new TcpClient();
        await client.ConnectAsync(host.EndPoint);
        using var reader = new StreamReader(client.GetStream());

        Assert.Equal("Production", await reader.ReadToEndAsync().WaitAsync(AppHost.Patience));
    }

    [Fact]
    public async Task The_first_middleware_added_has_the_connection_first()
    {
        var order = new List<string>();
        await using var host = await AppHost.StartAsync(
            context => context.Response.WriteAsync(string.Join(' ', order)),
            options => options.Listen(IPAddress.Loopback, 0, endpoint => endpoint
                .Use(next => context =>
                {
                    order.Add("first");
                    return next(context);
                })
                .Use((context, next) =>
                {
                    order.Add("second");
                    return next();
                })));
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Get);

        Assert.Equal("first second", (await client.ReadResponseAsync())?.Content);
    }

    [Fact]
    public async Task Middleware_that_blocks_its_thread_does_not_hold_up_the_loop()
    {
        using var gate = new ManualResetEventSlim();
        var connections = 0;
        await using var host = await AppHost.StartAsync(
            context =>
            {
                gate.Set();
                return context.Response.WriteAsync(context.Request.Path);
            },
            options =>
            {
                options.LoopCount = 1;
                options.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Use((_, next) =>
                {
                    if (Interlocked.Increment(ref connections) == 1)
                        gate.Wait(AppHost.Patience);
                    return next();
                }));
            });
        await using var blocked = await host.ConnectAsync();
        await blocked.SendAsync("GET /blocked HTTP/1.1\r\nHost: h\r\n\r\n");
        while (Volatile.Read(ref connections) == 0)
            await Task.Yield();

        await using var other = await host.ConnectAsync();
        await other.SendAsync("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal("/other", (await other.ReadResponseAsync())?.Content);
        Assert.Equal("/blocked", (await blocked.ReadResponseAsync())?.Content);
    }

    [Fact]
    public async Task What_passes_is_logged_as_numbers_and_text()
    {
        var logs = new LogSink();
        await using (var host = await AppHost.StartAsync(
            context => context.Response.WriteAsync("twenty bytes of text"),
            options => options.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseConnectionLogging()),
            logs,
            minimum: LogLevel.Debug))
        {
            await using var client = await host.ConnectAsync();
            await client.SendAsync(Get);
            Assert.Equal("twenty bytes of text", (await client.ReadResponseAsync())?.Content);
        }

        var lines = logs.Lines.Where(line => line.Category == "Asgi.Server.ConnectionLogging").ToArray();
        Assert.All(lines, line => Assert.Equal((LogLevel.Debug, 115), (line.Level, line.Id.Id)));
        var received = Of("ReadAsync[");
        Assert.Contains(
            "\n47 45 54 20 2F 20 48 54  54 50 2F 31 2E 31 0D 0A   GET / HT TP/1.1..\n"
            + "48 6F 73 74 3A 20 68 0D  0A 0D 0A                  Host: h. ...",
            received,
            StringComparison.Ordinal);
        Assert.Contains(
            "\n48 54 54 50 2F 31 2E 31  20 32 30 30 20 4F 4B 0D   HTTP/1.1  200 OK.", Of("WriteAsync["), StringComparison.Ordinal);

        string Of(string operation) => string.Concat(
            lines.Select(line => line.Message).Where(message => message.Contains(operation, StringComparison.Ordinal)));
    }

    private sealed class Greeter(IWebHostEnvironment environment) : ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection) =>
            await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(environment.EnvironmentName));
    }
}
