// TLS from HttpsConnectionAdapterOptions: one certificate, or a selector, or a table of names from the configuration. Built on the host's
// thread, and again on the pool's when a certificate has changed; the choices are made on loops, or where application code runs.
using System.Net.Security;
using System.Security.Authentication;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Asgi.Server.Hosting;

/// <summary>What the configuration says of a server's name; null where it says nothing.</summary>
internal sealed class SniRule(string name)
{
    public string Name => name;

    public CertificateSource? Certificate { get; set; }

    public HttpProtocols? Protocols { get; set; }

    public SslProtocols? SslProtocols { get; set; }

    public ClientCertificateMode? ClientCertificateMode { get; set; }
}

/// <param name="create">Makes the options, with the defaults; called once, when the server starts.</param>
/// <param name="certificate">Where the certificate is, if the options do not have one; null for the default.</param>
/// <param name="names">The table of names; empty where there is none.</param>
internal sealed class HttpsOptionsSetup(
    Func<HttpsConnectionAdapterOptions> create, CertificateSource? certificate = null, IReadOnlyList<SniRule>? names = null)
    : HttpsSetup
{
    private HttpsConnectionAdapterOptions? _options;

    public override TlsPlan Build(TlsContext context)
    {
        var options = _options ??= create();
        var (find, only) = Profiles(options, context);
        var rules = new TlsRules
        {
            Choice = only?.Fixed is { } choice ? () => choice : null,
            Select = only?.Fixed is null ? (connection, hello, _) => ValueTask.FromResult(Choose(find, connection, hello)) : null,

            // Choices of the application are Select, which runs where its code does; what blocks must not stand on a loop either.
            RunsApplicationCode = only?.JudgesClients == true,
            ClientHello = options.TlsClientHelloBytesCallback is { } told
                ? (connection, bytes) => told(new HandshakeConnection(connection), bytes)
                : null,
            HandshakeTimeoutMilliseconds = ToMilliseconds(options.HandshakeTimeout),
            Next = NextUnset,
        };
        return new TlsPlan(rules, name => find(name)?.Protocols ?? HttpProtocols.None, context.Files);
    }

    // By name, or the only one there is.
    private (Func<string, TlsProfile?> Find, TlsProfile? Only) Profiles(HttpsConnectionAdapterOptions options, TlsContext context)
    {
        var protocols = context.Listen.Protocols;
        var own = Own(options);
        if (names is not { Count: > 0 })
        {
            var only = new TlsProfile(options, Load(own ?? context.Default), protocols);
            return (_ => only, only);
        }

        var table = new SniTable<TlsProfile>();
        foreach (var rule in names)
        {
            table.Add(rule.Name, new TlsProfile(options, Load(rule.Certificate ?? own ?? context.Default), protocols, rule));
        }

        return (table.Find, null);

        // A selector of the application's comes before every certificate but one that the configuration has for the name.
        SslStreamCertificateContext? Load(CertificateSource source) =>
            options.ServerCertificateSelector is not null && (source == own || source == context.Default) ? null : context.Load(source);
    }

    private CertificateSource? Own(HttpsConnectionAdapterOptions options) =>
        options.ServerCertificate is { } given ? new GivenCertificate(given, options.ServerCertificateChain) : certificate;

    private static TlsChoice Choose(Func<string, TlsProfile?> find, IConnectionInfo connection, SslClientHelloInfo hello)
    {
        var name = hello.ServerName ?? "";
        var profile = find(name) ?? throw new AuthenticationException(
            name.Length == 0
                ? "The client has named no server (SNI), and the endpoint has no certificate for '*'."
                : $"The endpoint has no certificate for the server's name '{name}' that the client has asked for.");
        return profile.Fixed ?? profile.ChooseFor(new HandshakeConnection(connection), name);
    }
}
