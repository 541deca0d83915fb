// The certificate of endpoints with TLS as files, written when the first of them is made and deleted with the process. Called by AppServer
// and by clients that have to trust it.

using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Testing.Certificates;

namespace Asgi.Server.Clients.Tests;

internal static class ServedCertificate
{
    private static readonly DirectoryInfo Folder = Write();

    /// <summary>PEM, for --cacert and the like.</summary>
    public static string AuthorityFile => Path.Combine(Folder.FullName, "authority.pem");

    public static string CertificateFile => Path.Combine(Folder.FullName, "certificate.pem");

    public static string KeyFile => Path.Combine(Folder.FullName, "key.pem");

    /// <summary>Trusts the tests' authority and no other.</summary>
    public static X509ChainPolicy ChainPolicy => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { TestCertificates.Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private static DirectoryInfo Write()
    {
        var folder = Directory.CreateTempSubdirectory("asgi-certificates-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        File.WriteAllText(Path.Combine(folder.FullName, "authority.pem"), TestCertificates.Authority.ExportCertificatePem() + "\n");
        TestCertificates.WritePem(
            TestCertificates.Rsa, Path.Combine(folder.FullName, "certificate.pem"), Path.Combine(folder.FullName, "key.pem"));
        return folder;
    }
}
