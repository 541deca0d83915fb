// What stands between a connection's bytes and its protocol: a driver that hands over to another, and a connection that runs on another's
// bytes instead of on a socket. On the thread of its loop.
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

/// <summary>What a connection runs on that has no socket of its own.</summary>
/// <param name="Connection">The one that has; its count, its items, its proxy's header are also those of the one above it.</param>
/// <param name="Scheme">https, where middleware has unwrapped it.</param>
/// <param name="GetFeature">What middleware has set. Any thread.</param>
/// <param name="OnReleased">Called when nobody uses the connection any more.</param>
internal sealed record ConnectionBelow(
    Connection Connection, string Scheme, Func<Type, object?> GetFeature, Action OnReleased);

internal sealed partial class Connection
{
    private readonly ConnectionBelow? _below;

    /// <summary>The driver is done before the connection is: what was received and not taken is the next one's.</summary>
    public void HandOver(ConnectionDriver next)
    {
        ClearDeadline();
        _driver = next;
        next.OnStarted();
        if (State == ConnectionState.Open && Input.RawLength > 0)
        {
            next.OnReceived();
        }
    }

    /// <summary>
    /// From here on bytes go through another transport, which uses the one there was. Nothing is queued or received that is not for it.
    /// </summary>
    public void Filter(Transport filter)
    {
        Transport = filter;
        _isReadable |= filter.HasMore;
        ReceiveLater();
    }

    private void AttachTransport()
    {
        if (Transport is PipeTransport piped)
        {
            piped.Attach(this);
        }
        else
        {
            Loop.Backend.Attach(Transport, this);
        }
    }

    /// <summary>The connection is over, and so are its callbacks: nobody counts it any more.</summary>
    public void Leave()
    {
        if (_below is { } below)
        {
            below.OnReleased();
        }
        else
        {
            try
            {
                Record.Stop();
            }
            finally
            {
                // Whatever a listener does: a stop waits for this.
                _registry.Remove(this);
            }
        }
    }
}
