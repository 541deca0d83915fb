// The keys of the configuration that are about TLS: of https endpoints, of their names (Sni), of defaults, and the section Certificates.
// Read by the configuration loader, on the host's threads.
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;

namespace Asgi.Server.Hosting;

/// <summary>The section Certificates.</summary>
/// <param name="Default">Of endpoints that name none; null where there is none.</param>
/// <param name="DevelopmentPassword">Of the development certificate's file; null where there is none.</param>
/// <param name="Text">The section's text, to tell whether it has changed.</param>
internal sealed record ConfiguredCertificates(CertificateSource? Default, string? DevelopmentPassword, ConfigurationText Text)
{
    public static ConfiguredCertificates None { get; } = new(null, null, ConfigurationText.Empty);
}

internal static class HttpsSettings
{
    public const string CertificatesKey = "Certificates";
    private const string CertificateKey = "Certificate";
    private const string SniKey = "Sni";
    private const string DefaultKey = "Default";
    private const string DevelopmentKey = "Development";

    private const string Protocols = "Http1, Http2 or Http1AndHttp2";
    private const string Versions = "versions of TLS such as Tls12 and Tls13: a list, or one text with commas";
    private const string Modes = "NoCertificate, AllowCertificate, RequireCertificate or DelayCertificate";

    /// <summary>The keys of an endpoint that are for https only.</summary>
    public static readonly string[] EndpointKeys =
        [CertificateKey, SniKey, nameof(SniRule.SslProtocols), nameof(SniRule.ClientCertificateMode)];

    private static readonly Setting<HttpsConnectionAdapterOptions>[] s_endpoint =
    [
        TlsVersions<HttpsConnectionAdapterOptions>((options, value) => options.SslProtocols = value),
        Setting.Choice<HttpsConnectionAdapterOptions, ClientCertificateMode>(
            nameof(HttpsConnectionAdapterOptions.ClientCertificateMode), Modes, (options, value) => options.ClientCertificateMode = value),
    ];

    private static readonly Setting<SniRule>[] s_name =
    [
        TlsVersions<SniRule>((rule, value) => rule.SslProtocols = value),
        Setting.Choice<SniRule, ClientCertificateMode>(
            nameof(SniRule.ClientCertificateMode), Modes, (rule, value) => rule.ClientCertificateMode = value),
        Setting.Choice<SniRule, HttpProtocols>(nameof(SniRule.Protocols), Protocols, SetProtocols),
        new(CertificateKey, "a section with Path or Subject", static (rule, section, findings) =>
        {
            rule.Certificate = CertificateSettings.Read(section, findings);
            return true;
        }),
    ];

    /// <summary>What a section says that is an endpoint's, or EndpointDefaults.</summary>
    public static void Apply(IConfiguration section, HttpsConnectionAdapterOptions options, ConfigurationFindings findings) =>
        s_endpoint.ApplyKnown(section, options, findings);

    /// <summary>An endpoint that names its certificate does not have that of the defaults, as with Kestrel.</summary>
    public static void TakeCertificate(IConfiguration section, HttpsConnectionAdapterOptions options)
    {
        if (section.GetSection(CertificateKey).Exists())
        {
            options.ServerCertificate = null;
            options.ServerCertificateChain = null;
        }
    }

    /// <summary>The certificate and the names of an https endpoint.</summary>
    /// <param name="section">The endpoint's.</param>
    /// <param name="options">Its options, with what the section says of them.</param>
    /// <param name="findings">What is told.</param>
    public static HttpsSetup Read(IConfiguration section, HttpsConnectionAdapterOptions options, ConfigurationFindings findings)
    {
        var certificate = section.GetSection(CertificateKey);
        return new HttpsOptionsSetup(
            () => options,
            certificate.Exists() ? CertificateSettings.Read(certificate, findings) : null,
            ReadNames(section.GetSection(SniKey), findings));
    }

    /// <summary>The section Certificates of a configuration.</summary>
    public static ConfiguredCertificates ReadCertificates(IConfiguration configuration, ConfigurationFindings findings)
    {
        var section = configuration.GetSection(CertificatesKey);
        Setting.DemandSection(section, findings);
        CertificateSource? byDefault = null;
        string? password = null;
        foreach (var child in section.GetChildren())
        {
            if (Setting.IsKey(child, DevelopmentKey))
            {
                password = child["Password"];
                continue;
            }

            // Others have no meaning of their own; they may be referred to by the app.
            var source = CertificateSettings.Read(child, findings);
            if (Setting.IsKey(child, DefaultKey))
            {
                byDefault = source;
            }
        }

        return new ConfiguredCertificates(byDefault, password, ConfigurationText.Read(section));
    }

    private static List<SniRule> ReadNames(IConfigurationSection section, ConfigurationFindings findings)
    {
        Setting.DemandSection(section, findings);
        List<SniRule> rules = [];
        foreach (var child in section.GetChildren())
        {
            if (!SniTable<SniRule>.IsName(child.Key))
            {
                findings.Problems.Add($"{child.Path} must have a server's name for a key, *.name for all that end so, or * for any.");
                continue;
            }

            var rule = new SniRule(child.Key);
            Setting.DemandSection(child, findings);
            s_name.Apply(child, rule, findings);
            rules.Add(rule);
        }

        return rules;
    }

    private static void SetProtocols(SniRule rule, HttpProtocols value)
    {
        if ((value & HttpProtocols.Http1AndHttp2) == HttpProtocols.None)
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, Protocols);
        }

        rule.Protocols = value;
    }

    private static Setting<T> TlsVersions<T>(Action<T, SslProtocols> set) => new(
        nameof(HttpsConnectionAdapterOptions.SslProtocols),
        Versions,
        (target, section, _) =>
        {
            var versions = SslProtocols.None;
            foreach (var text in section.Value?.Split(',') ?? section.GetChildren().Select(child => child.Value ?? ""))
            {
                if (!Enum.TryParse<SslProtocols>(text.Trim(), ignoreCase: true, out var version) || int.TryParse(text, out var _))
                {
                    return false;
                }

                versions |= version;
            }

            set(target, versions);
            return true;
        });
}
