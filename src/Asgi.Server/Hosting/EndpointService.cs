// What serves the connections of an endpoint: its TLS, its stages, its protocols and its limits, joined. Made when an endpoint is bound, on
// the host's threads; the acceptor is used on loop threads.
using Asgi.Server.Connections;

namespace Asgi.Server.Hosting;

/// <param name="Acceptor">Takes the connections.</param>
/// <param name="Tls">The TLS of the endpoint; null where it has none.</param>
internal sealed record EndpointService(ConnectionAcceptor Acceptor, TlsEndpoint? Tls)
{
    /// <param name="listen">The endpoint.</param>
    /// <param name="drivers">The protocols.</param>
    /// <param name="createAcceptor">Makes an acceptor whose connections begin with a driver.</param>
    /// <param name="log">Is told of certificates.</param>
    /// <exception cref="InvalidOperationException">The endpoint has TLS, and no certificate or one that cannot be used.</exception>
    public static EndpointService Create(
        ListenOptions listen,
        EndpointDrivers drivers,
        Func<Func<Connection, ConnectionDriver>, ConnectionAcceptor> createAcceptor,
        TlsLog log)
    {
        var http = drivers.Http(listen);
        if (!listen.IsTls)
        {
            return new EndpointService(createAcceptor(ConnectionStages.Before(http, listen, tls: null)), Tls: null);
        }

        var inTls = ConnectionStages.InTls(http, listen);
        var tls = new TlsEndpoint(
            listen,
            setup => setup.Build(listen.CreateTlsContext(log)),
            (plan, connection, agreed) => drivers.Serves(
                listen, plan.ProtocolsOf(connection.Tls?.HostName ?? ""), agreed, connection.Loop.NowMilliseconds)
                    ? inTls(connection)
                    : null,
            log);
        return new EndpointService(createAcceptor(ConnectionStages.Before(http, listen, () => tls.Plan.Rules)), tls);
    }
}
