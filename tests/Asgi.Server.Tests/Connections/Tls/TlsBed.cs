// What tests of TLS on the simulated loop share: servers with a TLS endpoint.

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

internal static class TlsBed
{
    public static SslServerAuthenticationOptions Options(
        X509Certificate2? certificate = null, SslProtocols protocols = SslProtocols.None) =>
        new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate ?? TestCertificates.Ecdsa, null, offline: true),
            EnabledSslProtocols = protocols,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };

    public static TlsRules Rules(
        Func<Connection, ConnectionDriver> http,
        SslServerAuthenticationOptions? options = null,
        bool runsApplicationCode = false,
        bool allowsDelayed = false)
    {
        options ??= Options();
        return new TlsRules
        {
            Choice = () => new TlsChoice(options, allowsDelayed),
            RunsApplicationCode = runsApplicationCode,
            Next = (connection, _) => http(connection),
        };
    }

    public static SimulatedServer Serve(
        Func<HttpExchange, ValueTask> app,
        Func<TlsRules, TlsRules>? configure = null,
        SslServerAuthenticationOptions? options = null,
        int seed = 0,
        ConnectionLimits? limits = null,
        NetworkConditions? conditions = null,
        ISpares? spares = null,
        bool runsApplicationCode = false,
        bool allowsDelayed = false) =>
        new(app, seed, limits, conditions, spares, before: http =>
        {
            var rules = Rules(http, options, runsApplicationCode, allowsDelayed);
            rules = configure?.Invoke(rules) ?? rules;
            return connection => new TlsDriver(connection, rules);
        });
}
