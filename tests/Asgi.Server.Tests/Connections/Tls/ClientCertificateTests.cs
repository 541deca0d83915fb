// Clients with certificates: asked for in the handshake or when a request needs one, judged by the endpoint, told to applications.

using System.Net.Security;
using System.Security.Authentication;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class ClientCertificateTests
{
    public static TheoryData<SslProtocols> Versions => [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_certificate_is_there_for_features_and_extension(SslProtocols version)
    {
        using var server = Serve(context => Task.FromResult(context.Connection.ClientCertificate?.Subject ?? "none"), Asking());
        using var client = TlsClient.Connect(server, options => options.ClientCertificates = [TestCertificates.Client], version);

        Assert.Contains("test client", Text(client), StringComparison.Ordinal);
        Assert.Contains("test client", Text(client), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_client_may_have_none(SslProtocols version)
    {
        using var server = Serve(context => Task.FromResult(context.Connection.ClientCertificate?.Subject ?? "none"), Asking());
        using var client = TlsClient.Connect(server, version: version);

        Assert.Contains("none", Text(client), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_certificate_that_is_not_taken_ends_the_connection(SslProtocols version)
    {
        var options = TlsBed.Options();
        options.ClientCertificateRequired = true;
        options.RemoteCertificateValidationCallback = ClientCertificates.Noting((_, _, _, _) => false);
        using var server = Serve(_ => throw new InvalidOperationException("It is never run."), options);

        // With TLS 1.3 the client hears of it only after its part of the handshake.
        Assert.ThrowsAny<Exception>(() =>
        {
            using var client = TlsClient.Connect(server, with => with.ClientCertificates = [TestCertificates.Client], version);
            if (client.ReadToEnd().Length == 0)
                throw new IOException("closed");
        });
        server.Run();
        Assert.Single(server.Log.Entries, entry => entry.Category == "Asgi.Server.Https" && entry.Id.Id == 134);
    }

    [Fact]
    public void Without_a_callback_only_a_certificate_without_error_is_taken()
    {
        var noting = ClientCertificates.Noting(judge: null);

        Assert.True(noting(new object(), TestCertificates.Client, null, SslPolicyErrors.None));
        Assert.False(noting(new object(), TestCertificates.Client, null, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Fact]
    public void The_extension_tells_all_of_it()
    {
        TlsExtension? seen = null;
        using var server = TlsBed.Serve(
            exchange =>
            {
                seen = exchange.Scope.Tls;
                return Apps.Path(exchange);
            },
            options: Asking(),
            runsApplicationCode: true);
        using var client = TlsClient.Connect(
            server, options => options.ClientCertificates = [TestCertificates.Client], SslProtocols.Tls13);
        client.Get(Apps.Get);

        Assert.Equal(0x0304, seen!.Version);
        Assert.InRange(seen.CipherSuite!.Value, 0x1301, 0x1305);
        Assert.Equal(TestCertificates.Ecdsa.ExportCertificatePem(), seen.ServerCertificate);
        Assert.Equal(TestCertificates.Client.ExportCertificatePem(), seen.ClientCertificateChain[0]);
        Assert.Equal(TestCertificates.Client.SubjectName.Name, seen.ClientCertificateName);

        // The authority is trusted by nobody here.
        Assert.Contains(nameof(SslPolicyErrors.RemoteCertificateChainErrors), seen.ClientCertificateError, StringComparison.Ordinal);
    }

    [Fact]
    public void The_extension_says_so_when_there_is_no_certificate()
    {
        TlsExtension? seen = null;
        using var server = TlsBed.Serve(exchange =>
        {
            seen = exchange.Scope.Tls;
            Assert.Same(seen, exchange.Scope.Tls);
            Assert.Equal("https", exchange.Scope.Scheme);
            return Apps.Path(exchange);
        });
        using var client = TlsClient.Connect(server, version: SslProtocols.Tls12);
        client.Get(Apps.Get);

        Assert.Equal(0x0303, seen!.Version);
        Assert.Empty(seen.ClientCertificateChain);
        Assert.Null(seen.ClientCertificateName);
        Assert.Null(seen.ClientCertificateError);
    }

    [Fact]
    public void Without_TLS_there_is_no_extension()
    {
        using var server = new SimulatedServer(exchange =>
        {
            Assert.Null(exchange.Scope.Tls);
            Assert.Equal("http", exchange.Scope.Scheme);
            return Apps.Path(exchange);
        });

        Assert.EndsWith("/", server.Connect(Apps.Get).Received, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_request_may_ask_for_the_certificate_later(SslProtocols version)
    {
        using var server = Serve(
            async context =>
            {
                Assert.Null(context.Connection.ClientCertificate);
                var certificate = await context.Connection.GetClientCertificateAsync();
                Assert.Same(certificate, context.Connection.ClientCertificate);
                Assert.Same(certificate, await context.Connection.GetClientCertificateAsync());
                return certificate?.Subject ?? "none";
            },
            Judging(),
            allowsDelayed: true);
        using var client = TlsClient.Connect(
            server,
            options =>
            {
                options.ClientCertificates = [TestCertificates.Client];
                options.AllowRenegotiation = true;
            },
            version,
            spins: true);
        client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.Contains("test client", client.ReadToEnd(), StringComparison.Ordinal);
        client.Raw.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Where_it_is_not_allowed_nobody_is_asked()
    {
        using var server = Serve(
            async context =>
            {
                Assert.Null(await context.Connection.GetClientCertificateAsync());
                return "none";
            },
            Judging());
        using var client = TlsClient.Connect(server, options => options.ClientCertificates = [TestCertificates.Client]);

        Assert.Contains("none", Text(client), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_sends_content_instead_of_a_certificate_loses_its_connection()
    {
        Exception? failure = null;
        using var server = Serve(
            async context =>
            {
                failure = await Record.ExceptionAsync(() => context.Connection.GetClientCertificateAsync());
                return "no";
            },
            Judging(),
            allowsDelayed: true);
        using var client = TlsClient.Connect(server, version: SslProtocols.Tls12);
        client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
        server.Run();
        client.Send("0123456789");
        server.RunUntil(() => failure is not null);

        Assert.IsType<InvalidOperationException>(failure);
        server.AbortAll();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_application_may_stop_to_wait_for_an_answer()
    {
        Exception? failure = null;
        using var patience = new CancellationTokenSource();
        using var server = Serve(
            async context =>
            {
                failure = await Record.ExceptionAsync(() => context.Connection.GetClientCertificateAsync(patience.Token));
                return "";
            },
            Judging(),
            allowsDelayed: true);
        using var client = TlsClient.Connect(server, version: SslProtocols.Tls12);
        client.Send(Apps.Get);
        server.Run();
        Assert.Null(failure);
        patience.Cancel();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.IsAssignableFrom<OperationCanceledException>(failure);
        server.DemandNothingLeft();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_client_that_leaves_instead_of_answering_fails_the_question(SslProtocols version)
    {
        Exception? failure = null;
        using var server = Serve(
            async context =>
            {
                failure = await Record.ExceptionAsync(() => context.Connection.GetClientCertificateAsync());
                return "";
            },
            Judging(),
            allowsDelayed: true);
        using var client = TlsClient.Connect(server, options => options.ClientCertificates = [TestCertificates.Client], version);
        client.Send(Apps.Get);
        server.Run();
        Assert.Null(failure);
        client.Raw.Reset();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.NotNull(failure);
        server.DemandNothingLeft();
    }

    [Fact]
    public void All_features_of_TLS_are_there()
    {
        var checkedFeatures = false;
        using var server = Serve(
            context =>
            {
                var features = context.Features;
                var handshake = features.Get<ITlsHandshakeFeature>()!;
                Assert.Equal(SslProtocols.Tls13, handshake.Protocol);
                Assert.NotNull(handshake.NegotiatedCipherSuite);
                var stream = features.Get<SslStream>()!;
                Assert.Same(stream, features.Get<ISslStreamFeature>()!.SslStream);
                Assert.True(stream.IsAuthenticated);
                Assert.Equal("http/1.1"u8.ToArray(), features.Get<ITlsApplicationProtocolFeature>()!.ApplicationProtocol.ToArray());
                Assert.Null(features.Get<ITlsConnectionFeature>()!.ClientCertificate);
                Assert.Same(features.Get<ITlsConnectionFeature>(), features[typeof(ITlsConnectionFeature)]);
                Assert.True(context.Request.IsHttps);
                checkedFeatures = true;
                return Task.FromResult("");
            },
            Alpn());
        using var client = TlsClient.Connect(
            server, options => options.ApplicationProtocols = [SslApplicationProtocol.Http11], SslProtocols.Tls13);
        Text(client);

        Assert.True(checkedFeatures);
    }

    [Fact]
    public void Without_TLS_there_is_none_of_them()
    {
        var hasRun = false;
        using var server = HostedDelegate.Serve(context =>
        {
            Assert.Null(context.Features.Get<ITlsConnectionFeature>());
            Assert.Null(context.Features.Get<ITlsHandshakeFeature>());
            Assert.Null(context.Features.Get<SslStream>());
            Assert.Null(context.Connection.ClientCertificate);
            hasRun = true;
            return Task.CompletedTask;
        });
        server.Connect(Apps.Get);

        Assert.True(hasRun);
    }

    private static string Text(TlsClient client) => client.Get(Apps.Get).Content;

    private static SslServerAuthenticationOptions Alpn()
    {
        var options = TlsBed.Options();
        options.ApplicationProtocols = [SslApplicationProtocol.Http11];
        return options;
    }

    private static SslServerAuthenticationOptions Judging()
    {
        var options = TlsBed.Options();
        options.RemoteCertificateValidationCallback = ClientCertificates.Noting(
            (_, certificate, _, _) => certificate is null || TestCertificates.IsOurs(certificate));
        return options;
    }

    private static SslServerAuthenticationOptions Asking()
    {
        var options = Judging();
        options.ClientCertificateRequired = true;
        return options;
    }

    private static SimulatedServer Serve(
        Func<HttpContext, Task<string>> run, SslServerAuthenticationOptions options, bool allowsDelayed = false) =>
        HostedDelegate.Serve(
            async context =>
            {
                var text = await run(context);
                context.Response.ContentLength = text.Length;
                await context.Response.WriteAsync(text);
            },
            before: http =>
            {
                var rules = TlsBed.Rules(http, options, runsApplicationCode: true, allowsDelayed);
                return connection => new TlsDriver(connection, rules);
            });
}
