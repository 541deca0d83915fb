// TLS whose options application code gives for each connection. Built on the host's thread; called where application code runs.
using System.Net.Security;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Asgi.Server.Hosting;

/// <param name="options">The callback.</param>
internal sealed class HttpsCallbackSetup(TlsCallbackOptions options) : HttpsSetup
{
    public override TlsPlan Build(TlsContext context)
    {
        var protocols = context.Listen.Protocols;
        var rules = new TlsRules
        {
            Select = (connection, hello, token) => SelectAsync(connection, hello, protocols, token),
            RunsApplicationCode = true,
            HandshakeTimeoutMilliseconds = ToMilliseconds(options.HandshakeTimeout),
            Next = NextUnset,
        };
        return new TlsPlan(rules, _ => protocols, context.Files);
    }

    private async ValueTask<TlsChoice> SelectAsync(
        IConnectionInfo connection,
        SslClientHelloInfo hello,
        HttpProtocols protocols,
        CancellationToken cancellationToken)
    {
        var context = new TlsCallbackContext(
            new HandshakeConnection(connection), connection.Tls!.Stream, options.OnConnectionState)
        {
            ClientHelloInfo = hello,
            CancellationToken = cancellationToken,
        };
        var chosen = await options.OnConnection(context).ConfigureAwait(false)
            ?? throw new InvalidOperationException("The callback of the handshake has given no options.");
        return new TlsChoice(Completed(chosen, protocols), context.AllowDelayedClientCertificateNegotation);
    }

    // The options are the application's, which may give the same ones to all: they are changed only where that says the same again.
    private static SslServerAuthenticationOptions Completed(
        SslServerAuthenticationOptions chosen, HttpProtocols protocols)
    {
        chosen.ApplicationProtocols ??= TlsOptions.ProtocolsOf(protocols);
        ClientCertificates.Note(chosen);
        return chosen;
    }
}
