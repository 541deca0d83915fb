// The first configuration of the options: from Kestrel's, then from the section. What apps configure follows, in whatever order they have
// called. Registered by UseAsgiServer; runs on the host's thread when the options are first asked for.
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Hosting;

internal sealed class AsgiServerOptionsSetup(IServiceProvider services) : IConfigureOptions<AsgiServerOptions>
{
    private const string SectionKey = "AsgiServer";
    private const string KestrelSectionKey = "Kestrel";

    public void Configure(AsgiServerOptions options)
    {
        options.ApplicationServices = services;
        ApplyKestrels(options);
        if (services.GetService<IConfiguration>() is { } configuration)
        {
            options.Configure(ChooseSection(configuration, options.Findings), reloadOnChange: true);
        }
    }

    // They run what apps have written for another server, which may look for a certificate or a service that is not there.
    private void ApplyKestrels(AsgiServerOptions options)
    {
        try
        {
            var kestrels = services.GetRequiredService<IOptions<KestrelServerOptions>>().Value;
            KestrelOptions.Apply(kestrels, options);

            // What is seen from here on is not the app's.
            options.KestrelEndpoints = [.. services.GetRequiredService<KestrelEndpoints>().Seen];
            if (KestrelHttpsDefaults.Read(kestrels) is { } https)
            {
                options.KestrelHttpsDefaults = to => KestrelHttpsDefaults.Copy(https, to);
            }
        }
        catch (Exception exception)
        {
            options.Findings.Problems.Add(
                $"What is set for Kestrel (ConfigureKestrel, Configure<KestrelServerOptions>) has failed: {exception.Message}");
        }
    }

    // Chosen once: a section that appears later does not turn the other one off.
    private static IConfigurationSection ChooseSection(IConfiguration configuration, ConfigurationFindings findings)
    {
        var own = configuration.GetSection(SectionKey);
        var kestrels = configuration.GetSection(KestrelSectionKey);
        findings.IsKestrelSectionIgnored = own.Exists() && kestrels.Exists();
        return !own.Exists() && kestrels.Exists() ? kestrels : own;
    }
}
