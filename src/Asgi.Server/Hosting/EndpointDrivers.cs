// Which protocol a connection speaks: by what the endpoint serves, by ALPN where there is TLS, by the first bytes where that was asked for.
// Made for each endpoint when it is bound, on the host's threads; asked on loop threads.
using System.Net.Security;
using System.Security.Authentication;
using Asgi.Server.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Hosting;

/// <param name="http1">HTTP/1.1.</param>
/// <param name="http2">HTTP/2.</param>
/// <param name="logger">Is told of connections that speak nothing the endpoint serves.</param>
internal sealed partial class EndpointDrivers(
    Func<Connection, ConnectionDriver> http1, Func<Connection, ConnectionDriver> http2, ILogger logger)
{
    private readonly Reminder _http2NotAgreed = new();

    /// <summary>The driver of HTTP on an endpoint's connections, whatever they have passed before.</summary>
    public Func<Connection, ConnectionDriver> Http(ListenOptions listen)
    {
        var inClear = InClear(listen);
        return connection => connection.Tls is not { } tls ? inClear(connection)
            : tls.ApplicationProtocol != SslApplicationProtocol.Http2 ? http1(connection)
            : IsAdequate(tls.Protocol) ? http2(connection)
            : new InadequateTlsDriver(connection);
    }

    /// <summary>Whether HTTP/2 may use a version of TLS (RFC 9113, section 9.2).</summary>
    public static bool IsAdequate(SslProtocols version) => version is SslProtocols.Tls12 or SslProtocols.Tls13;

    /// <summary>Whether what ALPN has agreed on, or nothing, can be served; tells if not, at most once a minute.</summary>
    /// <param name="listen">The endpoint.</param>
    /// <param name="protocols">The versions of HTTP that are served under the name the client has asked for.</param>
    /// <param name="agreed">What was agreed on; empty if nothing was.</param>
    /// <param name="nowMilliseconds">The loop's time.</param>
    public bool Serves(ListenOptions listen, HttpProtocols protocols, SslApplicationProtocol agreed, long nowMilliseconds)
    {
        var isServed = agreed == SslApplicationProtocol.Http2 || protocols.HasFlag(HttpProtocols.Http1);
        if (!isServed && _http2NotAgreed.TryTell(nowMilliseconds))
        {
            Http2NotAgreed(logger, listen.Display);
        }

        return isServed;
    }

    private Func<Connection, ConnectionDriver> InClear(ListenOptions listen) =>
        (listen.Protocols & HttpProtocols.Http1AndHttp2) switch
        {
            HttpProtocols.Http2 => http2,
            HttpProtocols.Http1AndHttp2 when listen.DetectHttp2 => connection => new PrefaceDriver(connection, http1, http2),
            _ => http1,
        };

    [LoggerMessage(224, LogLevel.Error,
        "Connections of {Endpoint} are closed: it serves HTTP/2 alone, and clients do not agree on it (ALPN). Said at most once a minute.",
        EventName = "Http2NotAgreed")]
    private static partial void Http2NotAgreed(ILogger logger, string endpoint);
}
