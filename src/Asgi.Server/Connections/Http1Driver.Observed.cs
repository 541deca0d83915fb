// What watchers are told of the requests of a connection (active requests, events, the access log, refused heads) and of its end. Who
// watches is asked once per request; nobody is the usual answer, and costs a few loads. On the thread of the connection's loop.
using System.Globalization;
using System.Net;
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Driver
{
    /// <summary>What the log says of a response that its client has not waited for, as Kestrel's and nginx's do.</summary>
    private const int StatusClientClosedRequest = 499;

    private RequestObservers _observers;
    private long _observedSince;

    private string RemoteAddress => (_connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "-";

    // A response may learn that the server stops before the connection hears of it.
    private ConnectionEndReason ReasonOfShutDown =>
        _connection.ShutDownReason is var reason and not ConnectionEndReason.None ? reason : ConnectionEndReason.GracefulShutdown;

    private void ObserveStart()
    {
        var diagnostics = _connection.Diagnostics;
        _observers = diagnostics.RequestObservers;
        if (_observers == RequestObservers.None)
        {
            return;
        }

        _observedSince = diagnostics.Time.GetTimestamp();
        if ((_observers & RequestObservers.Meter) != 0)
        {
            diagnostics.Metrics.ActiveRequests.Add(1, EndPointTags.Of(_connection.TransportLocalEndPoint));
        }

        if ((_observers & RequestObservers.Events) != 0)
        {
            diagnostics.Events.RequestStarted(_connection.Id, RequestId(), _scope.HttpVersion, _scope.Path, _scope.Method);
        }
    }

    // The application is done, and the response is what it will be.
    private void ObserveEnd()
    {
        if (_connection.Record.IsLogged && _scope.IsHead && _exchange.WrittenLength > 0)
        {
            _connection.Log.HeadContentDropped(_connection.Id, _exchange.WrittenLength);
        }

        var observers = _observers;
        if (observers == RequestObservers.None)
        {
            return;
        }

        _observers = RequestObservers.None;
        var diagnostics = _connection.Diagnostics;
        if ((observers & RequestObservers.Meter) != 0)
        {
            diagnostics.Metrics.ActiveRequests.Add(-1, EndPointTags.Of(_connection.TransportLocalEndPoint));
        }

        if ((observers & RequestObservers.Events) != 0)
        {
            diagnostics.Events.RequestEnded(_connection.Id, RequestId(), _scope.HttpVersion, _scope.Path, _scope.Method);
        }

        if ((observers & RequestObservers.AccessLog) != 0)
        {
            var isAnswered = _exchange.HasStarted && !_exchange.IsLost;
            diagnostics.Log.Answered(
                RemoteAddress,
                RequestLines.Of(_scope.MethodBytes, _scope.RawTarget, _scope.HttpVersion),
                isAnswered ? _exchange.Status : StatusClientClosedRequest,
                isAnswered && !_scope.IsHead ? _exchange.WrittenLength : 0,
                diagnostics.Time.GetElapsedTime(_observedSince).TotalMilliseconds);
        }
    }

    private void ObserveRefusal(HttpFault fault)
    {
        var diagnostics = _connection.Diagnostics;
        diagnostics.Log.BadRequest(_connection.Id, fault);
        if (diagnostics.BadRequests is not null)
        {
            diagnostics.Log.Guard(_connection.Id, static told => TellOfRefusal(((Connection, HttpFault))told), (_connection, fault));
        }

        if ((diagnostics.RequestObservers & RequestObservers.AccessLog) != 0)
        {
            diagnostics.Log.Answered(
                RemoteAddress, RequestLines.OfRefused(_connection.Input.Raw), fault.Status, contentLength: 0, milliseconds: 0);
        }
    }

    private static void TellOfRefusal((Connection Connection, HttpFault Fault) told)
    {
        var (connection, fault) = told;
        connection.Diagnostics.BadRequests!.HeadRefused(connection.Id, connection, fault.Status, fault.Message);
    }

    // The trace identifier of an ASP.NET request, unless the application changes it.
    private string RequestId() => string.Create(CultureInfo.InvariantCulture, $"{_connection.Id}:{_exchange.RequestNumber:X8}");

    // Between requests this is the usual end, half a message is not.
    private ConnectionEndReason ReasonOfEndOfInput()
    {
        if (_state == State.Draining)
        {
            return ConnectionEndReason.UnexpectedEndOfRequestContent;
        }

        return _state == State.Resting || !Machine.IsMidHead ? ConnectionEndReason.ClientClosed
            : Machine.HasRequestLine ? ConnectionEndReason.InvalidRequestHeaders
            : ConnectionEndReason.InvalidRequestLine;
    }
}
