// An address that somebody has is refused with the exceptions hosts and tools look for. The loops of one server share a port
// (SO_REUSEPORT); two servers must not.

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server.Tests.Hosting;

public sealed class AddressInUseTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(4, 1)]
    [InlineData(4, 4)]
    public async Task A_second_server_on_the_port_is_refused_whatever_its_loops(int firstLoops, int secondLoops)
    {
        using var first = NativeHost.Create(options => options.LoopCount = firstLoops, Addresses.Loopback);
        await first.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var address = first.GetAddresses().Addresses.Single();
        using var second = NativeHost.Create(options => options.LoopCount = secondLoops, address);

        await AssertInUseAsync(second, address);

        await AddressTests.AssertServesAsync(Addresses.EndPointOf(address));
    }

    [Theory]
    [InlineData("http://127.0.0.1")]
    [InlineData("http://*")]
    [InlineData("http://localhost")]
    public async Task A_port_of_another_program_is_refused(string address)
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var port = ((IPEndPoint)other.LocalEndPoint!).Port;
        using var server = NativeHost.Create(options => options.LoopCount = 4, $"{address}:{port}");

        await AssertInUseAsync(server, port.Text());
    }

    [Fact]
    public async Task A_server_that_is_refused_can_be_told_apart_by_its_endpoint_in_code_too()
    {
        using var first = NativeHost.Create(addresses: Addresses.Loopback);
        await first.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var address = first.GetAddresses().Addresses.Single();
        using var second = NativeHost.Create(options => options.Listen(Addresses.EndPointOf(address)));

        await AssertInUseAsync(second, address);
    }

    [Fact]
    public async Task A_stopped_server_leaves_its_port_at_once()
    {
        var first = NativeHost.Create(options => options.LoopCount = 2, Addresses.Loopback);
        await first.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var address = first.GetAddresses().Addresses.Single();
        await AddressTests.AssertServesAsync(Addresses.EndPointOf(address));
        first.Dispose();

        using var second = NativeHost.Create(options => options.LoopCount = 2, address);
        await second.StartAsync(NativeApplication.Empty, CancellationToken.None);

        await AddressTests.AssertServesAsync(Addresses.EndPointOf(address));
    }

    internal static async Task AssertInUseAsync(AsgiServer server, string named)
    {
        var error = await Assert.ThrowsAsync<IOException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.EndsWith("address already in use.", error.Message, StringComparison.Ordinal);
        Assert.IsType<AddressInUseException>(error.InnerException);
    }
}
