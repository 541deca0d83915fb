// Certificates and https endpoints from the configuration: where certificates are, what holds for whom, and what is refused.

using System.Security.Authentication;
using Asgi.Server.Hosting;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class TlsConfigurationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("asgi-config-");

    public TlsConfigurationTests()
    {
        TestCertificates.WritePem(TestCertificates.Ecdsa, In("a.crt"), In("a.key"));
        TestCertificates.WritePem(TestCertificates.Rsa, In("b.crt"), In("b.key"), "secret");
        TestCertificates.WritePfx(TestCertificates.Rsa, In("b.pfx"), "secret");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("Endpoints:A:Certificate", "a.crt", "a.key", null, true)]
    [InlineData("Endpoints:A:Certificate", "b.crt", "b.key", "secret", false)]
    [InlineData("Endpoints:A:Certificate", "b.pfx", null, "secret", false)]
    [InlineData("Certificates:Default", "a.crt", "a.key", null, true)]
    [InlineData("certificates:default", "b.pfx", null, "secret", false)]
    public async Task A_certificate_is_where_the_section_says(string key, string path, string? keyPath, string? password, bool isEcdsa)
    {
        await using var bed = await StartAsync(new()
        {
            [$"{key}:Path"] = In(path),
            [$"{key}:KeyPath"] = keyPath is null ? null : In(keyPath),
            [$"{key}:Password"] = password,
        });

        Assert.Equal((isEcdsa ? TestCertificates.Ecdsa : TestCertificates.Rsa).Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task The_default_of_the_section_is_for_endpoints_of_code_and_addresses_too()
    {
        Dictionary<string, string?> values = Default();
        await using var code = await TlsBed.ListenAsync(listen => listen.UseHttps(), options => Configure(options, values));
        Assert.Equal(TestCertificates.Ecdsa.Thumbprint, await code.ThumbprintAsync());

        await using var address = await TlsBed.StartAsync(options => Configure(options, values), "https://127.0.0.1:0");
        Assert.Equal(TestCertificates.Ecdsa.Thumbprint, await address.ThumbprintAsync());
    }

    [Fact]
    public async Task An_endpoint_has_what_its_section_says_over_defaults_of_section_and_code()
    {
        var values = Default();
        values["EndpointDefaults:SslProtocols"] = "Tls12";
        values["EndpointDefaults:ClientCertificateMode"] = "AllowCertificate";
        values["Endpoints:A:Url"] = "https://127.0.0.1:0";
        values["Endpoints:B:Url"] = "https://127.0.0.1:0";
        values["Endpoints:B:SslProtocols:0"] = "Tls12";
        values["Endpoints:B:SslProtocols:1"] = "tls13";
        values["Endpoints:B:ClientCertificateMode"] = "DelayCertificate";
        Dictionary<string, (SslProtocols, ClientCertificateMode, bool)> seen = [];
        await using var bed = await TlsBed.StartAsync(options =>
        {
            Configure(options, values);
            options.ConfigureHttpsDefaults(https => https.CheckCertificateRevocation = true);
            foreach (var name in new[] { "A", "B" })
            {
                options.ConfigurationLoader!.Endpoint(name, endpoint =>
                {
                    Assert.True(endpoint.IsHttps);
                    var https = endpoint.HttpsOptions;
                    seen[name] = (https.SslProtocols, https.ClientCertificateMode, https.CheckCertificateRevocation);
                });
            }
        });

        Assert.Equal((SslProtocols.Tls12, ClientCertificateMode.AllowCertificate, true), seen["A"]);
        Assert.Equal((SslProtocols.Tls12 | SslProtocols.Tls13, ClientCertificateMode.DelayCertificate, true), seen["B"]);
        Assert.False(await bed.RefusesAsync());
    }

    [Fact]
    public async Task A_certificate_of_the_endpoints_section_comes_before_that_of_the_defaults_and_after_that_of_its_callback()
    {
        var other = TestCertificates.ForNames("localhost");
        TestCertificates.WritePfx(other, In("other.pfx"), null);
        Dictionary<string, string?> values = new() { ["Endpoints:A:Certificate:Path"] = In("other.pfx") };
        await using var bed = await StartAsync(
            values, options => options.ConfigureHttpsDefaults(https => https.ServerCertificate = TestCertificates.Rsa));
        Assert.Equal(other.Thumbprint, await bed.ThumbprintAsync());

        await using var callback = await StartAsync(values, options => options.ConfigurationLoader!.Endpoint(
            "A", endpoint => endpoint.HttpsOptions.ServerCertificate = TestCertificates.Rsa));
        Assert.Equal(TestCertificates.Rsa.Thumbprint, await callback.ThumbprintAsync());
    }

    [Fact]
    public async Task TLS_that_code_gives_an_endpoint_comes_before_its_section()
    {
        await using var bed = await StartAsync(
            Default(),
            options => options.ConfigurationLoader!.Endpoint("A", endpoint => endpoint.ListenOptions.UseHttps(TestCertificates.Rsa)));

        Assert.Equal(TestCertificates.Rsa.Thumbprint, await bed.ThumbprintAsync());
    }

    [Theory]
    [InlineData("Endpoints:A:Certificate:KeyPath", "a.key",
        "Endpoints:A:Certificate has neither Path nor Subject: it does not say where the certificate is.")]
    [InlineData("Certificates:Default", "a.pfx", "Certificates:Default (a.pfx) must be a section.")]
    [InlineData("Certificates", "a.pfx", "Certificates (a.pfx) must be a section.")]
    [InlineData("Endpoints:A:Certificate:AllowInvalid", "maybe", "Endpoints:A:Certificate:AllowInvalid (maybe) must be true or false.")]
    [InlineData("Endpoints:A:Certificate:Location", "Here",
        "Endpoints:A:Certificate:Location (Here) must be CurrentUser or LocalMachine.")]
    [InlineData("Endpoints:A:SslProtocols", "Tls14",
        "Endpoints:A:SslProtocols (Tls14) must be versions of TLS such as Tls12 and Tls13: a list, or one text with commas.")]
    [InlineData("EndpointDefaults:SslProtocols", "12",
        "EndpointDefaults:SslProtocols (12) must be versions of TLS such as Tls12 and Tls13: a list, or one text with commas.")]
    [InlineData("Endpoints:A:ClientCertificateMode", "Yes",
        "Endpoints:A:ClientCertificateMode (Yes) must be NoCertificate, AllowCertificate, RequireCertificate or DelayCertificate.")]
    [InlineData("Endpoints:A:Sni:*:Protocols", "Http3", "Endpoints:A:Sni:*:Protocols (Http3) must be Http1, Http2 or Http1AndHttp2.")]
    [InlineData("Endpoints:A:Sni:a*b:Protocols", "Http1",
        "Endpoints:A:Sni:a*b must have a server's name for a key, *.name for all that end so, or * for any.")]
    [InlineData("Endpoints:A:Sni:a:Certificate:Store", "My",
        "Endpoints:A:Sni:a:Certificate has neither Path nor Subject: it does not say where the certificate is.")]
    public async Task What_cannot_be_used_is_told(string key, string value, string message)
    {
        var values = new Dictionary<string, string?> { [key] = value };
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(values));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_is_in_one_place()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new()
        {
            ["Endpoints:A:Certificate:Path"] = In("b.pfx"),
            ["Endpoints:A:Certificate:Subject"] = "localhost",
        }));

        Assert.Equal("Endpoints:A:Certificate has Path and Subject: a certificate is in a file or in a store.", error.Message);
    }

    [Theory]
    [InlineData("a.crt", "b.key", "secret", "Endpoints:A:Certificate: the certificate {0}/a.crt cannot be used. ")]
    [InlineData("a.crt", "a.crt", null,
        "Endpoints:A:Certificate: the certificate {0}/a.crt cannot be used. There is no private key in {0}/a.crt.")]
    [InlineData("b.crt", "b.key", null,
        "Endpoints:A:Certificate: the certificate {0}/b.crt cannot be used. Its key is encrypted, and there is no password.")]
    [InlineData("b.crt", "b.key", "wrong", "Endpoints:A:Certificate: the certificate {0}/b.crt cannot be used. ")]
    [InlineData("b.pfx", "a.key", "secret",
        "Endpoints:A:Certificate: the certificate {0}/b.pfx cannot be used. It has its key in itself; KeyPath is for")]
    [InlineData("none", null, null, "Endpoints:A:Certificate: the file {0}/none cannot be read. ")]
    [InlineData("a.crt", "none", null, "Endpoints:A:Certificate: the file {0}/none cannot be read. ")]
    public async Task A_file_that_cannot_be_used_is_told_with_the_key(string path, string? keyPath, string? password, string message)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new()
        {
            ["Endpoints:A:Certificate:Path"] = In(path),
            ["Endpoints:A:Certificate:KeyPath"] = keyPath is null ? null : In(keyPath),
            ["Endpoints:A:Certificate:Password"] = password,
        }));

        Assert.StartsWith(message.Replace("{0}", _folder.FullName, StringComparison.Ordinal), error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_without_the_certificate_is_told()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(new()
        {
            ["Endpoints:A:Certificate:Subject"] = "nobody.invalid",
            ["Endpoints:A:Certificate:AllowInvalid"] = "true",
        }));

        Assert.Equal(
            "Endpoints:A:Certificate: the store CurrentUser/My has no certificate of 'nobody.invalid' for servers that has a private key.",
            error.Message);
    }

    [Fact]
    public void A_key_nobody_knows_is_told()
    {
        var options = new AsgiServerOptions();
        Configure(options, new()
        {
            ["Certificates:Default:Path"] = "a",
            ["Certificates:Default:Pasword"] = "b",
            ["Endpoints:A:Url"] = "https://127.0.0.1:0",
            ["Endpoints:A:Sni:a:Protokols"] = "Http1",
        });
        options.ConfigurationLoader!.Load();

        Assert.Equal(
            [new UnknownKey("Certificates:Default:Pasword", "Password"), new UnknownKey("Endpoints:A:Sni:a:Protokols", "Protocols")],
            options.Findings.UnknownKeys);
        Assert.Empty(options.Findings.Problems);
    }

    [Fact]
    public async Task Kestrels_section_is_read_where_there_is_no_other()
    {
        using var log = new LogSink();
        await using var app = ConfigurationTests.Build(
            new()
            {
                ["Kestrel:Certificates:Default:Path"] = In("a.crt"),
                ["Kestrel:Certificates:Default:KeyPath"] = In("a.key"),
                ["Kestrel:Endpoints:Web:Url"] = "https://127.0.0.1:0",
            },
            null,
            log);
        await app.StartAsync();

        await using var client = await TlsClient.ConnectAsync(Addresses.EndPointOf(app.Urls.Single()), "localhost");
        Assert.Equal(TestCertificates.Ecdsa.Thumbprint, client.Certificate!.Thumbprint);
    }

    [Fact]
    public async Task What_is_set_for_Kestrels_https_endpoints_is_honoured()
    {
        using var log = new LogSink();
        await using var app = ConfigurationTests.Build(
            new() { ["urls"] = "https://127.0.0.1:0" },
            builder =>
            {
                builder.WebHost.UseKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https =>
                {
                    https.ServerCertificate = TestCertificates.Rsa;
                    https.SslProtocols = SslProtocols.Tls12;
                }));
            },
            log);
        await app.StartAsync();

        await using var client = await TlsClient.ConnectAsync(Addresses.EndPointOf(app.Urls.Single()), "localhost");
        Assert.Equal((TestCertificates.Rsa.Thumbprint, SslProtocols.Tls12), (client.Certificate!.Thumbprint, client.Stream.SslProtocol));
        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Empty(app.Services.GetRequiredService<IOptions<AsgiServerOptions>>().Value.KestrelEndpoints);
    }

    [Fact]
    public async Task Paths_begin_at_the_apps_content_root()
    {
        using var log = new LogSink();
        var values = new Dictionary<string, string?>
        {
            ["AsgiServer:Endpoints:A:Url"] = "https://127.0.0.1:0",
            ["AsgiServer:Endpoints:A:Certificate:Path"] = "a.crt",
            ["AsgiServer:Endpoints:A:Certificate:KeyPath"] = "a.key",
        };
        await using var app = ConfigurationTests.Build(values, null, log);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync());

        Assert.Contains(Path.Combine(app.Environment.ContentRootPath, "a.crt"), error.Message, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private Dictionary<string, string?> Default() => new()
    {
        ["Certificates:Default:Path"] = In("a.crt"),
        ["Certificates:Default:KeyPath"] = In("a.key"),
    };

    private static Task<TlsBed> StartAsync(Dictionary<string, string?> values, Action<AsgiServerOptions>? configure = null)
    {
        values["Endpoints:A:Url"] = "https://127.0.0.1:0";
        return TlsBed.StartAsync(options =>
        {
            Configure(options, values);
            configure?.Invoke(options);
        });
    }

    private static void Configure(AsgiServerOptions options, Dictionary<string, string?> values) =>
        options.Configure(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
}
