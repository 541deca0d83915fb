// Whether clients are asked for a certificate, and which are taken.

using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Asgi.Server.Tests.Hosting.Tls;

public sealed class ClientCertificateTests
{
    [Theory]
    [InlineData(ClientCertificateMode.NoCertificate, false, false)]
    [InlineData(ClientCertificateMode.AllowCertificate, false, false)]
    [InlineData(ClientCertificateMode.RequireCertificate, false, true)]
    [InlineData(ClientCertificateMode.DelayCertificate, false, false)]
    [InlineData(ClientCertificateMode.NoCertificate, true, false)]

    // By an authority that this machine does not know.
    [InlineData(ClientCertificateMode.AllowCertificate, true, true)]
    [InlineData(ClientCertificateMode.RequireCertificate, true, true)]
    public async Task A_client_is_refused(ClientCertificateMode mode, bool hasCertificate, bool isRefused)
    {
        await using var bed = await TlsBed.ListenAsync(
            listen => listen.UseHttps(TestCertificates.Ecdsa, options => options.ClientCertificateMode = mode));

        Assert.Equal(isRefused, await RefusesAsync(bed, hasCertificate ? TestCertificates.Client : null));
    }

    [Theory]
    [InlineData(ClientCertificateMode.AllowCertificate)]
    [InlineData(ClientCertificateMode.RequireCertificate)]
    public async Task A_validation_of_code_decides(ClientCertificateMode mode)
    {
        using var other = TestCertificates.MakeClient("CN=other");
        var seen = new List<string>();
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(TestCertificates.Ecdsa, options =>
        {
            options.ClientCertificateMode = mode;
            options.ClientCertificateValidation = (certificate, chain, errors) =>
            {
                Assert.NotNull(chain);
                seen.Add($"{certificate.Subject} {errors != System.Net.Security.SslPolicyErrors.None}");
                return certificate.Thumbprint == TestCertificates.Client.Thumbprint;
            };
        }));

        Assert.False(await RefusesAsync(bed, TestCertificates.Client));
        Assert.True(await RefusesAsync(bed, other));
        Assert.Equal(mode == ClientCertificateMode.RequireCertificate, await RefusesAsync(bed, null));
        Assert.Equal(["CN=test client, O=Asgi.Server True", "CN=other True"], seen.Distinct());
    }

    [Fact]
    public async Task Any_may_be_taken()
    {
        await using var bed = await TlsBed.ListenAsync(listen => listen.UseHttps(TestCertificates.Ecdsa, options =>
        {
            options.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            options.AllowAnyClientCertificate();
        }));

        Assert.False(await RefusesAsync(bed, TestCertificates.Client));
        Assert.True(await RefusesAsync(bed, null));
    }

    [Fact]
    public async Task The_default_of_all_endpoints_holds_for_one_of_an_address()
    {
        await using var bed = await TlsBed.StartAsync(
            options => options.ConfigureHttpsDefaults(https =>
            {
                https.ServerCertificate = TestCertificates.Ecdsa;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            }),
            "https://127.0.0.1:0");

        Assert.True(await RefusesAsync(bed, null));
    }

    private static Task<bool> RefusesAsync(TlsBed bed, X509Certificate2? certificate) =>
        bed.RefusesAsync(configure: options =>
        {
            // Chosen whatever authorities the server names: it names none of the tests'.
            options.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!;
        });
}
