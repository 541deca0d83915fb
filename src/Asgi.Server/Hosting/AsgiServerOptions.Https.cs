// What https endpoints have in common. On the host's thread, before and while the server starts.
using Asgi.Server.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Asgi.Server;

public sealed partial class AsgiServerOptions
{
    private Action<HttpsConnectionAdapterOptions> _httpsDefaults = _ => { };

    /// <summary>What is set for Kestrel's https endpoints, which comes before what is set here.</summary>
    internal Action<HttpsConnectionAdapterOptions> KestrelHttpsDefaults { get; set; } = _ => { };

    /// <summary>Where a user's certificates are; others for tests.</summary>
    internal CertificatePlaces CertificatePlaces { get; set; } = CertificatePlaces.System;

    /// <summary>The folder that relative paths of certificates begin at.</summary>
    internal string ContentRoot => HostEnvironment?.ContentRootPath ?? Directory.GetCurrentDirectory();

    /// <summary>The app's name; null if the options were not made for one.</summary>
    internal string? ApplicationName => HostEnvironment?.ApplicationName;

    private IHostEnvironment? HostEnvironment => ApplicationServices.GetService<IHostEnvironment>();

    /// <summary>
    /// Sets what is applied to the https options of every endpoint, those of addresses and of the configuration included, before its own;
    /// not to options that are given whole or by a callback for each connection. Called when the server starts, so the order of calls does
    /// not matter; a second call replaces the first.
    /// </summary>
    public void ConfigureHttpsDefaults(Action<HttpsConnectionAdapterOptions> configureOptions)
    {
        ArgumentNullException.ThrowIfNull(configureOptions);
        _httpsDefaults = configureOptions;
    }

    /// <summary>The certificate of https endpoints that name none.</summary>
    internal CertificateSource DefaultCertificate(TlsLog log) =>
        ConfigurationLoader?.Certificates.Default
        ?? new DevelopmentCertificate(ConfigurationLoader?.Certificates.DevelopmentPassword, ApplicationName, log)
        {
            Places = CertificatePlaces,
        };

    /// <summary>Options with the defaults: Kestrel's, the configuration's, and those of code.</summary>
    internal HttpsConnectionAdapterOptions CreateHttpsOptions()
    {
        var options = new HttpsConnectionAdapterOptions();
        KestrelHttpsDefaults(options);
        ConfigurationLoader?.ApplyHttpsDefaults(options);
        _httpsDefaults(options);
        return options;
    }
}
