// Where a server's certificate comes from, and what is read from there: a file, a store, or the application. Read on the host's threads,
// when the server starts, and on the pool's when a file has changed.
using System.Security.Cryptography.X509Certificates;

namespace Asgi.Server.Hosting;

/// <summary>A certificate with its key, and those that lead from it to a root.</summary>
internal sealed record ServerCertificate(X509Certificate2 Certificate, X509Certificate2Collection? Chain);

internal abstract record CertificateSource
{
    /// <param name="files">Reads files, and remembers them.</param>
    /// <exception cref="InvalidOperationException">There is none that can be used; the message says where and why.</exception>
    public abstract ServerCertificate Load(CertificateFiles files);
}

/// <summary>Given by the application.</summary>
internal sealed record GivenCertificate(X509Certificate2 Certificate, X509Certificate2Collection? Chain) : CertificateSource
{
    public override ServerCertificate Load(CertificateFiles files) => new(Certificate, Chain);
}

/// <summary>In a store of the system.</summary>
/// <param name="Place">Who asks: a key of the configuration, or a call.</param>
/// <param name="Subject">A part of its subject.</param>
/// <param name="Store">The store's name.</param>
/// <param name="Location">The user's, or the machine's.</param>
/// <param name="AllowInvalid">Whether one may be taken that the system does not trust.</param>
internal sealed record StoredCertificate(string Place, string Subject, string Store, StoreLocation Location, bool AllowInvalid)
    : CertificateSource
{
    public override ServerCertificate Load(CertificateFiles files)
    {
        using var store = new X509Store(Store, Location);
        try
        {
            store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
        }
        catch (Exception exception) when (exception is System.Security.Cryptography.CryptographicException or PlatformNotSupportedException)
        {
            throw NotFound(exception);
        }

        var found = store.Certificates
            .Find(X509FindType.FindBySubjectName, Subject, validOnly: !AllowInvalid)
            .Where(CertificateRules.IsForServers)
            .Where(certificate => certificate.HasPrivateKey)
            .MaxBy(certificate => certificate.NotAfter);
        return new ServerCertificate(found ?? throw NotFound(null), Chain: null);
    }

    private InvalidOperationException NotFound(Exception? exception) => new(
        $"{Place}: the store {Location}/{Store} has no certificate of '{Subject}' for servers that has a private key"
        + $"{(AllowInvalid ? "" : " and is valid")}.",
        exception);
}
