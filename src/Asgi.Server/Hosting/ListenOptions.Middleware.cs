// What the connections of an endpoint pass before HTTP. Used on the host's threads before the server starts.
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server;

public sealed partial class ListenOptions : IConnectionBuilder
{
    private readonly List<Func<ConnectionDelegate, ConnectionDelegate>> _middleware = [];

    /// <summary>The services of the app.</summary>
    public IServiceProvider ApplicationServices => AsgiServerOptions.ApplicationServices;

    internal bool HasMiddleware => _middleware.Count > 0;

    /// <summary>Whose PROXY headers are read; null where the protocol is not used.</summary>
    internal ProxyProtocolRules? ProxyProtocol { get; set; }

    /// <summary>
    /// Adds connection middleware: what is added first has a connection first. It may look at the client's bytes, put another <see
    /// cref="ConnectionContext.Transport"/> or another <see cref="BaseConnectionContext.RemoteEndPoint"/> in the place of the connection's,
    /// set features that requests will find, or not call what is next, and then HTTP does not run. It runs behind a PROXY header, if the
    /// endpoint reads one. A connection ends when its middleware does; what it throws aborts the connection. Connections of endpoints
    /// without middleware pass nothing.
    /// </summary>
    public IConnectionBuilder Use(Func<ConnectionDelegate, ConnectionDelegate> middleware)
    {
        ArgumentNullException.ThrowIfNull(middleware);
        _middleware.Add(middleware);
        return this;
    }

    /// <summary>The middleware added so far as one delegate, at whose end nothing is done.</summary>
    public ConnectionDelegate Build() => Build(_ => Task.CompletedTask);

    /// <summary>The middleware as one delegate.</summary>
    internal ConnectionDelegate Build(ConnectionDelegate last)
    {
        for (var i = _middleware.Count - 1; i >= 0; i--)
        {
            last = _middleware[i](last);
        }

        return last;
    }
}
