// How handshakes under one name are made: certificate, protocols, versions, and what a client has to show. Made when the server starts and
// when a certificate has changed; asked on loops, or where application code runs.
using System.Net.Security;
using System.Security.Authentication;
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Asgi.Server.Hosting;

internal sealed class TlsProfile
{
    private readonly HttpsConnectionAdapterOptions _options;
    private readonly SslStreamCertificateContext? _certificate;
    private readonly ClientCertificateMode _mode;
    private readonly SslProtocols _versions;

    /// <param name="options">The endpoint's.</param>
    /// <param name="certificate">The certificate; null where the options have a selector.</param>
    /// <param name="protocols">The versions of HTTP to offer.</param>
    /// <param name="rule">What the name has of its own; null for the endpoint's.</param>
    public TlsProfile(
        HttpsConnectionAdapterOptions options, SslStreamCertificateContext? certificate, HttpProtocols protocols, SniRule? rule = null)
    {
        _options = options;
        _certificate = certificate;
        _mode = rule?.ClientCertificateMode ?? options.ClientCertificateMode;
        _versions = rule?.SslProtocols ?? options.SslProtocols;
        Protocols = rule?.Protocols ?? protocols;
        Fixed = certificate is null || options.OnAuthenticate is not null ? null : Choose(certificate);
    }

    /// <summary>The versions of HTTP that are offered.</summary>
    public HttpProtocols Protocols { get; }

    /// <summary>The same for every connection; null where application code has a say.</summary>
    public TlsChoice? Fixed { get; }

    /// <summary>Whether the application is asked about certificates of clients.</summary>
    public bool Validates => _mode != ClientCertificateMode.NoCertificate && _options.ClientCertificateValidation is not null;

    /// <summary>What application code makes of it for one connection.</summary>
    /// <exception cref="AuthenticationException">It has no certificate for the name.</exception>
    public TlsChoice ChooseFor(ConnectionContext connection, string name)
    {
        var choice = Choose(_certificate ?? Select(connection, name));

        // A copy for each: what is changed is meant for this connection.
        _options.OnAuthenticate?.Invoke(connection, choice.Options);
        return choice;
    }

    private TlsChoice Choose(SslStreamCertificateContext certificate) => new(
        TlsOptions.Create(certificate, _options, Protocols, _mode, _versions), _mode == ClientCertificateMode.DelayCertificate);

    private SslStreamCertificateContext Select(ConnectionContext connection, string name) =>
        _options.ServerCertificateSelector!(connection, name.Length == 0 ? null : name) is { } chosen
            ? TlsOptions.ContextOf(chosen, _options.ServerCertificateChain)
            : throw new AuthenticationException($"The selector has no certificate for '{name}'.");
}
