// Sockets that somebody else has opened: handed over by number, or by systemd.

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Asgi.Server.Loops.Interop;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server.Tests.Hosting;

[SupportedOSPlatform("linux")]
public sealed class InheritedSocketTests
{
    [Theory]
    [InlineData(1, "127.0.0.1:0")]
    [InlineData(4, "[::1]:0")]
    [InlineData(4, "[::]:0")]
    public async Task A_listening_socket_is_served_and_closed_with_the_server(int loops, string address)
    {
        var (handle, local) = Listen(IPEndPoint.Parse(address));
        using var server = NativeHost.Create(options =>
        {
            options.LoopCount = loops;
            options.ListenHandle(handle);
        });
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal("http://<file handle>", server.GetAddresses().Addresses.Single());
        var port = ((IPEndPoint)local).Port;
        var client = new IPEndPoint(address.StartsWith('1') ? IPAddress.Loopback : IPAddress.IPv6Loopback, port);
        for (var i = 0; i < loops * 2; i++)
            await AddressTests.AssertServesAsync(client);

        await server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);
        var error = await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(client));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Fact]
    public async Task A_unix_socket_is_served_and_its_file_left_to_who_made_it()
    {
        var path = Addresses.NewSocketPath();
        var (handle, _) = Listen(new UnixDomainSocketEndPoint(path));
        using var server = NativeHost.Create(options => options.ListenHandle(handle));
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await UnixSocketTests.GetAsync(path), StringComparison.Ordinal);

        await server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);
        Assert.True(File.Exists(path));
        File.Delete(path);
    }

    [Fact]
    public async Task A_child_process_does_not_inherit_it_and_no_accept_waits()
    {
        var (handle, _) = Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _ = Libc.DescriptorControl((int)handle, Constants.SetDescriptorFlags, 0);
        using var server = NativeHost.Create(options => options.ListenHandle(handle));
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        var flags = (await File.ReadAllLinesAsync($"/proc/self/fdinfo/{handle}"))
            .Single(line => line.StartsWith("flags:", StringComparison.Ordinal)).Split('\t')[1];

        // open(2): O_CLOEXEC and O_NONBLOCK, in octal as proc(5) shows them.
        Assert.Equal(0x80000 | 0x800, Convert.ToInt32(flags, 8) & (0x80000 | 0x800));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_does_not_listen_is_refused(bool isBound)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (isBound)
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        await AssertRefusedAsync((ulong)socket.Handle);
    }

    // Watched twice by one loop, and closed twice: the second time it may be somebody else's.
    [Fact]
    public async Task A_handle_that_is_given_twice_is_refused()
    {
        var (handle, _) = Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using var server = NativeHost.Create(options =>
        {
            options.ListenHandle(handle);
            options.ListenHandle(handle);
        });

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.Equal($"The file handle {handle} is given for two endpoints.", error.Message);
    }

    [Fact]
    public async Task What_is_no_stream_socket_is_refused()
    {
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var file = File.OpenHandle("/dev/null");

        await AssertRefusedAsync((ulong)datagrams.Handle);
        await AssertRefusedAsync((ulong)file.DangerousGetHandle());
        await AssertRefusedAsync(int.MaxValue);
        await AssertRefusedAsync(ulong.MaxValue);
    }

    [Fact]
    public void Systemd_passes_descriptors_in_a_row()
    {
        var options = UseSystemd(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), "2");

        Assert.Equal([3u, 4u], options.Endpoints.Select(endpoint => endpoint.FileHandle));
        Assert.All(options.Endpoints, endpoint => Assert.Equal(7, endpoint.Backlog));
    }

    [Theory]
    [InlineData(null, "1")]
    [InlineData("1", "1")]
    [InlineData("self", null)]
    [InlineData("self", "")]
    [InlineData("self", "0")]
    [InlineData("self", "-1")]
    [InlineData("self", "2147483645")]
    [InlineData("self", "one")]
    public void Without_activation_nothing_is_added(string? pid, string? count) =>
        Assert.Empty(UseSystemd(pid == "self" ? Environment.ProcessId.ToString(CultureInfo.InvariantCulture) : pid, count).Endpoints);

    [Fact]
    public async Task A_socket_that_systemd_has_opened_is_served()
    {
        var (handle, local) = Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using var server = NativeHost.Create(options => options.UseSystemd(
            name => name == "LISTEN_FDS" ? "1" : Environment.ProcessId.ToString(CultureInfo.InvariantCulture), (int)handle));
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        await AddressTests.AssertServesAsync((IPEndPoint)local);
    }

    [Fact]
    public void The_environment_of_this_process_is_no_activation()
    {
        var options = new AsgiServerOptions();

        Assert.Same(options, options.UseSystemd());
        Assert.Empty(options.Endpoints);
    }

    [Fact]
    public void An_endpoint_knows_its_handle()
    {
        var options = new AsgiServerOptions();
        options.Listen(new FileHandleEndPoint(5, FileHandleType.Tcp));
        options.ListenAnyIP(0);

        Assert.Equal([5u, 0u], options.Endpoints.Select(endpoint => endpoint.FileHandle));
        Assert.Throws<NotSupportedException>(() => options.Listen(new FileHandleEndPoint(5, FileHandleType.Pipe)));
    }

    [Fact]
    public void Named_pipes_are_for_Windows()
    {
        var options = new AsgiServerOptions();

        Assert.Throws<PlatformNotSupportedException>(() => options.ListenNamedPipe("name"));
        Assert.Throws<PlatformNotSupportedException>(() => options.Listen(new NamedPipeEndPoint("name")));
    }

    private static AsgiServerOptions UseSystemd(string? pid, string? count) => new AsgiServerOptions().UseSystemd(
        name => name switch
        {
            "LISTEN_PID" => pid,
            "LISTEN_FDS" => count,
            _ => null,
        },
        firstHandle: 3,
        listen => listen.Backlog = 7);

    private static async Task AssertRefusedAsync(ulong handle)
    {
        using var server = NativeHost.Create(options => options.ListenHandle(handle));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.Equal($"The file handle {handle} is not a stream socket that listens.", error.Message);
    }

    // The descriptor is nobody's but the server's: the object that made it forgets it. It is never disposed, which would wait for ever for
    // a handle that is invalid, nor finalized, which would delete the file of a unix socket.
    private static (ulong Handle, EndPoint Local) Listen(EndPoint endPoint)
    {
        var protocol = endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, protocol);
        socket.Bind(endPoint);
        socket.Listen();
        var (handle, local) = ((ulong)socket.Handle, socket.LocalEndPoint!);
        socket.SafeHandle.SetHandleAsInvalid();
        GC.SuppressFinalize(socket);
        return (handle, local);
    }
}
