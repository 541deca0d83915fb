// The tls extension of a scope: what ASGI tells an application of the connection's TLS. Made when it is asked for; any thread.
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace Asgi;

/// <summary>
/// The ASGI <c>tls</c> extension (version 0.2): the certificates, version and cipher suite of the connection a request came on.
/// </summary>
public sealed class TlsExtension
{
    private readonly ITlsInfo _info;

    internal TlsExtension(ITlsInfo info) => _info = info;

    /// <summary>ASGI's <c>server_cert</c>: the certificate presented to the client, in PEM; null when it is unknown.</summary>
    public string? ServerCertificate => field ??= _info.ServerCertificate?.ExportCertificatePem();

    /// <summary>
    /// ASGI's <c>client_cert_chain</c>: the client's certificate and those that lead from it to its root, in PEM; empty when the client has
    /// presented none.
    /// </summary>
    public IReadOnlyList<string> ClientCertificateChain => field ??= GetChain();

    /// <summary>
    /// ASGI's <c>client_cert_name</c>: the subject of the client's certificate as RFC 4514 writes it; null without a certificate.
    /// </summary>
    public string? ClientCertificateName => _info.ClientCertificate?.SubjectName.Name;

    /// <summary>
    /// ASGI's <c>client_cert_error</c>: what was wrong with the certificate, which the endpoint has taken all the same; null when
    /// nothing was, or there is no certificate.
    /// </summary>
    public string? ClientCertificateError => _info.ClientCertificate is null || _info.ClientCertificateErrors == SslPolicyErrors.None
        ? null
        : _info.ClientCertificateErrors.ToString();

    /// <summary>ASGI's <c>tls_version</c>: the number of the version agreed on, <c>0x0304</c> for TLS 1.3; null when unknown.</summary>
    public int? Version => _info.Protocol switch
    {
        SslProtocols.Tls13 => 0x0304,
        SslProtocols.Tls12 => 0x0303,
#pragma warning disable CA5397, SYSLIB0039 // What was agreed on is told, whatever one may think of it.
        SslProtocols.Tls11 => 0x0302,
        SslProtocols.Tls => 0x0301,
#pragma warning restore CA5397, SYSLIB0039
        _ => null,
    };

    /// <summary>ASGI's <c>cipher_suite</c>: the number of the suite agreed on, as IANA registers it; null when it is unknown.</summary>
    public int? CipherSuite => (int?)_info.CipherSuite;

    private string[] GetChain()
    {
        if (_info.ClientCertificate is not { } certificate)
        {
            return [];
        }

        return _info.ClientCertificateChain.Count == 0
            ? [certificate.ExportCertificatePem()]
            : [.. _info.ClientCertificateChain.Select(static der => PemEncoding.WriteString("CERTIFICATE", der))];
    }
}
