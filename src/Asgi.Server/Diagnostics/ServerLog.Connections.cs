// What is logged of the life of connections and of their requests at Debug, and the access log. As the rest of ServerLog.
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Diagnostics;

internal sealed partial class ServerLog
{
    private readonly UnfailingLogger _access = new(factory.CreateLogger("Asgi.Server.AccessLog"));

    /// <summary>Whether the life of connections is logged.</summary>
    public bool LogsConnections => _connections.IsEnabled(LogLevel.Debug);

    /// <summary>Whether a line for each response is logged, if the options want it.</summary>
    public bool LogsAccess => _access.IsEnabled(LogLevel.Information);

    public void ConnectionAccepted(string connectionId) => ConnectionAccepted(_connections, connectionId);

    public void ConnectionStarted(string connectionId) => ConnectionStarted(_connections, connectionId);

    public void ConnectionStopped(string connectionId) => ConnectionStopped(_connections, connectionId);

    public void FinReceived(string connectionId) => FinReceived(_connections, connectionId);

    public void SendingFin(string connectionId, ConnectionEndReason reason) => SendingFin(_connections, connectionId, reason);

    public void SendingReset(string connectionId, ConnectionEndReason reason) => SendingReset(_connections, connectionId, reason);

    public void ResetReceived(string connectionId) => ResetReceived(_connections, connectionId);

    public void KeptAlive(string connectionId) => KeptAlive(_connections, connectionId);

    public void Disconnected(string connectionId) => Disconnected(_connections, connectionId);

    public void HeadContentDropped(string connectionId, long length) => HeadContentDropped(_general, connectionId, length);

    public void ContentReadBegan(string connectionId) => ContentReadBegan(_general, connectionId);

    public void ContentIsWhole(string connectionId) => ContentIsWhole(_general, connectionId);

    public void ContentTooSlow(string connectionId) => ContentTooSlow(_badRequests, connectionId);

    public void ContentNotRead(string connectionId) => ContentNotRead(_general, connectionId);

    /// <param name="remoteAddress">The client's address; a hyphen if it has none.</param>
    /// <param name="requestLine">The request line, safe for a log.</param>
    /// <param name="status">The status sent; 499 if the client, or the application's abort, was before it.</param>
    /// <param name="contentLength">Bytes of content written.</param>
    /// <param name="milliseconds">From the head to the end of the response and its application.</param>
    public void Answered(string remoteAddress, string requestLine, int status, long contentLength, double milliseconds) =>
        Answered(_access, remoteAddress, requestLine, status, contentLength, milliseconds);

    [LoggerMessage(39, LogLevel.Debug, "Connection id \"{ConnectionId}\" accepted.", EventName = "ConnectionAccepted")]
    private static partial void ConnectionAccepted(ILogger logger, string connectionId);

    [LoggerMessage(1, LogLevel.Debug, "Connection id \"{ConnectionId}\" started.", EventName = "ConnectionStart")]
    private static partial void ConnectionStarted(ILogger logger, string connectionId);

    [LoggerMessage(2, LogLevel.Debug, "Connection id \"{ConnectionId}\" stopped.", EventName = "ConnectionStop")]
    private static partial void ConnectionStopped(ILogger logger, string connectionId);

    [LoggerMessage(6, LogLevel.Debug, "Connection id \"{ConnectionId}\" received FIN.", EventName = "ConnectionReadFin")]
    private static partial void FinReceived(ILogger logger, string connectionId);

    [LoggerMessage(7, LogLevel.Debug, "Connection id \"{ConnectionId}\" sending FIN because: {Reason}", EventName = "ConnectionWriteFin")]
    private static partial void SendingFin(ILogger logger, string connectionId, ConnectionEndReason reason);

    [LoggerMessage(8, LogLevel.Debug, "Connection id \"{ConnectionId}\" sending RST because: {Reason}", EventName = "ConnectionWriteRst")]
    private static partial void SendingReset(ILogger logger, string connectionId, ConnectionEndReason reason);

    [LoggerMessage(19, LogLevel.Debug, "Connection id \"{ConnectionId}\" reset.", EventName = "ConnectionReset")]
    private static partial void ResetReceived(ILogger logger, string connectionId);

    [LoggerMessage(9, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" completed keep alive response.",
        EventName = "ConnectionKeepAlive")]
    private static partial void KeptAlive(ILogger logger, string connectionId);

    [LoggerMessage(10, LogLevel.Debug, "Connection id \"{ConnectionId}\" disconnecting.", EventName = "ConnectionDisconnect")]
    private static partial void Disconnected(ILogger logger, string connectionId);

    [LoggerMessage(18, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": {Length} bytes of content of a response to HEAD were counted, not sent.",
        EventName = "ConnectionHeadResponseBodyWrite")]
    private static partial void HeadContentDropped(ILogger logger, string connectionId, long length);

    [LoggerMessage(25, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": the application began to read the request body.",
        EventName = "RequestBodyStart")]
    private static partial void ContentReadBegan(ILogger logger, string connectionId);

    [LoggerMessage(26, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": the request body has arrived whole.",
        EventName = "RequestBodyDone")]
    private static partial void ContentIsWhole(ILogger logger, string connectionId);

    [LoggerMessage(27, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": the request body did not arrive at the minimum data rate.",
        EventName = "RequestBodyMinimumDataRateNotSatisfied")]
    private static partial void ContentTooSlow(ILogger logger, string connectionId);

    [LoggerMessage(32, LogLevel.Information,
        "Connection id \"{ConnectionId}\": the application completed without reading the entire request body.",
        EventName = "RequestBodyNotEntirelyRead")]
    private static partial void ContentNotRead(ILogger logger, string connectionId);

    [LoggerMessage(120, LogLevel.Information,
        "{RemoteAddress} \"{RequestLine}\" {StatusCode} {ContentLength} {ElapsedMilliseconds:0.###} ms",
        EventName = "ResponseSent")]
    private static partial void Answered(
        ILogger logger, string remoteAddress, string requestLine, int statusCode, long contentLength, double elapsedMilliseconds);
}
