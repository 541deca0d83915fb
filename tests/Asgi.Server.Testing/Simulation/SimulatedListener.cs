// A listening socket of the simulated network. Tests connect to it on the thread that drives the loop.

using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops;

namespace Asgi.Server.Testing.Simulation;

internal sealed class SimulatedListener(SimulatedBackend backend, EndPoint localEndPoint) : Listener
{
    private readonly Queue<SimulatedTransport> _backlog = new();
    private IAcceptHandler? _handler;
    private bool _isClosed;

    public override EndPoint LocalEndPoint { get; } = localEndPoint;

    public void Start(IAcceptHandler handler)
    {
        if (!_isClosed)
        {
            _handler = handler;
        }
    }

    /// <summary>Connects; the connection is accepted by a later poll.</summary>
    /// <exception cref="SocketException">The listener is closed.</exception>
    public SimulatedClient Connect()
    {
        if (_isClosed)
        {
            throw new SocketException((int)SocketError.ConnectionRefused);
        }

        var transport = backend.Link(this);
        _backlog.Enqueue(transport);
        return transport.Client;
    }

    public override void Close()
    {
        _isClosed = true;
        _handler = null;
        while (_backlog.TryDequeue(out var transport))
        {
            transport.Abort();
        }
    }

    internal bool Accept()
    {
        var accepted = false;
        while (_handler is not null && _backlog.TryDequeue(out var transport))
        {
            _handler.OnAccepted(transport);
            accepted = true;
        }

        return accepted;
    }
}
