// The one line of an app. On the host's thread while it is built.
using Asgi.Server;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Puts Asgi.Server under an ASP.NET Core app.</summary>
public static class WebHostBuilderAsgiServerExtensions
{
    /// <summary>Uses Asgi.Server as the web server. The last server registered is the one that runs, so this replaces Kestrel.</summary>
    public static IWebHostBuilder UseAsgiServer(this IWebHostBuilder hostBuilder)
    {
        ArgumentNullException.ThrowIfNull(hostBuilder);
        return hostBuilder.ConfigureServices(services =>
            services.AddOptions<AsgiServerOptions>()
                .Configure<IServiceProvider>(static (options, provider) => options.ApplicationServices = provider)
                .Services.AddSingleton<IServer, AsgiServer>());
    }

    /// <summary>Uses Asgi.Server as the web server, with options.</summary>
    public static IWebHostBuilder UseAsgiServer(this IWebHostBuilder hostBuilder, Action<AsgiServerOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return hostBuilder.UseAsgiServer().ConfigureServices(services => services.Configure(options));
    }
}
