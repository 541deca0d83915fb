// How handshakes under one name are made: certificate, protocols, versions, and what a client has to show. Made when the server starts and
// when a certificate has changed; asked on loops, or where application code runs.
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Asgi.Server.Hosting;

internal sealed class TlsProfile
{
    // A selector gives the same few certificates again and again; a context costs a look at the whole chain, and has the sessions that
    // clients resume: those of this profile's rules must not hold under another's.
    private readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> _chosen = [];

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
        if (certificate is not null && options.OnAuthenticate is null)
        {
            Fixed = Noting(Choose(certificate));
        }
    }

    /// <summary>The versions of HTTP that are offered.</summary>
    public HttpProtocols Protocols { get; }

    /// <summary>The same for every connection; null where application code has a say.</summary>
    public TlsChoice? Fixed { get; }

    /// <summary>Whether a client's certificate is judged in the handshake: the network may be asked about it, by addresses in it.</summary>
    public bool JudgesClients => _mode is ClientCertificateMode.AllowCertificate or ClientCertificateMode.RequireCertificate;

    /// <summary>What application code makes of it for one connection.</summary>
    /// <exception cref="AuthenticationException">It has no certificate for the name.</exception>
    public TlsChoice ChooseFor(ConnectionContext connection, string name)
    {
        var choice = Choose(_certificate ?? Select(connection, name));

        // A copy for each: what is changed is meant for this connection.
        _options.OnAuthenticate?.Invoke(connection, choice.Options);
        return Noting(choice);
    }

    // Last: the application may have put another validation in the place of the endpoint's.
    private static TlsChoice Noting(in TlsChoice choice)
    {
        ClientCertificates.Note(choice.Options);
        return choice;
    }

    private TlsChoice Choose(SslStreamCertificateContext certificate) => new(
        TlsOptions.Create(certificate, _options, Protocols, _mode, _versions), _mode == ClientCertificateMode.DelayCertificate);

    private SslStreamCertificateContext Select(ConnectionContext connection, string name) =>
        _options.ServerCertificateSelector!(connection, name.Length == 0 ? null : name) is { } chosen
            ? _chosen.GetValue(
                chosen, certificate => TlsOptions.ContextOf(new ServerCertificate(certificate, _options.ServerCertificateChain)))
            : throw new AuthenticationException($"The selector has no certificate for '{name}'.");
}
