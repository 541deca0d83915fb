// ListenOptions.Protocols: what an endpoint without TLS serves, what is told of the rest, and what is refused. With
// TLS: Tls/ProtocolsOverTlsTests.

using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting;

public sealed class ProtocolsTests
{
    [Theory]
    [InlineData(null, new int[0])]
    [InlineData(HttpProtocols.Http1, new int[0])]
    [InlineData(HttpProtocols.Http1AndHttp2, new[] { 64 })]
    [InlineData(HttpProtocols.Http1AndHttp2AndHttp3, new[] { 64, 65 })]
    public async Task What_is_asked_for_beside_HTTP_1_is_warned_of(HttpProtocols? protocols, int[] ids)
    {
        using var log = new LogSink();
        using var server = Create(log, listen => listen.Protocols = protocols ?? listen.Protocols, isSet: protocols is not null);

        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal(ids, log.Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Id.Id));
        Assert.All(log.Lines, line => Assert.Contains("http://127.0.0.1:0", line.Message, StringComparison.Ordinal));
        await AddressTests.AssertServesAsync(Addresses.EndPointOf(server.GetAddresses().Addresses.Single()));
    }

    [Theory]
    [InlineData(HttpProtocols.None)]
    [InlineData(HttpProtocols.Http3)]
    public async Task An_endpoint_that_serves_nothing_is_refused(HttpProtocols protocols)
    {
        using var log = new LogSink();
        using var server = Create(log, listen => listen.Protocols = protocols, isSet: true);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.StartsWith($"http://127.0.0.1:0: Protocols ({protocols}) must be", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpProtocols.Http2, false, "2.0")]
    [InlineData(HttpProtocols.Http2 | HttpProtocols.Http3, false, "2.0")]
    [InlineData(HttpProtocols.Http1AndHttp2, true, "2.0")]
    [InlineData(HttpProtocols.Http1AndHttp2, true, "1.1")]
    [InlineData(HttpProtocols.Http1AndHttp2, false, "1.1")]
    [InlineData(HttpProtocols.Http1, true, "1.1")]
    public async Task Without_TLS_a_client_is_served_as_the_endpoint_says(HttpProtocols protocols, bool detects, string version)
    {
        using var log = new LogSink();
        using var server = Create(log, listen => (listen.Protocols, listen.DetectHttp2) = (protocols, detects), isSet: true);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Equal(Version.Parse(version), await AskAsync(server, version));
        Assert.Equal(protocols == HttpProtocols.Http1AndHttp2 && !detects, log.Lines.Any(line => line.Id.Id == 64));
    }

    [Theory]
    [InlineData(HttpProtocols.Http2, "1.1")]
    [InlineData(HttpProtocols.Http1AndHttp2, "2.0")]
    [InlineData(HttpProtocols.Http1, "2.0")]
    public async Task Without_TLS_what_the_endpoint_does_not_serve_is_not_served(HttpProtocols protocols, string version)
    {
        using var log = new LogSink();
        using var server = Create(log, listen => listen.Protocols = protocols, isSet: true);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(server, version));
    }

    [Fact]
    public async Task Defaults_hold_for_addresses()
    {
        using var server = NativeHost.Create(
            options => options.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.None), Addresses.Loopback);

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));
    }

    private static async Task<Version> AskAsync(AsgiServer server, string version)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, server.GetAddresses().Addresses.Single())
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await client.SendAsync(request).WaitAsync(AppHost.Patience);
        return response.EnsureSuccessStatusCode().Version;
    }

    private static AsgiServer Create(LogSink log, Action<ListenOptions> configure, bool isSet)
    {
        var options = new AsgiServerOptions { LoopCount = 1 };
        options.Listen(IPAddress.Loopback, 0, isSet ? configure : null);
        return new AsgiServer(Options.Create(options), LoggerFactory.Create(logging => logging.AddProvider(log)));
    }
}
