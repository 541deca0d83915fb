// Takes the connections of an endpoint, with the limits and the application they get there. Made by Hosting; called on loop threads.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class ConnectionAcceptor(
    ConnectionRegistry registry, ConnectionLimits limits, Func<Connection, ConnectionDriver> createDriver) : IConnectionAcceptor
{
    public void Accept(Loop loop, Transport transport)
    {
        var number = ConnectionIds.Next();
        if (registry.Log.LogsConnections)
        {
            registry.Log.ConnectionAccepted(ConnectionIds.Format(number));
        }

        if (limits.Connections?.TryEnter() == false)
        {
            registry.Diagnostics.ConnectionRejected(ConnectionIds.Format(number), transport.LocalEndPoint);
            transport.Close();
            return;
        }

        var connection = new Connection(loop, transport, registry, limits, number) { Acceptor = this };
        registry.Add(connection, createDriver(connection));
    }

    public bool Queued(Transport transport) => registry.Diagnostics.ConnectionQueued(transport.LocalEndPoint);

    public void Dequeued(Transport transport, bool isCounted) =>
        registry.Diagnostics.ConnectionDequeued(transport.LocalEndPoint, isCounted);
}
