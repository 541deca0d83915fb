// What the connections of an endpoint pass before HTTP. Used on the host's threads before the server starts.
using Asgi.Server.Connections;
using Asgi.Server.Hosting;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server;

public sealed partial class ListenOptions : IConnectionBuilder
{
    private readonly List<Func<ConnectionDelegate, ConnectionDelegate>> _middleware = [];
    private int? _tlsPosition;

    /// <summary>The services of the app.</summary>
    public IServiceProvider ApplicationServices => AsgiServerOptions.ApplicationServices;

    /// <summary>Middleware that sees the bytes as they are on the wire, if there is TLS behind it; all of it where there is none.</summary>
    internal bool HasMiddleware => MiddlewareOnWire > 0;

    /// <summary>Middleware that sees what TLS has unwrapped.</summary>
    internal bool HasMiddlewareInTls => _middleware.Count > MiddlewareOnWire;

    private int MiddlewareOnWire => _tlsPosition ?? _middleware.Count;

    /// <summary>What the endpoint asks of TLS; null where it has none.</summary>
    internal HttpsSetup? Https { get; private set; }

    /// <summary>Whether the endpoint has TLS.</summary>
    internal bool IsTls => Https is not null;

    /// <summary>Whose PROXY headers are read; null where the protocol is not used.</summary>
    internal ProxyProtocolRules? ProxyProtocol { get; set; }

    /// <summary>
    /// Adds connection middleware: what is added first has a connection first. It may look at the client's bytes, put another <see
    /// cref="ConnectionContext.Transport"/> or another <see cref="BaseConnectionContext.RemoteEndPoint"/> in the place of the connection's,
    /// set features that requests will find, or not call what is next, and then HTTP does not run. It runs behind a PROXY header, if the
    /// endpoint reads one; what is added before <c>UseHttps</c> sees the bytes of TLS, what is added after it those within. A connection
    /// ends when its middleware does; what it throws aborts the connection. Connections of endpoints without middleware pass nothing.
    /// </summary>
    public IConnectionBuilder Use(Func<ConnectionDelegate, ConnectionDelegate> middleware)
    {
        ArgumentNullException.ThrowIfNull(middleware);
        _middleware.Add(middleware);
        return this;
    }

    /// <summary>Has TLS from here on: middleware added before sees what is on the wire.</summary>
    /// <exception cref="InvalidOperationException">It has TLS already.</exception>
    internal void UseTls(HttpsSetup setup)
    {
        if (Https is not null)
        {
            throw new InvalidOperationException($"{Display}: UseHttps was called already; an endpoint has TLS once.");
        }

        Https = setup;
        _tlsPosition = _middleware.Count;
    }

    /// <summary>What its TLS is made from now.</summary>
    internal TlsContext CreateTlsContext(TlsLog log) => new(
        this, new CertificateFiles(AsgiServerOptions.ContentRoot), AsgiServerOptions.DefaultCertificate(log), log);

    /// <summary>The middleware added so far as one delegate, at whose end nothing is done.</summary>
    public ConnectionDelegate Build() => Build(_ => Task.CompletedTask, 0, _middleware.Count);

    /// <summary>The middleware before TLS as one delegate, or all of it where there is no TLS.</summary>
    internal ConnectionDelegate BuildOnWire(ConnectionDelegate last) => Build(last, 0, MiddlewareOnWire);

    /// <summary>The middleware behind TLS as one delegate.</summary>
    internal ConnectionDelegate BuildInTls(ConnectionDelegate last) => Build(last, MiddlewareOnWire, _middleware.Count);

    private ConnectionDelegate Build(ConnectionDelegate last, int start, int end)
    {
        for (var i = end - 1; i >= start; i--)
        {
            last = _middleware[i](last);
        }

        return last;
    }
}
