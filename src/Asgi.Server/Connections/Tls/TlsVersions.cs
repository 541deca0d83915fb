// Versions of TLS as logs, meters and ASGI call them. Any thread.
using System.Security.Authentication;

namespace Asgi.Server.Connections;

internal static class TlsVersions
{
    /// <summary>The name OpenTelemetry's conventions give to the version: <c>1.3</c>; null where there is none.</summary>
    public static string? Name(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "1.3",
        SslProtocols.Tls12 => "1.2",
#pragma warning disable CA5397, SYSLIB0039 // What was agreed on is told, whatever one may think of it.
        SslProtocols.Tls11 => "1.1",
        SslProtocols.Tls => "1.0",
#pragma warning restore CA5397, SYSLIB0039
        _ => null,
    };
}
