// The framework's options of a handshake, from Kestrel's shape of them. Made when the server starts and when a certificate has changed;
// the validation of clients' certificates runs where application code does, if there is any.
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Asgi.Server.Hosting;

internal static class TlsOptions
{
    /// <param name="context">The certificate.</param>
    /// <param name="options">What else there is to say.</param>
    /// <param name="protocols">The versions of HTTP to offer.</param>
    /// <param name="mode">Whether the client is asked for its certificate.</param>
    /// <param name="versions">The versions of TLS; None for the system's choice.</param>
    public static SslServerAuthenticationOptions Create(
        SslStreamCertificateContext? context,
        HttpsConnectionAdapterOptions options,
        HttpProtocols protocols,
        ClientCertificateMode mode,
        SslProtocols versions) => new()
    {
        ServerCertificateContext = context,
        ClientCertificateRequired = mode is ClientCertificateMode.AllowCertificate or ClientCertificateMode.RequireCertificate,
        EnabledSslProtocols = versions,
        CertificateRevocationCheckMode = options.CheckCertificateRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = Validation(mode, options.ClientCertificateValidation),
        ApplicationProtocols = ProtocolsOf(protocols),

        // HTTP/2 forbids it (RFC 9113, section 9.2.1), TLS 1.3 has none, and a client has no use for it.
        AllowRenegotiation = false,
    };

    /// <summary>What ALPN offers, the best first (RFC 7301, section 3.2).</summary>
    public static List<SslApplicationProtocol> ProtocolsOf(HttpProtocols protocols)
    {
        List<SslApplicationProtocol> offered = [];
        if (protocols.HasFlag(HttpProtocols.Http2))
        {
            offered.Add(SslApplicationProtocol.Http2);
        }

        if (protocols.HasFlag(HttpProtocols.Http1))
        {
            offered.Add(SslApplicationProtocol.Http11);
        }

        return offered;
    }

    /// <summary>A certificate with its chain, as handshakes need it.</summary>
    /// <exception cref="InvalidOperationException">A server cannot present it.</exception>
    public static SslStreamCertificateContext ContextOf(ServerCertificate certificate)
    {
        CertificateRules.Demand(certificate.Certificate);
        return SslStreamCertificateContext.Create(certificate.Certificate, certificate.Chain, offline: false);
    }

    private static RemoteCertificateValidationCallback? Validation(
        ClientCertificateMode mode, Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool>? validate)
    {
        if (mode == ClientCertificateMode.NoCertificate)
        {
            return null;
        }

        var mayBeMissing = mode != ClientCertificateMode.RequireCertificate;
        return (_, certificate, chain, errors) => certificate is null
            ? mayBeMissing
            : validate is null
                ? errors == SslPolicyErrors.None
                : validate(Own(certificate), chain, errors);
    }

    private static X509Certificate2 Own(X509Certificate certificate) =>
        certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
}
