// The one line of an app. On the host's thread while it is built.
using Asgi.Server;
using Asgi.Server.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Puts Asgi.Server under an ASP.NET Core app.</summary>
public static class WebHostBuilderAsgiServerExtensions
{
    /// <summary>
    /// Uses Asgi.Server as the web server. The last server registered is the one that runs, so this replaces Kestrel. Options come, each
    /// overriding those before, from <see cref="KestrelServerOptions"/> where they mean the same, from the configuration section
    /// <c>AsgiServer</c> (<c>Kestrel</c> where that is absent), and from code.
    /// </summary>
    public static IWebHostBuilder UseAsgiServer(this IWebHostBuilder hostBuilder)
    {
        ArgumentNullException.ThrowIfNull(hostBuilder);
        return hostBuilder.ConfigureServices(static services =>
        {
            if (!services.Any(static service => service.ImplementationType == typeof(AsgiServerOptionsSetup)))
            {
                // In front: what the app has configured already still comes after it.
                services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<AsgiServerOptions>, AsgiServerOptionsSetup>());
                services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>>(
                    static provider => provider.GetRequiredService<KestrelEndpoints>()));
                services.AddSingleton<KestrelEndpoints>();
            }

            services.AddOptions<AsgiServerOptions>().Services.AddSingleton<IServer, AsgiServer>();
        });
    }

    /// <summary>Uses Asgi.Server as the web server, with options.</summary>
    public static IWebHostBuilder UseAsgiServer(this IWebHostBuilder hostBuilder, Action<AsgiServerOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return hostBuilder.UseAsgiServer().ConfigureServices(services => services.Configure(options));
    }
}
