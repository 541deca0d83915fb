// What an endpoint has its connections pass before HTTP, from its options. Called by AsgiServer when it starts, on the host's thread.
using Asgi.Server.Application;
using Asgi.Server.Connections;

namespace Asgi.Server.Hosting;

internal static class ConnectionStages
{
    /// <summary>Puts the endpoint's stages before HTTP, in the order of the bytes. Without any this is HTTP itself.</summary>
    public static Func<Connection, ConnectionDriver> Before(Func<Connection, ConnectionDriver> http, ListenOptions options)
    {
        var first = http;
        if (options.HasMiddleware)
        {
            var middleware = new ConnectionMiddleware(options.Build);
            first = connection => new PipedDriver(connection, middleware, http);
        }

        if (options.ProxyProtocol is { } rules)
        {
            var next = first;
            first = connection => new ProxyProtocolDriver(connection, rules, next);
        }

        return first;
    }
}
