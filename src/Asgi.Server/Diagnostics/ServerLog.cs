// What the server logs. Plain values in, any thread; ids as Kestrel's where the event is the same.
using Asgi.Server.Protocols.Http;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Diagnostics;

internal sealed partial class ServerLog(ILoggerFactory factory)
{
    private readonly UnfailingLogger _general = new(factory.CreateLogger("Asgi.Server"));
    private readonly UnfailingLogger _badRequests = new(factory.CreateLogger("Asgi.Server.BadRequests"));
    private readonly UnfailingLogger _https = new(factory.CreateLogger("Asgi.Server.Https"));
    private readonly UnfailingLogger _connections = new(factory.CreateLogger("Asgi.Server.Connections"));

    /// <summary>The general category, for Hosting's own messages.</summary>
    public ILogger General => _general;

    /// <inheritdoc cref="LogScopes.Create"/>
    public ExecutionContext? CreateScopes(IConnectionEndPoints connection) => LogScopes.Create(_general, connection);

    public void BadRequest(string connectionId, HttpFault fault) =>
        BadRequest(_badRequests, connectionId, fault.Status, fault.Message, fault.Section);

    public void BadRequest(string connectionId, int status, string reason) =>
        BadRequest(_badRequests, connectionId, status, reason, "content");

    public void ApplicationFailed(string connectionId, Exception exception) => ApplicationFailed(_general, connectionId, exception);

    public void ApplicationError(string connectionId, string traceIdentifier, Exception exception) =>
        ApplicationError(_general, connectionId, traceIdentifier, exception);

    public void RequestAborted(string connectionId, string traceIdentifier) => RequestAborted(_connections, connectionId, traceIdentifier);

    public void ApplicationAborted(string connectionId) => ApplicationAborted(_connections, connectionId);

    public void DrainTimedOut(string connectionId) => DrainTimedOut(_general, connectionId);

    public void ConnectionFailed(string connectionId, Exception exception) => ConnectionFailed(_connections, connectionId, exception);

    public void ConnectionRejected(string connectionId) => ConnectionRejected(_connections, connectionId);

    /// <param name="limit">The option that sets the limit.</param>
    public void RequestsRejected(string limit) => RequestsRejected(_general, limit);

    public void ResponseTooSlow(string connectionId) => ResponseTooSlow(_connections, connectionId);

    public void FileTruncated(string connectionId) => FileTruncated(_connections, connectionId);

    /// <summary>Calls a callback of the application; what it throws is the application's error and goes no further.</summary>
    public void Guard(string connectionId, Action<object> callback, object state)
    {
        try
        {
            callback(state);
        }
        catch (Exception exception)
        {
            ApplicationFailed(connectionId, exception);
        }
    }

    /// <param name="connectionId">The connection.</param>
    /// <param name="route">What the application calls the route.</param>
    /// <param name="request">Method and path.</param>
    public void LoopHandedOff(string connectionId, string route, string request) => LoopHandedOff(_general, connectionId, route, request);

    /// <inheritdoc cref="LoopHandedOff(string, string, string)"/>
    public void RouteBlocks(string route, string request) => RouteBlocks(_general, route, request);

    [LoggerMessage(24, LogLevel.Warning,
        "Connection id \"{ConnectionId}\" was closed at once: as many are open as MaxConcurrentConnections allows.",
        EventName = "ConnectionRejected")]
    private static partial void ConnectionRejected(ILogger logger, string connectionId);

    [LoggerMessage(104, LogLevel.Warning,
        "Requests are answered 503: {Limit} allows no more at a time. Said once until it stops for a while.",
        EventName = "RequestsRejected")]
    private static partial void RequestsRejected(ILogger logger, string limit);

    [LoggerMessage(28, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": the response was not read at the minimum data rate.",
        EventName = "ResponseMinimumDataRateNotSatisfied")]
    private static partial void ResponseTooSlow(ILogger logger, string connectionId);

    [LoggerMessage(17, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" bad request data, answered {Status}: {Reason} ({Section})",
        EventName = "ConnectionBadRequest")]
    private static partial void BadRequest(ILogger logger, string connectionId, int status, string reason, string section);

    [LoggerMessage(101, LogLevel.Error,
        "Connection id \"{ConnectionId}\": An unhandled exception was thrown by the application.",
        EventName = "ApplicationFailed")]
    private static partial void ApplicationFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(13, LogLevel.Error,
        "Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": An unhandled exception was thrown by the application.",
        EventName = "ApplicationError")]
    private static partial void ApplicationError(ILogger logger, string connectionId, string traceIdentifier, Exception exception);

    [LoggerMessage(66, LogLevel.Debug,
        "Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": The request was aborted by the client.",
        EventName = "RequestAborted")]
    private static partial void RequestAborted(ILogger logger, string connectionId, string traceIdentifier);

    [LoggerMessage(34, LogLevel.Information,
        "Connection id \"{ConnectionId}\": The application aborted the connection.",
        EventName = "ApplicationAbortedConnection")]
    private static partial void ApplicationAborted(ILogger logger, string connectionId);

    [LoggerMessage(33, LogLevel.Information,
        "Connection id \"{ConnectionId}\": automatic draining of the request body timed out.",
        EventName = "RequestBodyDrainTimedOut")]
    private static partial void DrainTimedOut(ILogger logger, string connectionId);

    [LoggerMessage(102, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": '{Route}' ({Request}) holds up its event loop; the loop goes on with another thread.",
        EventName = "LoopHandedOff")]
    private static partial void LoopHandedOff(ILogger logger, string connectionId, string route, string request);

    [LoggerMessage(103, LogLevel.Warning,
        "'{Route}' ({Request}) blocks its thread. Requests like it start on spare threads from now on; make the handler asynchronous.",
        EventName = "RouteBlocks")]
    private static partial void RouteBlocks(ILogger logger, string route, string request);

    [LoggerMessage(105, LogLevel.Warning,
        "Connection id \"{ConnectionId}\" was aborted because a file became shorter while it was sent.",
        EventName = "ResponseFileTruncated")]
    private static partial void FileTruncated(ILogger logger, string connectionId);

    [LoggerMessage(100, LogLevel.Critical,
        "Connection id \"{ConnectionId}\" was aborted because of an error of the server itself.",
        EventName = "ConnectionFailed")]
    private static partial void ConnectionFailed(ILogger logger, string connectionId, Exception exception);
}
