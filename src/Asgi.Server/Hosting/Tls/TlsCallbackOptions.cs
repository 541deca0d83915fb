// A handshake that application code decides on: Kestrel's TlsHandshakeCallbackOptions, whose context nobody but Kestrel can make.
// Set on the host's thread; the callback is called for each connection.
using System.Net.Security;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server;

/// <summary>Has a callback choose what each handshake is made with, for <c>UseHttps</c>.</summary>
public sealed class TlsCallbackOptions
{
    /// <summary>
    /// Called when the client's first message has arrived; gives the options of the handshake, certificate and ALPN included. Without
    /// protocols in them, those of the endpoint are offered. What it throws ends the connection. Must be set. Called where application code
    /// runs; it may complete on any thread.
    /// </summary>
    public Func<TlsCallbackContext, ValueTask<SslServerAuthenticationOptions>> OnConnection { get; set; } = null!;

    /// <summary>What the callback finds as <see cref="TlsCallbackContext.State"/>. Default null.</summary>
    public object? OnConnectionState { get; set; }

    /// <summary>
    /// How long a handshake may take, the callback included; then the connection is closed. Greater than 0,
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit; default 10 seconds.
    /// </summary>
    public TimeSpan HandshakeTimeout
    {
        get;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            }

            field = value;
        }
    } = TimeSpan.FromSeconds(10);
}

/// <summary>What <see cref="TlsCallbackOptions.OnConnection"/> is told of a connection.</summary>
public sealed class TlsCallbackContext
{
    internal TlsCallbackContext(ConnectionContext connection, SslStream stream, object? state)
    {
        Connection = connection;
        SslStream = stream;
        State = state;
    }

    /// <summary>The connection. Its bytes are those of the handshake, so it has no transport.</summary>
    public ConnectionContext Connection { get; }

    /// <summary>The stream whose handshake it is; to be looked at, not to be read or written.</summary>
    public SslStream SslStream { get; }

    /// <summary>What the client has said of itself: the server's name it asks for, and the versions it knows.</summary>
    public SslClientHelloInfo ClientHelloInfo { get; internal init; }

    /// <summary><see cref="TlsCallbackOptions.OnConnectionState"/>.</summary>
    public object? State { get; }

    /// <summary>Cancelled when the time of the handshake is over.</summary>
    public CancellationToken CancellationToken { get; internal init; }

    /// <summary>
    /// Whether a request may have the client asked for its certificate later (ITlsConnectionFeature.GetClientCertificateAsync). Default
    /// false. The name is spelled as Kestrel's.
    /// </summary>
    public bool AllowDelayedClientCertificateNegotation { get; set; }
}
