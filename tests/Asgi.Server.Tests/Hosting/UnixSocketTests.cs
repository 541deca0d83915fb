// Unix sockets: how they are named and shown, and what becomes of their file.

using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Hosting;

public sealed class UnixSocketTests : IDisposable
{
    private readonly string _path = Addresses.NewSocketPath();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(1, true)]
    [InlineData(4, true)]
    [InlineData(1, false)]
    public async Task Serves_and_deletes_the_file_at_the_stop(int loops, bool byAddress)
    {
        string[] addresses = byAddress ? [$"http://unix:{_path}"] : [];
        using var server = NativeHost.Create(options => Configure(options, loops, byAddress), addresses);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal([$"http://unix:{_path}"], server.GetAddresses().Addresses);
        for (var i = 0; i < loops * 2; i++)
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", await GetAsync(), StringComparison.Ordinal);

        await server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task A_file_that_is_there_already_is_in_use_and_stays()
    {
        await File.WriteAllTextAsync(_path, "");
        using var server = NativeHost.Create(addresses: $"http://unix:{_path}");

        await AddressInUseTests.AssertInUseAsync(server, _path);

        Assert.True(File.Exists(_path));
    }

    [Fact]
    public async Task The_socket_of_another_server_is_in_use_and_goes_on()
    {
        using var first = NativeHost.Create(addresses: $"http://unix:{_path}");
        await first.StartAsync(NativeApplication.Empty, CancellationToken.None);
        using (var second = NativeHost.Create(addresses: $"http://unix:{_path}"))
            await AddressInUseTests.AssertInUseAsync(second, _path);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await GetAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_start_leaves_no_file()
    {
        using var server = NativeHost.Create(addresses: [$"http://unix:{_path}", "http://localhost:0"]);

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task The_connection_has_no_addresses()
    {
        await using var host = await AppHost.StartAsync(
            context =>
            {
                var connection = context.Features.Get<IHttpConnectionFeature>()!;
                Assert.Null(connection.RemoteIpAddress);
                Assert.Null(connection.LocalIpAddress);
                return context.Response.WriteAsync($"{connection.RemotePort} {connection.LocalPort}");
            },
            options => options.ListenUnixSocket(_path));

        Assert.EndsWith("\r\n0 0\r\n0\r\n\r\n", await GetAsync(), StringComparison.Ordinal);
    }

    private void Configure(AsgiServerOptions options, int loops, bool byAddress)
    {
        options.LoopCount = loops;
        if (!byAddress)
            options.ListenUnixSocket(_path);
    }

    private async Task<string> GetAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync().WaitAsync(AppHost.Patience);
    }
}
