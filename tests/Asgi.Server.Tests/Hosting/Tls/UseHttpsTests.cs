// Each form of UseHttps serves the certificate it names, and what cannot be served stops the start with a text that says why.

using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class UseHttpsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("asgi-tls-");

    private static X509Certificate2 Expected => TestCertificates.Ecdsa;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(null)]
    [InlineData("secret")]
    public async Task A_file_of_PKCS_12(string? password)
    {
        var path = PathOf("server.pfx");
        TestCertificates.WritePfx(Expected, path, password);

        await AssertServesAsync(listen => listen.UseHttps(path, password));
        if (password is null)
            await AssertServesAsync(listen => listen.UseHttps(path));
    }

    [Fact]
    public async Task A_file_and_more_options()
    {
        var path = PathOf("server.pfx");
        TestCertificates.WritePfx(Expected, path, "secret");
        var isConfigured = false;

        await AssertServesAsync(listen => listen.UseHttps(path, "secret", options => isConfigured = options.ServerCertificate is null));

        Assert.True(isConfigured);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("secret")]
    public async Task A_file_of_PEM_with_its_key(string? password)
    {
        TestCertificates.WritePem(Expected, PathOf("server.crt"), PathOf("server.key"), password);
        var path = PathOf("server.pem");
        await File.WriteAllTextAsync(
            path, $"{await File.ReadAllTextAsync(PathOf("server.key"))}\n{await File.ReadAllTextAsync(PathOf("server.crt"))}");

        await AssertServesAsync(listen => listen.UseHttps(path, password));
    }

    [Fact]
    public async Task A_certificate()
    {
        await AssertServesAsync(listen => listen.UseHttps(Expected));
        await AssertServesAsync(listen => listen.UseHttps(Expected, options => Assert.Same(Expected, options.ServerCertificate)));
    }

    [Fact]
    public async Task Options()
    {
        await AssertServesAsync(listen => listen.UseHttps(options => options.ServerCertificate = Expected));
        await AssertServesAsync(listen => listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = Expected }));
    }

    [Fact]
    public async Task A_callback_for_each_connection()
    {
        var state = new object();
        List<(string, object?)> seen = [];
        ValueTask<SslServerAuthenticationOptions> Choose(
            SslStream stream, SslClientHelloInfo hello, object? given, CancellationToken cancellationToken)
        {
            Assert.NotNull(stream);
            Assert.True(cancellationToken.CanBeCanceled);
            seen.Add((hello.ServerName, given));
            return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = Expected });
        }

        await AssertServesAsync(listen => listen.UseHttps(Choose, state));
        await AssertServesAsync(listen => listen.UseHttps(Choose, state, TimeSpan.FromSeconds(30)));

        Assert.Equal([("localhost", state), ("localhost", state)], seen);
    }

    [Fact]
    public async Task A_callback_with_the_connection()
    {
        TlsCallbackContext? seen = null;
        await AssertServesAsync(listen => listen.UseHttps(new TlsCallbackOptions
        {
            OnConnectionState = 7,
            OnConnection = async context =>
            {
                await Task.Yield();
                seen = context;
                return new SslServerAuthenticationOptions { ServerCertificate = Expected };
            },
        }));

        Assert.Equal((7, "localhost"), ((int)seen!.State!, seen.ClientHelloInfo.ServerName));
        Assert.NotEmpty(seen.Connection.ConnectionId);
        Assert.NotNull(seen.Connection.RemoteEndPoint);
        Assert.Same(seen.SslStream, seen.Connection.Features.Get<SslStream>());
        Assert.Throws<NotSupportedException>(() => seen.Connection.Transport);
    }

    [Fact]
    public async Task A_certificate_of_a_store()
    {
        // Under a name that nobody else has, in the store of whom the test runs as, and not longer than the test.
        var subject = $"asgi-{Guid.NewGuid():N}";
        using var certificate = TestCertificates.ForNames(subject);
        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser);
        store.Open(OpenFlags.ReadWrite);
        store.Add(certificate);
        try
        {
            await AssertServesAsync(listen => listen.UseHttps(StoreName.My, subject, allowInvalid: true), certificate);
            await AssertServesAsync(
                listen => listen.UseHttps(StoreName.My, subject, allowInvalid: true, StoreLocation.CurrentUser), certificate);
            await AssertServesAsync(
                listen => listen.UseHttps(StoreName.My, subject, true, StoreLocation.CurrentUser, options => Assert.NotNull(options)),
                certificate);
            await AssertRefusedAsync(
                listen => listen.UseHttps(StoreName.My, subject),
                $"UseHttps: the store CurrentUser/My has no certificate of '{subject}' for servers that has a private key and is valid.");
        }
        finally
        {
            store.Remove(certificate);
        }
    }

    [Fact]
    public async Task The_default_of_code()
    {
        await using var bed = await TlsBed.ListenAsync(
            listen => listen.UseHttps(), options => options.ConfigureHttpsDefaults(https => https.ServerCertificate = Expected));

        Assert.Equal(Expected.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task A_certificate_that_is_named_comes_before_the_default()
    {
        var path = PathOf("server.pfx");
        TestCertificates.WritePfx(Expected, path, null);

        await using var bed = await TlsBed.ListenAsync(
            listen => listen.UseHttps(path),
            options => options.ConfigureHttpsDefaults(https => https.ServerCertificate = TestCertificates.Rsa));

        Assert.Equal(Expected.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task A_selector_chooses_by_name_and_sees_the_connection()
    {
        string? id = null;
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(options =>
            options.ServerCertificateSelector = (connection, name) =>
            {
                id = connection!.ConnectionId;
                return name switch { "localhost" => Expected, "b" => TestCertificates.Rsa, _ => null };
            }));

        Assert.Equal(Expected.Thumbprint, await bed.ThumbprintAsync());
        Assert.Equal(TestCertificates.Rsa.Thumbprint, await bed.ThumbprintAsync("b"));
        Assert.True(await bed.RefusesAsync("c"));
        Assert.NotNull(id);
    }

    [Fact]
    public async Task A_certificate_that_is_chosen_again_keeps_its_sessions_on_the_same_endpoint_only()
    {
        var contexts = new List<SslStreamCertificateContext>();
        await using var bed = await TlsBed.StartAsync(options =>
        {
            for (var i = 0; i < 2; i++)
            {
                options.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
                {
                    https.ServerCertificateSelector = (_, _) => Expected;
                    https.OnAuthenticate = (_, tls) => contexts.Add(tls.ServerCertificateContext!);
                }));
            }
        });
        foreach (var address in bed.Server.GetAddresses().Addresses)
        {
            for (var i = 0; i < 2; i++)
            {
                await using var client = await TlsClient.ConnectAsync(Addresses.EndPointOf(address), "localhost");
            }
        }

        Assert.Same(contexts[0], contexts[1]);
        Assert.Same(contexts[2], contexts[3]);
        Assert.NotSame(contexts[0], contexts[2]);
    }

    [Fact]
    public async Task OnAuthenticate_changes_the_options_of_one_connection()
    {
        var calls = 0;
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(Expected, options =>
            options.OnAuthenticate = (connection, authentication) =>
            {
                Assert.NotNull(connection.ConnectionId);
                Assert.Equal(2, authentication.ApplicationProtocols!.Count);
                authentication.ApplicationProtocols.Clear();
                calls++;
            }));

        Assert.Equal(Expected.Thumbprint, await bed.ThumbprintAsync());
        Assert.Equal(Expected.Thumbprint, await bed.ThumbprintAsync());
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task Middleware_before_sees_the_bytes_of_TLS_and_middleware_behind_those_within()
    {
        List<string> seen = [];
        void Look(ListenOptions listen, string place) => listen.Use(next => async connection =>
        {
            var result = await connection.Transport.Input.ReadAsync();
            lock (seen)
            {
                seen.Add($"{place} {(char)result.Buffer.FirstSpan[0]}");
            }

            connection.Transport.Input.AdvanceTo(result.Buffer.Start);
            await next(connection);
        });

        await AssertServesAsync(listen =>
        {
            Look(listen, "before");
            listen.UseHttps(Expected);
            Look(listen, "behind");
        });

        Assert.Equal(["before \u0016", "behind G"], seen);
    }

    [Fact]
    public async Task The_addresses_say_https()
    {
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(Expected));

        Assert.StartsWith("https://127.0.0.1:", Assert.Single(bed.Server.GetAddresses().Addresses), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_https_address_has_the_default()
    {
        await using var bed = await TlsBed.StartAsync(
            options => options.ConfigureHttpsDefaults(https => https.ServerCertificate = Expected), "https://127.0.0.1:0");

        Assert.StartsWith("https://127.0.0.1:", Assert.Single(bed.Server.GetAddresses().Addresses), StringComparison.Ordinal);
        Assert.Equal(Expected.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task Defaults_that_have_TLS_make_an_http_address_https()
    {
        await using var bed = await TlsBed.StartAsync(
            options => options.ConfigureEndpointDefaults(listen => listen.UseHttps(Expected)), Addresses.Loopback, "https://[::1]:0");

        Assert.All(bed.Server.GetAddresses().Addresses, address => Assert.StartsWith("https://", address, StringComparison.Ordinal));
        Assert.Equal(Expected.Thumbprint, await bed.ThumbprintAsync());
    }

    [Fact]
    public async Task Without_a_certificate_the_start_says_how_to_get_one()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TlsBed.ListenAsync(listen => listen.UseHttps()));

        Assert.Contains("dotnet dev-certs https", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("Unable to configure HTTPS endpoint. No server certificate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_used_is_told_with_its_file()
    {
        TestCertificates.WritePem(Expected, PathOf("server.crt"), PathOf("server.key"));
        TestCertificates.WritePfx(Expected, PathOf("server.pfx"), "secret");
        await File.WriteAllTextAsync(PathOf("text"), "no certificate");

        await AssertRefusedAsync(
            listen => listen.UseHttps(PathOf("none.pfx")), $"UseHttps: the file {PathOf("none.pfx")} cannot be read. Could not find file");
        await AssertRefusedAsync(
            listen => listen.UseHttps(PathOf("server.pfx"), "wrong"), $"UseHttps: the certificate {PathOf("server.pfx")} cannot be used. ");
        await AssertRefusedAsync(
            listen => listen.UseHttps(PathOf("server.crt")),
            $"UseHttps: the certificate {PathOf("server.crt")} cannot be used. There is no private key in it; KeyPath names the file");
        await AssertRefusedAsync(
            listen => listen.UseHttps(PathOf("text")),
            $"UseHttps: the certificate {PathOf("text")} cannot be used. It is no certificate, neither PKCS #12 nor PEM.");
    }

    [Fact]
    public async Task A_certificate_without_its_key_is_refused()
    {
        using var alone = X509CertificateLoader.LoadCertificate(Expected.RawData);

        await AssertRefusedAsync(
            listen => listen.UseHttps(alone),
            $"The certificate {alone.Subject} ({alone.Thumbprint}) cannot be used by a server: it has no private");
    }

    [Fact]
    public async Task A_certificate_that_is_not_for_servers_is_refused()
    {
        using var other = TestCertificates.MakeForCodeSigning();

        await AssertRefusedAsync(
            listen => listen.UseHttps(other),
            "The certificate CN=neither (" + other.Thumbprint + ") cannot be used by a server: it has an extended key usage");
    }

    [Fact]
    public void What_is_missing_or_too_much_is_refused_at_once()
    {
        var options = new AsgiServerOptions();
        options.Listen(System.Net.IPAddress.Loopback, 81, listen =>
        {
            Assert.Throws<InvalidOperationException>(() => listen.UseHttps(new HttpsConnectionAdapterOptions()));
            Assert.Throws<ArgumentException>(() => listen.UseHttps(new TlsCallbackOptions()));
            Assert.Throws<ArgumentException>(() => listen.UseHttps(""));
            listen.UseHttps();
            var error = Assert.Throws<InvalidOperationException>(() => listen.UseHttps());
            Assert.Equal("https://127.0.0.1:81: UseHttps was called already; an endpoint has TLS once.", error.Message);
        });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TlsCallbackOptions { HandshakeTimeout = TimeSpan.Zero });
    }

    [Fact]
    public async Task A_certificate_without_alternative_names_is_told()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        using var certificate = new CertificateRequest("CN=localhost", key, System.Security.Cryptography.HashAlgorithmName.SHA256)
            .CreateSelfSigned(new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2060, 1, 1, 0, 0, 0, TimeSpan.Zero));

        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(certificate));

        var line = Assert.Single(bed.Log.Lines, line => line.Id.Id == 222);
        Assert.Equal((LogLevel.Information, "Asgi.Server"), (line.Level, line.Category));
        Assert.Contains("https://127.0.0.1:0", line.Message, StringComparison.Ordinal);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private static async Task AssertServesAsync(Action<ListenOptions> listen, X509Certificate2? certificate = null)
    {
        await using var bed = await TlsBed.ListenAsync(listen);

        Assert.Equal((certificate ?? Expected).Thumbprint, await bed.ThumbprintAsync());
        Assert.DoesNotContain(bed.Log.Lines, line => line.Level >= LogLevel.Warning);
    }

    private static async Task AssertRefusedAsync(Action<ListenOptions> listen, string message)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TlsBed.ListenAsync(listen));

        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }
}
