// ListenOptions.Protocols while HTTP/1.1 is what is served: who asks for more is told, who refuses it is refused.

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
    [InlineData(HttpProtocols.Http2)]
    [InlineData(HttpProtocols.Http3)]
    [InlineData(HttpProtocols.Http2 | HttpProtocols.Http3)]
    public async Task An_endpoint_without_HTTP_1_is_refused(HttpProtocols protocols)
    {
        using var log = new LogSink();
        using var server = Create(log, listen => listen.Protocols = protocols, isSet: true);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => server.StartAsync(NativeApplication.Empty, CancellationToken.None));

        Assert.StartsWith($"http://127.0.0.1:0: Protocols ({protocols}) must be", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Defaults_hold_for_addresses()
    {
        using var server = NativeHost.Create(
            options => options.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2), Addresses.Loopback);

        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync(NativeApplication.Empty, CancellationToken.None));
    }

    private static AsgiServer Create(LogSink log, Action<ListenOptions> configure, bool isSet)
    {
        var options = new AsgiServerOptions { LoopCount = 1 };
        options.Listen(IPAddress.Loopback, 0, isSet ? configure : null);
        return new AsgiServer(Options.Create(options), LoggerFactory.Create(logging => logging.AddProvider(log)));
    }
}
