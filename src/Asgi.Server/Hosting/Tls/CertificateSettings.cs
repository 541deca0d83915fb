// The keys of a certificate in the configuration. Read by HttpsSettings, on the host's threads.
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Hosting;

internal static class CertificateSettings
{
    private static readonly Setting<Keys>[] s_keys =
    [
        Text(nameof(Keys.Path), (keys, value) => keys.Path = value),
        Text(nameof(Keys.KeyPath), (keys, value) => keys.KeyPath = value),
        Text(nameof(Keys.Password), (keys, value) => keys.Password = value),
        Text(nameof(Keys.Subject), (keys, value) => keys.Subject = value),
        Text(nameof(Keys.Store), (keys, value) => keys.Store = value),
        Setting.Choice<Keys, StoreLocation>(
            nameof(Keys.Location), "CurrentUser or LocalMachine", (keys, value) => keys.Location = value),
        Setting.Flag<Keys>(nameof(Keys.AllowInvalid), (keys, value) => keys.AllowInvalid = value),
    ];

    /// <summary>Where the certificate is; null if the section does not say, which is told.</summary>
    public static CertificateSource? Read(IConfigurationSection section, ConfigurationFindings findings)
    {
        Setting.DemandSection(section, findings);
        var keys = new Keys();
        s_keys.Apply(section, keys, findings);
        switch (keys)
        {
            case { Path: not null, Subject: not null }:
                findings.Problems.Add($"{section.Path} has Path and Subject: a certificate is in a file or in a store.");
                return null;
            case { Path: { } path }:
                return new CertificateFile(section.Path, path, keys.KeyPath, keys.Password);
            case { Subject: { } subject }:
                return new StoredCertificate(section.Path, subject, keys.Store ?? nameof(StoreName.My), keys.Location, keys.AllowInvalid);
            default:
                findings.Problems.Add($"{section.Path} has neither Path nor Subject: it does not say where the certificate is.");
                return null;
        }
    }

    // Taken to the letter, for a password may begin with a blank. Null of JSON and an empty text say nothing, as if the key were not there.
    private static Setting<Keys> Text(string key, Action<Keys, string> set) => new(key, "a text", (keys, section, _) =>
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            set(keys, section.Value);
        }

        return section.Value is not null || !section.GetChildren().Any();
    });

    private sealed class Keys
    {
        public string? Path { get; set; }

        public string? KeyPath { get; set; }

        public string? Password { get; set; }

        public string? Subject { get; set; }

        public string? Store { get; set; }

        public StoreLocation Location { get; set; } = StoreLocation.CurrentUser;

        public bool AllowInvalid { get; set; }
    }
}
