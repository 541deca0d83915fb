// What an endpoint can have before HTTP that comes with the server. On the host's thread, before the server starts.
using Asgi.Server;
using Asgi.Server.Application;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>The PROXY protocol and connection logging for endpoints of Asgi.Server.</summary>
public static class ListenOptionsAsgiServerExtensions
{
    /// <summary>
    /// Reads the PROXY protocol's header, version 1 or 2, at the beginning of each connection: the client's address is then the one the
    /// proxy says, for applications, in the ASGI scope and in logs. Comes before all connection middleware.
    /// </summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="configure">Says which proxies are believed: at least one, or <see cref="ProxyProtocolOptions.TrustAll"/>.</param>
    /// <exception cref="InvalidOperationException">No proxy is named to be trusted.</exception>
    public static ListenOptions UseProxyProtocol(this ListenOptions listenOptions, Action<ProxyProtocolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new ProxyProtocolOptions();
        configure(options);
        listenOptions.ProxyProtocol = options.ToRules(listenOptions.EndPoint);
        return listenOptions;
    }

    /// <summary>
    /// Logs the bytes of each connection at Debug, as hexadecimal numbers and as text, in the category
    /// <c>Asgi.Server.ConnectionLogging</c>: all that is sent and received at this place among the connection middleware, passwords and
    /// cookies included. Slow; for diagnosis.
    /// </summary>
    public static ListenOptions UseConnectionLogging(this ListenOptions listenOptions) => listenOptions.UseConnectionLogging(null);

    /// <inheritdoc cref="UseConnectionLogging(ListenOptions)"/>
    /// <param name="listenOptions">The endpoint.</param>
    /// <param name="loggerName">The category; null for <c>Asgi.Server.ConnectionLogging</c>.</param>
    public static ListenOptions UseConnectionLogging(this ListenOptions listenOptions, string? loggerName)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        listenOptions.Use(next =>
        {
            var factory = listenOptions.ApplicationServices.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
            return new ConnectionLogging(factory.CreateLogger(loggerName ?? ConnectionLogging.Category), next).RunAsync;
        });
        return listenOptions;
    }
}
