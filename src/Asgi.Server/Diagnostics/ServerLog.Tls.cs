// What the server logs of TLS. Plain values in, any thread; a category of its own, and ids that no other has (Kestrel's are 1 to 3).
using System.Net;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Diagnostics;

internal sealed partial class ServerLog
{
    /// <summary>The category of TLS, for Hosting's own messages.</summary>
    public ILogger Https => _https;

    public void AuthenticationFailed(string connectionId, Exception exception) => AuthenticationFailed(_https, connectionId, exception);

    public void HandshakeTimedOut(string connectionId) => HandshakeTimedOut(_https, connectionId);

    public void HandshakeEstablished(string connectionId, SslProtocols protocol) =>
        HandshakeEstablished(_https, connectionId, protocol);

    /// <summary>Records of an established connection could not be read or written.</summary>
    public void TlsFailed(string connectionId, Exception exception) => TlsFailed(_https, connectionId, exception);

    /// <param name="connectionId">The connection.</param>
    /// <param name="isHttp">Whether it looks like a request.</param>
    public void NotTls(string connectionId, bool isHttp) => NotTls(_https, connectionId, isHttp ? "plain HTTP" : "unknown");

    public void PlainHttpOnTlsPort(EndPoint? endPoint) => PlainHttpOnTlsPort(_https, endPoint);

    public void TlsOnPlainPort(EndPoint? endPoint) => TlsOnPlainPort(_https, endPoint);

    [LoggerMessage(134, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": the TLS handshake has failed.",
        EventName = "AuthenticationFailed")]
    private static partial void AuthenticationFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(135, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": the TLS handshake was not over in time.",
        EventName = "AuthenticationTimedOut")]
    private static partial void HandshakeTimedOut(ILogger logger, string connectionId);

    [LoggerMessage(136, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" established, with {Protocol}.",
        EventName = "HttpsConnectionEstablished")]
    private static partial void HandshakeEstablished(ILogger logger, string connectionId, SslProtocols protocol);

    [LoggerMessage(130, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" was refused: what it has sent is not TLS ({Kind}).",
        EventName = "NotTls")]
    private static partial void NotTls(ILogger logger, string connectionId, string kind);

    [LoggerMessage(131, LogLevel.Information,
        "Plain http requests come to {EndPoint}, which speaks https: they are answered 400. Said at most once a minute.",
        EventName = "PlainHttpOnTlsPort")]
    private static partial void PlainHttpOnTlsPort(ILogger logger, EndPoint? endPoint);

    [LoggerMessage(132, LogLevel.Information,
        "Clients speak TLS to {EndPoint}, which has none: call UseHttps, or use http:// URLs. Said at most once a minute.",
        EventName = "TlsOnPlainPort")]
    private static partial void TlsOnPlainPort(ILogger logger, EndPoint? endPoint);

    [LoggerMessage(133, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" is broken: its TLS records cannot be read or written.",
        EventName = "TlsRecordsFailed")]
    private static partial void TlsFailed(ILogger logger, string connectionId, Exception exception);
}
