// What a connection asks of its protocol. Implemented by Http1Driver and Http2Driver; everything on the thread of the connection's loop.
namespace Asgi.Server.Connections;

internal abstract class ConnectionDriver
{
    /// <summary>Whether bytes should be received now: false is back-pressure.</summary>
    public abstract bool WantsInput { get; }

    /// <summary>Whether somebody may still read what was received.</summary>
    public abstract bool UsesInput { get; }

    /// <summary>The connection is attached to its loop.</summary>
    public abstract void OnStarted();

    /// <summary>There are new raw bytes in the input.</summary>
    public abstract void OnReceived();

    /// <summary>The client's last byte was received.</summary>
    public abstract void OnEndOfInput();

    /// <summary>The client has shut down its sending side; bytes may still wait to be received.</summary>
    public abstract void OnPeerShutdown();

    /// <summary>What is queued is about to be sent; the driver may queue more.</summary>
    public virtual void OnFlushing()
    {
    }

    /// <summary>Queued bytes were sent, or could not be now.</summary>
    public abstract void OnSent();

    /// <summary>The deadline set has passed.</summary>
    public abstract void OnDeadline(long nowMilliseconds);

    /// <summary>The connection is to end when what is in flight is done: the server stops, or it is old. May be said again.</summary>
    public abstract void ShutDown();

    /// <summary>
    /// The transport is gone. The driver calls <see cref="Connection.Release"/> when nobody uses the connection's memory.
    /// </summary>
    public abstract void OnClosed();
}
