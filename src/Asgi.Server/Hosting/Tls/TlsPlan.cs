// What an endpoint's TLS has come to: the rules of handshakes, and the files they were read from. Made when the server starts and when a
// certificate has changed; read on loop threads.
using System.Net.Security;
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Asgi.Server.Hosting;

/// <param name="Rules">The rules, but for what comes after the handshake.</param>
/// <param name="ProtocolsOf">The versions of HTTP that are served under a server's name.</param>
/// <param name="Files">The files.</param>
internal sealed record TlsPlan(TlsRules Rules, Func<string, HttpProtocols> ProtocolsOf, CertificateFiles Files);

/// <summary>What a plan is made from beside the endpoint's own settings.</summary>
/// <param name="Listen">The endpoint.</param>
/// <param name="Files">Reads files, and remembers them.</param>
/// <param name="Default">The certificate of endpoints that name none.</param>
/// <param name="Log">Is told what is odd about a certificate.</param>
internal sealed record TlsContext(ListenOptions Listen, CertificateFiles Files, CertificateSource Default, TlsLog Log)
{
    /// <summary>
    /// A certificate as handshakes need it; another at each call, since it has the sessions that clients resume: those of one name's rules
    /// must not hold under another's.
    /// </summary>
    /// <exception cref="InvalidOperationException">It cannot be used.</exception>
    public SslStreamCertificateContext Load(CertificateSource source)
    {
        var certificate = source.Load(Files);
        var context = TlsOptions.ContextOf(certificate);
        Log.Loaded(Listen, certificate.Certificate);
        return context;
    }
}

/// <summary>What UseHttps, an address or the configuration has asked for, until the server starts.</summary>
internal abstract class HttpsSetup
{
    // Who has the plan sets what comes after the handshake.
    protected static Func<Connection, SslApplicationProtocol, ConnectionDriver?> NextUnset { get; } = (_, _) => null;

    /// <exception cref="InvalidOperationException">There is no certificate, or one that cannot be used.</exception>
    public abstract TlsPlan Build(TlsContext context);

    protected static long ToMilliseconds(TimeSpan timeout) => EffectiveLimits.ToMilliseconds(timeout);
}
