// The certificate of endpoints with TLS, made when the first of them is: an authority of one's own, and what it has signed for the
// loopback. Called by AppServer and by clients that have to trust it.

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Asgi.Server.Clients.Tests;

internal static class ServedCertificate
{
    private static readonly DirectoryInfo Folder = CreateFolder();
    private static readonly X509Certificate2 Authority = Create();

    /// <summary>PEM, for --cacert and the like.</summary>
    public static string AuthorityFile => Path.Combine(Folder.FullName, "authority.pem");

    public static string CertificateFile => Path.Combine(Folder.FullName, "certificate.pem");

    public static string KeyFile => Path.Combine(Folder.FullName, "key.pem");

    /// <summary>Trusts this authority and no other.</summary>
    public static X509ChainPolicy ChainPolicy => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private static X509Certificate2 Create()
    {
        using var authorityKey = RSA.Create(2048);
        var asked = new CertificateRequest("CN=Tests", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        asked.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        asked.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        var authority = asked.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));

        using var key = RSA.Create(2048);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        asked = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        asked.CertificateExtensions.Add(names.Build());
        asked.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var certificate = asked.Create(
            authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(16));

        File.WriteAllText(AuthorityFile, authority.ExportCertificatePem());
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        return authority;
    }

    private static DirectoryInfo CreateFolder()
    {
        var folder = Directory.CreateTempSubdirectory("asgi-certificates-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        return folder;
    }
}
