// What the server logs of the stages before HTTP: the PROXY protocol and connection middleware. Plain values in, any thread.
using System.Net;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Diagnostics;

internal sealed partial class ServerLog
{
    public void UntrustedProxy(string connectionId, EndPoint? peer) => UntrustedProxy(_connections, connectionId, peer);

    public void ProxyHeaderMissing(string connectionId, EndPoint? peer) => ProxyHeaderMissing(_connections, connectionId, peer);

    public void BadProxyHeader(string connectionId, EndPoint? peer, string reason, string section) =>
        BadProxyHeader(_connections, connectionId, peer, reason, section);

    public void ProxyHeaderTimedOut(string connectionId, EndPoint? peer) => ProxyHeaderTimedOut(_connections, connectionId, peer);

    public void ProxyProtocolRefuses(EndPoint? endPoint, EndPoint? peer, string reason) =>
        ProxyProtocolRefuses(_connections, endPoint, peer, reason);

    public void MiddlewareFailed(string connectionId, Exception exception) => MiddlewareFailed(_connections, connectionId, exception);

    [LoggerMessage(110, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" was closed: its endpoint requires the PROXY protocol, and {Peer} is not a trusted proxy.",
        EventName = "UntrustedProxy")]
    private static partial void UntrustedProxy(ILogger logger, string connectionId, EndPoint? peer);

    [LoggerMessage(111, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" was closed: the proxy {Peer} has sent no PROXY header, which its endpoint requires.",
        EventName = "ProxyHeaderMissing")]
    private static partial void ProxyHeaderMissing(ILogger logger, string connectionId, EndPoint? peer);

    [LoggerMessage(112, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" was closed: the PROXY header of {Peer} is invalid: {Reason} ({Section})",
        EventName = "BadProxyHeader")]
    private static partial void BadProxyHeader(ILogger logger, string connectionId, EndPoint? peer, string reason, string section);

    [LoggerMessage(113, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" was closed: the PROXY header of {Peer} did not arrive in time.",
        EventName = "ProxyHeaderTimedOut")]
    private static partial void ProxyHeaderTimedOut(ILogger logger, string connectionId, EndPoint? peer);

    [LoggerMessage(116, LogLevel.Warning,
        "Connections to {EndPoint} are closed for want of a PROXY header, as one from {Peer}: {Reason}. Said at most once a minute.",
        EventName = "ProxyProtocolRefuses")]
    private static partial void ProxyProtocolRefuses(ILogger logger, EndPoint? endPoint, EndPoint? peer, string reason);

    [LoggerMessage(114, LogLevel.Error,
        "Connection id \"{ConnectionId}\": An unhandled exception was thrown by connection middleware.",
        EventName = "ConnectionMiddlewareFailed")]
    private static partial void MiddlewareFailed(ILogger logger, string connectionId, Exception exception);
}
