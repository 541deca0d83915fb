// What an endpoint has its connections pass before HTTP, from its options. Called when an endpoint is bound, on the host's threads.
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server.Hosting;

internal static class ConnectionStages
{
    /// <summary>Puts the endpoint's stages before HTTP, in the order of the bytes. Without any this is HTTP itself.</summary>
    /// <param name="http">HTTP.</param>
    /// <param name="options">The endpoint.</param>
    /// <param name="tls">Its TLS as it is now, or null where it has none.</param>
    public static Func<Connection, ConnectionDriver> Before(
        Func<Connection, ConnectionDriver> http, ListenOptions options, Func<TlsRules>? tls)
    {
        var first = tls is null ? http : connection => new TlsDriver(connection, tls());
        if (options.HasMiddleware)
        {
            first = Piped(options.BuildOnWire, first);
        }

        if (options.ProxyProtocol is { } rules)
        {
            var next = first;
            first = connection => new ProxyProtocolDriver(connection, rules, next);
        }

        return first;
    }

    /// <summary>Puts those before HTTP that see what TLS has unwrapped.</summary>
    public static Func<Connection, ConnectionDriver> InTls(Func<Connection, ConnectionDriver> http, ListenOptions options) =>
        options.HasMiddlewareInTls ? Piped(options.BuildInTls, http) : http;

    private static Func<Connection, ConnectionDriver> Piped(
        Func<ConnectionDelegate, ConnectionDelegate> compose, Func<Connection, ConnectionDriver> next)
    {
        var middleware = new ConnectionMiddleware(compose);
        return connection => new PipedDriver(connection, middleware, next);
    }
}
