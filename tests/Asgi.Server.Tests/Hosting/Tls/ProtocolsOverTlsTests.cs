// Which version of HTTP a client of an https endpoint gets: ALPN chooses among those the endpoint serves.

using System.Net;
using System.Net.Security;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class ProtocolsOverTlsTests
{
    [Theory]
    [InlineData(null, "2.0", "2.0")]
    [InlineData(null, "1.1", "1.1")]
    [InlineData(HttpProtocols.Http1AndHttp2AndHttp3, "2.0", "2.0")]
    [InlineData(HttpProtocols.Http1, "2.0", "1.1")]
    [InlineData(HttpProtocols.Http2, "2.0", "2.0")]
    public async Task HttpClient_gets_the_best_that_both_have(HttpProtocols? protocols, string asked, string expected)
    {
        await using var bed = await StartAsync(protocols);

        var (version, content) = await AskAsync(bed, Version.Parse(asked));

        Assert.Equal(Version.Parse(expected), version);
        Assert.Equal(expected == "2.0" ? "https 2" : "https 1.1", content);
        Assert.Equal(protocols == HttpProtocols.Http1AndHttp2AndHttp3, bed.Log.Lines.Any(line => line.Level >= LogLevel.Warning));
    }

    [Fact]
    public async Task The_server_prefers_HTTP_2_whatever_the_clients_order()
    {
        await using var bed = await StartAsync(protocols: null);
        await using var client = await bed.ConnectAsync(
            configure: options => options.ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2]);

        Assert.Equal(SslApplicationProtocol.Http2, client.Stream.NegotiatedApplicationProtocol);
    }

    [Fact]
    public async Task A_client_without_ALPN_speaks_HTTP_1()
    {
        await using var bed = await StartAsync(protocols: null);

        Assert.Equal(TestCertificates.Ecdsa.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task A_client_without_ALPN_has_nothing_to_speak_with_an_endpoint_of_HTTP_2_which_is_told()
    {
        await using var bed = await StartAsync(HttpProtocols.Http2);

        // Told of the first only: who connects must not fill the log.
        for (var i = 0; i < 3; i++)
            Assert.True(await bed.RefusesAsync());

        var line = Assert.Single(bed.Log.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Equal((LogLevel.Error, 224), (line.Level, line.Id.Id));
    }

    [Fact]
    public async Task A_callback_that_names_no_protocols_has_those_of_the_endpoint()
    {
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(new TlsCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = TestCertificates.Ecdsa }),
        }));

        Assert.Equal("https 2", (await AskAsync(bed, HttpVersion.Version20)).Content);
    }

    [Fact]
    public async Task Middleware_within_TLS_has_HTTP_2_behind_it()
    {
        await using var bed = await TlsBed.ListenAsync(listen =>
        {
            listen.UseHttps(TestCertificates.Ecdsa);
            listen.Use(next => next);
        });

        Assert.Equal("https 2", (await AskAsync(bed, HttpVersion.Version20)).Content);
        Assert.Equal("https 1.1", (await AskAsync(bed, HttpVersion.Version11)).Content);
    }

    private static Task<TlsBed> StartAsync(HttpProtocols? protocols) => TlsBed.ListenAsync(listen =>
    {
        listen.UseHttps(TestCertificates.Ecdsa);

        // After it: what an endpoint serves is asked for when the server starts.
        listen.Protocols = protocols ?? listen.Protocols;
    });

    private static async Task<(Version Version, string Content)> AskAsync(TlsBed bed, Version version)
    {
        using var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => TestCertificates.IsOurs(certificate) },
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{bed.EndPoint}")
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        using var response = await client.SendAsync(request).WaitAsync(AppHost.Patience);
        return (response.Version, await response.Content.ReadAsStringAsync());
    }
}
