// Whether clients are asked for a certificate, and which are taken.

using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Connections;
using Asgi.Server.Hosting;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

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

    [Theory]
    [InlineData(ClientCertificateMode.NoCertificate, false)]
    [InlineData(ClientCertificateMode.DelayCertificate, false)]
    [InlineData(ClientCertificateMode.AllowCertificate, true)]
    [InlineData(ClientCertificateMode.RequireCertificate, true)]
    public void Where_a_certificate_is_judged_the_handshake_is_not_on_the_loop(ClientCertificateMode mode, bool isElsewhere)
    {
        // The chain of a stranger's certificate may have to be fetched from where it says.
        var listen = new ListenOptions(new IPEndPoint(IPAddress.Loopback, 0), new AsgiServerOptions());
        listen.UseHttps(TestCertificates.Ecdsa, options => options.ClientCertificateMode = mode);
        var plan = listen.Https!.Build(listen.CreateTlsContext(new TlsLog(NullLogger.Instance)));

        Assert.Equal(isElsewhere, plan.Rules.RunsApplicationCode);
    }

    [Theory]
    [InlineData("options")]
    [InlineData("OnAuthenticate")]
    [InlineData("callback")]
    public async Task The_extension_says_what_was_wrong_with_a_certificate_that_was_taken(string where)
    {
        await using var bed = await TlsBed.ListenAsync(listen => UseHttps(listen, where));
        bed.Answer = exchange =>
            $"{exchange.Scope.Tls!.ClientCertificateError} {exchange.Scope.Tls.ClientCertificateChain.Count}";

        await using var client = await bed.ConnectAsync(configure: With(TestCertificates.Client));

        Assert.Equal("RemoteCertificateChainErrors 1", await client.GetAsync());
    }

    [Fact]
    public void Options_that_the_application_keeps_are_not_wrapped_again_and_again()
    {
        var kept = new SslServerAuthenticationOptions { RemoteCertificateValidationCallback = Take };
        ClientCertificates.Note(kept);
        var once = kept.RemoteCertificateValidationCallback;
        ClientCertificates.Note(kept);

        Assert.NotEqual(Take, once);
        Assert.Equal(once, kept.RemoteCertificateValidationCallback);
    }

    [Fact]
    public void Options_that_ask_no_client_stay_as_they_are()
    {
        var options = new SslServerAuthenticationOptions();
        ClientCertificates.Note(options);

        Assert.Null(options.RemoteCertificateValidationCallback);
    }

    private static bool Take(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate is not null;

    private static void UseHttps(ListenOptions listen, string where)
    {
        switch (where)
        {
            case "callback":
                var kept = new SslServerAuthenticationOptions
                {
                    ServerCertificate = TestCertificates.Ecdsa,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = Take,
                };
                listen.UseHttps((_, _, _, _) => ValueTask.FromResult(kept), state: new object());
                break;
            case "OnAuthenticate":
                listen.UseHttps(TestCertificates.Ecdsa, options => options.OnAuthenticate = (_, tls) =>
                {
                    tls.ClientCertificateRequired = true;
                    tls.RemoteCertificateValidationCallback = Take;
                });
                break;
            default:
                listen.UseHttps(TestCertificates.Ecdsa, options =>
                {
                    options.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                    options.AllowAnyClientCertificate();
                });
                break;
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, ClientCertificateMode.DelayCertificate, "CN=test client, O=Asgi.Server")]
    [InlineData(SslProtocols.Tls13, ClientCertificateMode.DelayCertificate, "CN=test client, O=Asgi.Server")]
    [InlineData(SslProtocols.Tls13, ClientCertificateMode.NoCertificate, "none")]
    public async Task A_request_of_an_ASPNET_app_may_ask_later(SslProtocols version, ClientCertificateMode mode, string expected)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseAsgiServer(options => options.Listen(IPAddress.Loopback, 0, listen =>
            listen.UseHttps(TestCertificates.Ecdsa, https =>
            {
                https.ClientCertificateMode = mode;
                https.AllowAnyClientCertificate();
            })));
        await using var app = builder.Build();
        app.Run(async context =>
        {
            Assert.Null(context.Connection.ClientCertificate);
            var text = (await context.Connection.GetClientCertificateAsync())?.Subject ?? "none";
            context.Response.ContentLength = text.Length;
            await context.Response.WriteAsync(text);
        });
        await app.StartAsync();
        var configure = With(TestCertificates.Client);
        await using var client = await TlsClient.ConnectAsync(Addresses.EndPointOf(app.Urls.Single()), "localhost", options =>
        {
            configure(options);
            options.EnabledSslProtocols = version;
        });

        Assert.Equal(expected, await client.GetAsync());
        await app.StopAsync();
    }

    private static Action<SslClientAuthenticationOptions> With(X509Certificate2 certificate) => options =>
    {
        options.ClientCertificates = [certificate];
        options.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
    };

    private static Task<bool> RefusesAsync(TlsBed bed, X509Certificate2? certificate) =>
        bed.RefusesAsync(configure: options =>
        {
            // Chosen whatever authorities the server names: it names none of the tests'.
            options.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!;
        });
}
