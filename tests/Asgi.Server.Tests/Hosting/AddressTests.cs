// The forms of an address string and where each binds: what a server under ASP.NET Core is expected to understand.

using System.Net;
using System.Net.Sockets;
using Asgi.Server.Testing;

namespace Asgi.Server.Tests.Hosting;

public sealed class AddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:0", "127.0.0.1")]
    [InlineData("HTTP://127.0.0.1:0", "127.0.0.1")]
    [InlineData("http://127.0.0.1:0/", "127.0.0.1")]
    [InlineData("http://[::1]:0", "[::1]")]
    [InlineData("http://0.0.0.0:0", "0.0.0.0")]
    [InlineData("http://[::]:0", "[::]")]
    [InlineData("http://*:0", "[::]")]
    [InlineData("http://+:0", "[::]")]
    [InlineData("http://example.com:0", "[::]")]
    public async Task An_address_is_bound_and_shown_with_its_real_port(string address, string shownHost)
    {
        using var server = NativeHost.Create(addresses: address);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        var shown = Assert.Single(server.GetAddresses().Addresses);

        Assert.Matches($@"^http://{System.Text.RegularExpressions.Regex.Escape(shownHost)}:[1-9]\d*$", shown);
        Assert.Equal("200 open", (await RawClient.ExchangeAsync(Addresses.EndPointOf(shown), "GET / HTTP/1.1\r\nHost: h\r\n\r\n")).Outcome);
    }

    [Theory]
    [InlineData("http://*:0")]
    [InlineData("http://[::]:0")]
    public async Task A_wildcard_serves_both_families(string address)
    {
        using var server = NativeHost.Create(addresses: address);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var port = Addresses.EndPointOf(server.GetAddresses().Addresses.Single()).Port;

        await AssertServesAsync(new IPEndPoint(IPAddress.Loopback, port));
        await AssertServesAsync(new IPEndPoint(IPAddress.IPv6Loopback, port));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST")]
    [InlineData("app.localhost")]
    public async Task Localhost_is_both_loopback_addresses_and_shown_once(string host)
    {
        var port = Addresses.FreePort();
        using var server = NativeHost.Create(addresses: $"http://{host}:{port}");
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal($"http://{host}:{port}", Assert.Single(server.GetAddresses().Addresses), ignoreCase: true);
        await AssertServesAsync(new IPEndPoint(IPAddress.Loopback, port));
        await AssertServesAsync(new IPEndPoint(IPAddress.IPv6Loopback, port));
    }

    [Theory]
    [InlineData("https://127.0.0.1:0", "dotnet dev-certs https")]
    [InlineData("HTTPS://localhost:5001", "dotnet dev-certs https")]
    [InlineData("ftp://127.0.0.1:0", "scheme")]
    [InlineData("http://127.0.0.1:0/base", "UsePathBase")]
    [InlineData("http://localhost:0", "Dynamic port")]
    [InlineData("http://app.localhost:0", "Dynamic port")]
    public async Task An_address_that_asks_for_what_is_not_done_says_so(string address, string why)
    {
        using var server = NativeHost.Create(options => options.CertificatePlaces = Tls.TlsBed.NoPlaces, address);

        var start = () => server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(start);

        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("/path")]
    [InlineData("http://")]
    public async Task A_string_that_is_no_address_is_refused(string address)
    {
        using var server = NativeHost.Create(addresses: address);

        await Assert.ThrowsAsync<FormatException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));
    }

    [Fact]
    public async Task A_named_pipe_is_for_Windows()
    {
        using var server = NativeHost.Create(addresses: "http://pipe:/name");

        await Assert.ThrowsAsync<PlatformNotSupportedException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));
    }

    [Fact]
    public async Task An_address_that_is_not_local_is_the_error_of_the_system()
    {
        // TEST-NET-1 (RFC 5737, section 3) belongs to no machine.
        using var server = NativeHost.Create(addresses: "http://192.0.2.1:0");

        var error = await Assert.ThrowsAsync<SocketException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.Equal(SocketError.AddressNotAvailable, error.SocketErrorCode);
    }

    [Fact]
    public async Task Several_addresses_are_all_bound()
    {
        using var server = NativeHost.Create(addresses: ["http://127.0.0.1:0", "http://[::1]:0", "http://127.0.0.1:0"]);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal(3, server.GetAddresses().Addresses.Count);
        foreach (var address in server.GetAddresses().Addresses)
            await AssertServesAsync(Addresses.EndPointOf(address));
    }

    [Fact]
    public async Task What_was_bound_before_a_failure_is_free_again()
    {
        var port = Addresses.FreePort();
        using (var server = NativeHost.Create(addresses: [$"http://127.0.0.1:{port}", "http://localhost:0"]))
            await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        using var next = NativeHost.Create(addresses: $"http://127.0.0.1:{port}");
        await next.StartAsync(NativeApplication.Empty, CancellationToken.None);
        await AssertServesAsync(new IPEndPoint(IPAddress.Loopback, port));
    }

    // Its sockets are bound before or after its middleware is made: in both cases nobody may be left to connect to them.
    [Fact]
    public async Task What_was_bound_before_middleware_failed_is_free_again()
    {
        var port = Addresses.FreePort();
        using (var server = NativeHost.Create(options => options.Listen(
            IPAddress.Loopback, port, endpoint => endpoint.Use(_ => throw new NotSupportedException("No middleware.")))))
        {
            await Assert.ThrowsAsync<NotSupportedException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));
        }

        using var next = NativeHost.Create(addresses: $"http://127.0.0.1:{port}");
        await next.StartAsync(NativeApplication.Empty, CancellationToken.None);
    }

    internal static async Task AssertServesAsync(IPEndPoint endPoint) =>
        Assert.Equal("200 open", (await RawClient.ExchangeAsync(endPoint, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")).Outcome);
}
