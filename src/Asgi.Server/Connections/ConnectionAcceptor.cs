// Takes the connections of an endpoint, with the limits and the application they get there. Made by Hosting; called on loop threads.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class ConnectionAcceptor(
    ConnectionRegistry registry, ConnectionLimits limits, Func<Connection, ConnectionDriver> createDriver) : IConnectionAcceptor
{
    public void Accept(Loop loop, Transport transport)
    {
        if (limits.Connections?.TryEnter() == false)
        {
            registry.Log.ConnectionRejected(ConnectionIds.Next());
            transport.Close();
            return;
        }

        var connection = new Connection(loop, transport, registry, limits) { Acceptor = this };
        registry.Add(connection, createDriver(connection));
    }
}
