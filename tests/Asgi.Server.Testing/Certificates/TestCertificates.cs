// Certificates for tests, made once a run: an authority, servers, a client. Nothing of them is kept but what a test writes to a folder of
// its own. Any thread.

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Asgi.Server.Testing.Certificates;

internal static class TestCertificates
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    // Wide: a machine's clock may be anywhere, and a certificate must outlive no run.
    private static readonly DateTimeOffset NotBefore = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset NotAfter = new(2060, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Lazy<X509Certificate2> LazyAuthority = new(() => MakeAuthority("CN=Asgi.Server tests"));
    private static readonly Lazy<X509Certificate2> LazyRsa = new(() => MakeServer(RSA.Create(2048)));
    private static readonly Lazy<X509Certificate2> LazyEcdsa = new(() => MakeServer(ECDsa.Create(ECCurve.NamedCurves.nistP256)));
    private static readonly Lazy<X509Certificate2> LazyClient = new(() => MakeClient("CN=test client,O=Asgi.Server"));

    /// <summary>Has issued all of them, and is trusted by nobody who is not told to.</summary>
    public static X509Certificate2 Authority => LazyAuthority.Value;

    /// <summary>For localhost, 127.0.0.1 and ::1, with an RSA key of 2048 bits.</summary>
    public static X509Certificate2 Rsa => LazyRsa.Value;

    /// <summary>For localhost, 127.0.0.1 and ::1, with a key on P-256.</summary>
    public static X509Certificate2 Ecdsa => LazyEcdsa.Value;

    /// <summary>A client's.</summary>
    public static X509Certificate2 Client => LazyClient.Value;

    /// <summary>Another server's, for these names besides the loopback's; a name may be a wildcard.</summary>
    public static X509Certificate2 ForNames(params string[] names) => MakeServer(ECDsa.Create(ECCurve.NamedCurves.nistP256), names);

    /// <summary>An authority of its own, with which chains can be made that nobody trusts.</summary>
    public static X509Certificate2 MakeAuthority(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return Own(request.CreateSelfSigned(NotBefore, NotAfter));
    }

    /// <summary>A server's certificate with a key of the caller's choice, an RSA or ECDSA one, which it then owns.</summary>
    public static X509Certificate2 MakeServer(AsymmetricAlgorithm key, params string[] names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Length == 0 ? ["localhost"] : names)
        {
            alternatives.AddDnsName(name);
        }

        alternatives.AddIpAddress(IPAddress.Loopback);
        alternatives.AddIpAddress(IPAddress.IPv6Loopback);
        return Issue($"CN={(names.Length == 0 ? "localhost" : names[0])}", key, Authority, ServerAuthentication, alternatives.Build());
    }

    /// <summary>A client's certificate, by the authority of the tests or another.</summary>
    public static X509Certificate2 MakeClient(string subject, X509Certificate2? authority = null) =>
        Issue(subject, ECDsa.Create(ECCurve.NamedCurves.nistP256), authority ?? Authority, ClientAuthentication);

    /// <summary>A certificate that is for neither servers nor clients.</summary>
    public static X509Certificate2 MakeForCodeSigning() =>
        Issue("CN=neither", ECDsa.Create(ECCurve.NamedCurves.nistP256), Authority, "1.3.6.1.5.5.7.3.3");

    /// <summary>Writes the certificate as PEM, and its key as PEM of PKCS #8, with a password if there is one.</summary>
    public static void WritePem(X509Certificate2 certificate, string certificatePath, string keyPath, string? password = null)
    {
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem() + "\n");
        using AsymmetricAlgorithm key = certificate.GetECDsaPrivateKey() ?? (AsymmetricAlgorithm)certificate.GetRSAPrivateKey()!;
        File.WriteAllText(keyPath, password is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(
                password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
    }

    /// <summary>Writes the certificate with its key as PKCS #12.</summary>
    public static void WritePfx(X509Certificate2 certificate, string path, string? password) =>
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pkcs12, password));

    /// <summary>Whether a certificate is the authority's work: what a client of a test trusts.</summary>
    public static bool IsOurs(X509Certificate? certificate)
    {
        if (certificate is null)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Authority);
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(copy);
    }

    private static X509Certificate2 Issue(
        string subject, AsymmetricAlgorithm key, X509Certificate2 authority, string usage, X509Extension? names = null)
    {
        var request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            key is RSA ? X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.DigitalSignature,
            critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        if (names is not null)
        {
            request.CertificateExtensions.Add(names);
        }

        using var authorityKey = authority.GetECDsaPrivateKey()!;
        var generator = X509SignatureGenerator.CreateForECDsa(authorityKey);
        using var issued = request.Create(
            authority.SubjectName, generator, NotBefore, NotAfter, RandomNumberGenerator.GetBytes(8));
        using var withKey = key is RSA rsaKey ? issued.CopyWithPrivateKey(rsaKey) : issued.CopyWithPrivateKey((ECDsa)key);
        key.Dispose();
        return Own(withKey);
    }

    // With a key that belongs to it: an ephemeral one is not taken everywhere, and does not survive the disposal of where it came from.
    private static X509Certificate2 Own(X509Certificate2 certificate)
    {
        using (certificate)
        {
            return X509CertificateLoader.LoadPkcs12(
                certificate.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
        }
    }
}
