// The connection middleware of an endpoint, with HTTP at its end. Made by Hosting when the server starts; called from the ready list for
// each connection.
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Application;

internal sealed class ConnectionMiddleware : IPipedApplication
{
    private readonly ConnectionDelegate _run;

    /// <param name="compose">Puts the middleware before what it is given.</param>
    public ConnectionMiddleware(Func<ConnectionDelegate, ConnectionDelegate> compose) => _run = compose(ServeHttpAsync);

    public Task RunAsync(IPipedConnection connection) => _run(new MiddlewareConnection(connection));

    // Middleware may have put a context of its own in the place of ours: what it has kept is known by its features.
    private static Task ServeHttpAsync(ConnectionContext context)
    {
        if (context.Features.Get<IPipedConnection>() is not { } connection)
        {
            throw new InvalidOperationException(
                "The context that middleware has passed on does not have the features of the connection it was given.");
        }

        var features = context.Features;
        var scheme = features.Get<ITlsConnectionFeature>() is null ? "http" : "https";
        return connection.ServeHttpAsync(new HttpOverPipe(
            context.Transport, context.ConnectionId, context.RemoteEndPoint, context.LocalEndPoint, scheme, type => features[type]));
    }
}
