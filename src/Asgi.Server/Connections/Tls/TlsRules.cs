// What an endpoint asks of TLS, and what runs on it. Made by Hosting when the server starts, or when a certificate was loaded again; read
// on loop threads.
using System.Buffers;
using System.Net.Security;

namespace Asgi.Server.Connections;

/// <summary>What the handshake of a connection is made with.</summary>
/// <param name="Options">Certificate, versions, protocols of ALPN, and how a client's certificate is judged.</param>
/// <param name="AllowsDelayedClientCertificate">Whether the client may be asked for its certificate when a request needs it.</param>
internal readonly record struct TlsChoice(SslServerAuthenticationOptions Options, bool AllowsDelayedClientCertificate = false);

internal sealed record TlsRules
{
    public const long HandshakeTimeoutMillisecondsDefault = 10_000;

    /// <summary>
    /// The same for every connection, asked for at the start of each handshake; one of this and <see cref="Select"/> is set. On the loop.
    /// </summary>
    public Func<TlsChoice>? Choice { get; init; }

    /// <summary>Chosen by what the client says first. Where application code runs: the token is cancelled when the time is over.</summary>
    public Func<IConnectionInfo, SslClientHelloInfo, CancellationToken, ValueTask<TlsChoice>>? Select { get; init; }

    /// <summary>
    /// Whether application code runs in the handshake (a selector, a validation): its steps are then calls from the ready list.
    /// </summary>
    public bool RunsApplicationCode { get; init; }

    /// <summary>Is shown the client's first record, with its header, before the handshake: application code; or null.</summary>
    public Action<IConnectionInfo, ReadOnlySequence<byte>>? ClientHello { get; init; }

    /// <summary>How long a handshake may take, from the first byte that is waited for.</summary>
    public long HandshakeTimeoutMilliseconds { get; init; } = HandshakeTimeoutMillisecondsDefault;

    /// <summary>When an operator was last told that plain HTTP comes here.</summary>
    public Reminder Reminder { get; } = new();

    /// <summary>
    /// The driver of what ALPN has chosen, empty when the client has named nothing; null when there is none, and who makes the rules has
    /// said so in the log: the connection is then closed. On the loop.
    /// </summary>
    public required Func<Connection, SslApplicationProtocol, ConnectionDriver?> Next { get; init; }
}
