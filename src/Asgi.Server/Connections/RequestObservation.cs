// What watchers are told of one request, whatever the version of HTTP: active requests, events, the access log. Who watches is asked once
// per request; nobody is the usual answer, and costs a few loads. On the thread of the connection's loop.
using System.Globalization;
using System.Net;
using Asgi.Server.Diagnostics;

namespace Asgi.Server.Connections;

internal struct RequestObservation
{
    /// <summary>What the log says of a response that its client has not waited for, as Kestrel's and nginx's do.</summary>
    private const int StatusClientClosedRequest = 499;

    private RequestObservers _observers;
    private long _since;

    /// <summary>The client, for the access log.</summary>
    public static string RemoteAddressOf(Connection connection) => (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "-";

    /// <summary>The request is about to be given to the application.</summary>
    public void Begin(Connection connection, HttpExchange exchange)
    {
        var diagnostics = connection.Diagnostics;
        _observers = diagnostics.RequestObservers;
        if (_observers == RequestObservers.None)
        {
            return;
        }

        _since = diagnostics.Time.GetTimestamp();
        if ((_observers & RequestObservers.Meter) != 0)
        {
            diagnostics.Metrics.ActiveRequests.Add(1, EndPointTags.Of(connection.TransportLocalEndPoint));
        }

        if ((_observers & RequestObservers.Events) != 0)
        {
            var scope = exchange.Scope;
            diagnostics.Events.RequestStarted(connection.Id, RequestId(connection, exchange), scope.HttpVersion, scope.Path, scope.Method);
        }
    }

    /// <summary>The application is done, and the response is what it will be.</summary>
    public void End(Connection connection, HttpExchange exchange)
    {
        var scope = exchange.Scope;
        if (connection.Record.IsLogged && scope.IsHead && exchange.WrittenLength > 0)
        {
            connection.Log.HeadContentDropped(connection.Id, exchange.WrittenLength);
        }

        var observers = _observers;
        if (observers == RequestObservers.None)
        {
            return;
        }

        _observers = RequestObservers.None;
        var diagnostics = connection.Diagnostics;
        if ((observers & RequestObservers.Meter) != 0)
        {
            diagnostics.Metrics.ActiveRequests.Add(-1, EndPointTags.Of(connection.TransportLocalEndPoint));
        }

        if ((observers & RequestObservers.Events) != 0)
        {
            diagnostics.Events.RequestEnded(connection.Id, RequestId(connection, exchange), scope.HttpVersion, scope.Path, scope.Method);
        }

        if ((observers & RequestObservers.AccessLog) != 0)
        {
            var isAnswered = exchange.HasStarted && !exchange.IsLost;
            diagnostics.Log.Answered(
                RemoteAddressOf(connection),
                RequestLines.Of(scope.MethodBytes, scope.RawTarget, scope.HttpVersion),
                isAnswered ? exchange.Status : StatusClientClosedRequest,
                isAnswered && !scope.IsHead ? exchange.WrittenLength : 0,
                diagnostics.Time.GetElapsedTime(_since).TotalMilliseconds);
        }
    }

    // The trace identifier of an ASP.NET request, unless the application changes it.
    private static string RequestId(Connection connection, HttpExchange exchange) =>
        string.Create(CultureInfo.InvariantCulture, $"{connection.Id}:{exchange.RequestNumber:X8}");
}
