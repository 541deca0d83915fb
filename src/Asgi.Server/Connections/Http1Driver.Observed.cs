// What watchers are told of heads that HTTP/1 refuses, and of the connection's end; what they are told of requests is RequestObservation's.
// On the thread of the connection's loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Driver
{
    private RequestObservation _observation;

    // A response may learn that the server stops before the connection hears of it.
    private ConnectionEndReason ReasonOfShutDown =>
        _connection.ShutDownReason is var reason and not ConnectionEndReason.None ? reason : ConnectionEndReason.GracefulShutdown;

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
                RequestObservation.RemoteAddressOf(_connection),
                RequestLines.OfRefused(_connection.Input.Raw),
                fault.Status,
                contentLength: 0,
                milliseconds: 0);
        }
    }

    private static void TellOfRefusal((Connection Connection, HttpFault Fault) told)
    {
        var (connection, fault) = told;
        connection.Diagnostics.BadRequests!.HeadRefused(connection.Id, connection, fault.Status, fault.Message);
    }

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
