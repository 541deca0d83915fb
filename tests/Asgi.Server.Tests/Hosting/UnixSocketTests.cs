// Unix sockets: how they are named and shown, and what becomes of their file.

using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Asgi.Server.Loops;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting;

public sealed partial class UnixSocketTests : IDisposable
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

    // A server that has given up its rights, or whose directory has become read-only.
    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task A_file_that_may_not_be_deleted_does_not_keep_the_server_from_stopping()
    {
        var directory = Directory.CreateTempSubdirectory("asgi-");
        var path = Path.Combine(directory.FullName, "s");
        try
        {
            using var server = NativeHost.Create(addresses: [Addresses.Loopback, $"http://unix:{path}"]);
            await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
            var endPoint = Addresses.EndPointOf(server.GetAddresses().Addresses.First());
            await using var client = await RawClient.ConnectAsync(endPoint);
            Assert.True(await client.ProbeAsync());
            directory.UnixFileMode = (UnixFileMode)0b101_101_101;

            await AsNobody(() => server.StopAsync(CancellationToken.None)).WaitAsync(AppHost.Patience);

            Assert.Equal("", await client.ReadToEndAsync());
            await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(endPoint));
        }
        finally
        {
            directory.UnixFileMode |= UnixFileMode.UserWrite;
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_file_that_is_there_already_is_in_use_and_stays()
    {
        await File.WriteAllTextAsync(_path, "");
        using var server = NativeHost.Create(addresses: $"http://unix:{_path}");

        await AddressInUseTests.AssertInUseAsync(server, _path);

        Assert.True(File.Exists(_path));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_socket_that_nobody_listens_on_is_replaced(bool didListen)
    {
        LeaveStale(didListen);
        using var log = new LogSink();
        var options = new AsgiServerOptions { LoopCount = 2 };
        options.ListenUnixSocket(_path);
        using var server = new AsgiServer(Options.Create(options), LoggerFactory.Create(logging => logging.AddProvider(log)));

        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await GetAsync(), StringComparison.Ordinal);
        Assert.Equal((LogLevel.Information, 205), log.Lines.Select(line => (line.Level, line.Id.Id)).Single());
        await server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task A_link_to_a_stale_socket_is_left_alone()
    {
        var target = _path + "2";
        LeaveStale(didListen: true);
        File.Move(_path, target);
        File.CreateSymbolicLink(_path, target);
        using var server = NativeHost.Create(addresses: $"http://unix:{_path}");

        await AddressInUseTests.AssertInUseAsync(server, _path);

        Assert.True(File.Exists(target));
        File.Delete(target);
    }

    [Fact]
    public async Task A_listener_whose_backlog_is_full_is_not_stale()
    {
        using var busy = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        busy.Bind(new UnixDomainSocketEndPoint(_path));
        busy.Listen(0);
        using var waiting = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await waiting.ConnectAsync(new UnixDomainSocketEndPoint(_path));
        using var server = NativeHost.Create(addresses: $"http://unix:{_path}");

        await AddressInUseTests.AssertInUseAsync(server, _path);
    }

    [SystemSocketFact]
    public async Task The_stop_leaves_the_file_of_a_server_that_took_its_place()
    {
        using var first = NativeHost.Create(addresses: $"http://unix:{_path}");
        await first.StartAsync(NativeApplication.Empty, CancellationToken.None);
        File.Delete(_path);
        using var second = NativeHost.Create(addresses: $"http://unix:{_path}");
        await second.StartAsync(NativeApplication.Empty, CancellationToken.None);

        await first.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await GetAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData((UnixFileMode)0b111_111_111)]
    [InlineData(UnixFileMode.None)]
    public async Task The_file_has_the_mode_that_was_set(UnixFileMode mode)
    {
        using var server = NativeHost.Create(options => options.ListenUnixSocket(_path, listen => listen.UnixSocketMode = mode));
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal(mode, GetMode());
    }

    [Fact]
    public async Task Without_a_mode_the_umask_decides()
    {
        using var plain = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        plain.Bind(new UnixDomainSocketEndPoint(_path));
        var byUmask = GetMode();
        File.Delete(_path);
        using var server = NativeHost.Create(addresses: $"http://unix:{_path}");
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal(byUmask, GetMode());
    }

    [Fact]
    public void A_mode_says_who_may_and_nothing_else()
    {
        ListenOptions endpoint = null!;
        new AsgiServerOptions().ListenUnixSocket(_path, listen => endpoint = listen);

        Assert.Null(endpoint.UnixSocketMode);
        endpoint.UnixSocketMode = (UnixFileMode)0b111_111_111;
        Assert.Throws<ArgumentOutOfRangeException>(() => endpoint.UnixSocketMode = UnixFileMode.StickyBit);
    }

    [Fact]
    public async Task A_name_of_the_abstract_namespace_has_no_file()
    {
        var name = $"asgi-{Guid.NewGuid():N}";
        using var server = NativeHost.Create(options => options.Listen(
            new UnixDomainSocketEndPoint($"\0{name}"), listen => listen.UnixSocketMode = UnixFileMode.UserRead));
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await GetAsync($"\0{name}"), StringComparison.Ordinal);
        await server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);
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

    private UnixFileMode GetMode() =>
        OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException() : File.GetUnixFileMode(_path);

    // As a server leaves it that was killed. Socket deletes the file it has bound, by its name then.
    private void LeaveStale(bool didListen)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_path + "1"));
        File.Move(_path + "1", _path);
        if (didListen)
            socket.Listen();
    }

    private void Configure(AsgiServerOptions options, int loops, bool byAddress)
    {
        options.LoopCount = loops;
        if (!byAddress)
            options.ListenUnixSocket(_path);
    }

    private Task<string> GetAsync() => GetAsync(_path);

    internal static async Task<string> GetAsync(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync().WaitAsync(AppHost.Patience);
    }

    // The framework's sockets delete the file of their path when they are closed, whoever has it by then (Portable/README.md).
    private sealed class SystemSocketFactAttribute : FactAttribute
    {
        public SystemSocketFactAttribute()
        {
            if (AppContext.TryGetSwitch(BackendFactory.UsePortableSwitch, out var isPortable) && isPortable)
            {
                Skip = "the framework's sockets delete the file at their path, whoever's it is";
            }
        }
    }

    // Of root's thread this takes the rights of root over files, until it has returned; of others it takes nothing.
    private static Task AsNobody(Func<Task> start)
    {
        var before = SetFileSystemUser(65534);
        try
        {
            return start();
        }
        finally
        {
            _ = SetFileSystemUser(before);
        }
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(int user);
}
