// Where calls into the application are made: on the loop, as asyncio does, unless it was learned that a route blocks. One per server, asked
// on loop threads; what spare threads report comes from those.
using System.Text;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

/// <param name="usualPlace">Where calls are made that nothing is known of.</param>
/// <param name="learns">Whether routes that block are remembered.</param>
/// <param name="blockingMilliseconds">A run so long has blocked.</param>
/// <param name="log">Where it tells of routes that block.</param>
/// <param name="overload">What answers requests when too many wait for a spare thread.</param>
/// <param name="diagnostics">Where hand-offs are counted.</param>
internal sealed class ApplicationDispatch(
    CallPlace usualPlace, bool learns, int blockingMilliseconds, ServerLog log, Overload overload, ServerDiagnostics diagnostics)
{
    private readonly BlockingRoutes _routes = new(blockingMilliseconds);
    private readonly ToldRoutes _told = new();

    /// <summary>Where calls are made that nothing is known of.</summary>
    public CallPlace UsualPlace => usualPlace;

    /// <summary>What answers requests when too many wait for a spare thread.</summary>
    public Overload Overload => overload;

    /// <summary>Routes known to block.</summary>
    public int BlockingRouteCount => _routes.Count;

    /// <summary>The route of a request, if it is known to block. While none is, this costs a branch.</summary>
    public BlockingRoute? Find(HttpScope scope, long nowMilliseconds) =>
        _routes.Count == 0 ? null : _routes.Find(RouteKey.Of(scope.MethodBytes, scope.RawPath), nowMilliseconds);

    /// <summary>A request's handler has blocked its loop, which went on with another thread.</summary>
    /// <param name="connectionId">The connection, for the log.</param>
    /// <param name="exchange">The exchange; its application still runs.</param>
    /// <param name="reason">Why.</param>
    /// <param name="nowMilliseconds">The loop's clock.</param>
    public void Learn(string connectionId, HttpExchange exchange, HandOffReason reason, long nowMilliseconds)
    {
        diagnostics.HandedOff();
        var scope = exchange.Scope;
        var isNew = learns && _routes.Learn(RouteKey.Of(scope.MethodBytes, scope.RawPath), reason, nowMilliseconds);

        var (route, request) = NamesOf(exchange);
        log.LoopHandedOff(connectionId, route, request);
        Tell(isNew, route, request, nowMilliseconds);
    }

    /// <summary>A request's handler has held up its loop for less than a hand-off takes, and did nothing in that time.</summary>
    /// <param name="exchange">The exchange.</param>
    /// <param name="nowMilliseconds">The loop's clock.</param>
    public void LearnWait(HttpExchange exchange, long nowMilliseconds)
    {
        var scope = exchange.Scope;
        if (learns && _routes.LearnWait(RouteKey.Of(scope.MethodBytes, scope.RawPath), nowMilliseconds))
        {
            var (route, request) = NamesOf(exchange);
            Tell(isNew: true, route, request, nowMilliseconds);
        }
    }

    /// <inheritdoc cref="BlockingRoutes.Ran"/>
    public void Ran(BlockingRoute route, long beganMilliseconds, long endedMilliseconds, bool isStart) =>
        _routes.Ran(route, beganMilliseconds, endedMilliseconds, isStart);

    private void Tell(bool isNew, string route, string request, long nowMilliseconds)
    {
        if (isNew && _told.TryTell(route, nowMilliseconds))
        {
            log.RouteBlocks(route, request);
        }
    }

    // Not by the scope's own strings: the application may be making them at this moment.
    private static (string Route, string Request) NamesOf(HttpExchange exchange)
    {
        var scope = exchange.Scope;
        var request = $"{Encoding.ASCII.GetString(scope.MethodBytes)} {Encoding.ASCII.GetString(scope.RawPath)}";
        return (exchange.Route?.ToString() ?? request, request);
    }
}
