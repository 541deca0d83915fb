// The certificate of `dotnet dev-certs`, which is taken where nobody has named one: in a file that tools have exported for containers, or
// in the user's store. Looked for when a server starts, on the host's thread.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Asgi.Server.Hosting;

/// <param name="Password">Of the exported file; null where there is none.</param>
/// <param name="ApplicationName">Its name.</param>
/// <param name="Log">Is told of a file that cannot be used.</param>
internal sealed record DevelopmentCertificate(string? Password, string? ApplicationName, TlsLog Log) : CertificateSource
{
    /// <summary>The extension that marks it.</summary>
    public const string Mark = "1.3.6.1.4.1.311.84.1.1";

    /// <summary>Where certificates are, and what time it is; others for tests.</summary>
    public CertificatePlaces Places { get; init; } = CertificatePlaces.System;

    public override ServerCertificate Load(CertificateFiles files) => FromFile(files) ?? FromStore()
        ?? throw new InvalidOperationException(
        "Unable to configure HTTPS endpoint. No server certificate was specified, and the default developer certificate could not be "
        + "found or is out of date. To generate a developer certificate run 'dotnet dev-certs https'. To trust the certificate "
        + "(Windows and macOS only) run 'dotnet dev-certs https --trust'. For more information on configuring HTTPS see "
        + "https://go.microsoft.com/fwlink/?linkid=848054.");

    private ServerCertificate? FromFile(CertificateFiles files)
    {
        if (Password is null || string.IsNullOrEmpty(ApplicationName) || Places.ExportFolder() is not { } folder)
        {
            return null;
        }

        var path = Path.Combine(folder, $"{ApplicationName}.pfx");
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var loaded = new CertificateFile("Certificates:Development", path, KeyPath: null, Password).Load(files);
            if (IsMarked(loaded.Certificate))
            {
                return loaded;
            }

            Log.DevelopmentFileUnusable(path, "It is not made by 'dotnet dev-certs'.");
        }
        catch (InvalidOperationException exception)
        {
            Log.DevelopmentFileUnusable(path, exception.Message);
        }

        return null;
    }

    private ServerCertificate? FromStore()
    {
        X509Certificate2Collection mine;
        try
        {
            mine = Places.MyCertificates();
        }
        catch (CryptographicException)
        {
            // A user without a store has none in it.
            return null;
        }

        var now = Places.Time.GetLocalNow();
        var best = mine
            .Where(certificate => IsMarked(certificate) && certificate.HasPrivateKey)
            .Where(certificate => certificate.NotBefore <= now && now <= certificate.NotAfter)
            .OrderByDescending(Version)
            .ThenByDescending(certificate => certificate.NotAfter)
            .FirstOrDefault();
        return best is null ? null : new ServerCertificate(best, Chain: null);
    }

    private static bool IsMarked(X509Certificate2 certificate) =>
        certificate.Extensions.Any(extension => extension.Oid?.Value == Mark);

    // One byte; the first versions had a text in its place.
    private static int Version(X509Certificate2 certificate) =>
        certificate.Extensions.First(extension => extension.Oid?.Value == Mark).RawData is [var version] ? version : 0;
}

/// <summary>Where a user's certificates are.</summary>
/// <param name="ExportFolder">The folder of exported development certificates; null where there is none.</param>
/// <param name="MyCertificates">The user's store.</param>
/// <param name="Time">Whether they are valid.</param>
internal sealed record CertificatePlaces(Func<string?> ExportFolder, Func<X509Certificate2Collection> MyCertificates, TimeProvider Time)
{
    public static CertificatePlaces System { get; } = new(FindExportFolder, ReadMyStore, TimeProvider.System);

    // Where `dotnet dev-certs` and the tools for containers put it.
    private static string? FindExportFolder() =>
        Environment.GetEnvironmentVariable("APPDATA") is { Length: > 0 } data ? Path.Combine(data, "ASP.NET", "https")
        : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".aspnet", "https")
        : null;

    private static X509Certificate2Collection ReadMyStore()
    {
        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser);
        store.Open(OpenFlags.ReadOnly);
        return store.Certificates;
    }
}
