// A certificate in a file: PKCS #12 with its key, or PEM with the key in the same file or in another, encrypted or not. Read on the host's
// threads, when the server starts, and on the pool's when the file has changed.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Asgi.Server.Hosting;

/// <param name="Place">Who asks: a key of the configuration, or a call.</param>
/// <param name="Path">The certificate, with those that lead to a root.</param>
/// <param name="KeyPath">The key, where it is not in the same file.</param>
/// <param name="Password">What the key, or the whole file, is encrypted with.</param>
internal sealed record CertificateFile(string Place, string Path, string? KeyPath, string? Password) : CertificateSource
{
    private const string PemBegin = "-----BEGIN ";

    public override ServerCertificate Load(CertificateFiles files)
    {
        var content = Read(files, Path);
        var key = KeyPath is null ? null : Read(files, KeyPath);
        var pem = AsPem(content);
        try
        {
            return pem is not null
                ? FromPem(pem, key is null ? pem : Encoding.UTF8.GetString(key))
                : key is not null ? FromKey(content, Encoding.UTF8.GetString(key)) : FromPkcs12(content);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw CannotBeUsed(exception.Message, exception);
        }
    }

    private byte[] Read(CertificateFiles files, string path)
    {
        try
        {
            return files.Read(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(
                $"{Place}: the file {System.IO.Path.GetFullPath(path, files.Root)} cannot be read. {exception.Message}", exception);
        }
    }

    // What precedes the first block, as OpenSSL writes it for people, is no part of it.
    private static string? AsPem(byte[] content)
    {
        if (content.Length == 0 || content[0] == 0x30 || content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(PemBegin)) < 0)
        {
            return null;
        }

        return Encoding.UTF8.GetString(content);
    }

    private ServerCertificate FromPem(string pem, string key)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(pem);
        if (chain.Count == 0)
        {
            throw CannotBeUsed("There is no certificate in it.");
        }

        // The first is the server's own (RFC 8446, section 4.4.2).
        var certificate = WithKey(chain[0], key);
        chain[0].Dispose();
        chain.RemoveAt(0);
        return new ServerCertificate(certificate, chain);
    }

    private ServerCertificate FromKey(byte[] content, string key)
    {
        if (TypeOf(content) == X509ContentType.Pkcs12)
        {
            throw CannotBeUsed("It has its key in itself; KeyPath is for certificates in PEM or DER.");
        }

        using var alone = X509CertificateLoader.LoadCertificate(content);
        return new ServerCertificate(WithKey(alone, key), Chain: null);
    }

    private X509Certificate2 WithKey(X509Certificate2 certificate, string key)
    {
        if (!key.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            throw CannotBeUsed(KeyPath is null
                ? "There is no private key in it; KeyPath names the file that has it."
                : $"There is no private key in {KeyPath}.");
        }

        var isEncrypted = key.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal);
        if (isEncrypted && Password is null)
        {
            throw CannotBeUsed("Its key is encrypted, and there is no password.");
        }

        var pem = certificate.ExportCertificatePem();
        var own = isEncrypted
            ? X509Certificate2.CreateFromEncryptedPem(pem, key, Password)
            : X509Certificate2.CreateFromPem(pem, key);
        return OperatingSystem.IsWindows() ? Persist(own) : own;
    }

    // Windows' TLS does not take a key that is only in memory.
    private static X509Certificate2 Persist(X509Certificate2 certificate)
    {
        using (certificate)
        {
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
        }
    }

    private ServerCertificate FromPkcs12(byte[] content)
    {
        switch (TypeOf(content))
        {
            case X509ContentType.Pkcs12:
                break;
            case X509ContentType.Unknown:
                throw CannotBeUsed("It is no certificate, neither PKCS #12 nor PEM.");
            default:
                throw CannotBeUsed("It has no private key; KeyPath names the file that has it.");
        }

        var all = X509CertificateLoader.LoadPkcs12Collection(content, Password);
        var own = all.FirstOrDefault(certificate => certificate.HasPrivateKey)
            ?? throw CannotBeUsed("It has no private key.");
        all.Remove(own);
        return new ServerCertificate(own, all);
    }

    private static X509ContentType TypeOf(byte[] content)
    {
        try
        {
            return X509Certificate2.GetCertContentType(content);
        }
        catch (CryptographicException)
        {
            return X509ContentType.Unknown;
        }
    }

    private InvalidOperationException CannotBeUsed(string why, Exception? exception = null) =>
        new($"{Place}: the certificate {Path} cannot be used. {why}", exception);
}
