// What a certificate must be that a server presents. Used when certificates are loaded, on the host's threads or the pool's.
using System.Security.Cryptography.X509Certificates;

namespace Asgi.Server.Hosting;

internal static class CertificateRules
{
    /// <summary>id-kp-serverAuth (RFC 5280, section 4.2.1.12).</summary>
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>id-ce-subjectAltName (RFC 5280, section 4.2.1.6).</summary>
    private const string SubjectAlternativeName = "2.5.29.17";

    /// <summary>Whether its extended key usage allows servers, or it has none.</summary>
    public static bool IsForServers(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray();
        return usages.Length == 0
            || usages.Any(usage => usage.EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>()
                .Any(oid => oid.Value == ServerAuthentication));
    }

    /// <summary>Whether it says names as browsers read them.</summary>
    public static bool HasAlternativeName(X509Certificate2 certificate) =>
        certificate.Extensions.Any(extension => extension.Oid?.Value == SubjectAlternativeName);

    /// <exception cref="InvalidOperationException">A server cannot present it.</exception>
    public static void Demand(X509Certificate2 certificate)
    {
        if (!IsForServers(certificate))
        {
            throw new InvalidOperationException(
                $"The certificate {Show(certificate)} cannot be used by a server: it has an extended key usage without server "
                + $"authentication (OID {ServerAuthentication}).");
        }

        if (!certificate.HasPrivateKey)
        {
            throw new InvalidOperationException($"The certificate {Show(certificate)} cannot be used by a server: it has no private key.");
        }
    }

    /// <summary>How one is named in the log.</summary>
    public static string Show(X509Certificate2 certificate) => $"{certificate.Subject} ({certificate.Thumbprint})";
}
