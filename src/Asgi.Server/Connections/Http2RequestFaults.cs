// What can be wrong with a request of HTTP/2 that is no matter of the protocol alone: it depends on the connection and the options.
// Values as in Http2Faults.
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal static class Http2RequestFaults
{
    public static readonly Http2Fault SchemeMismatch = new(
        nameof(SchemeMismatch),
        Http2ErrorCode.ProtocolError,
        "The scheme of the request is not that of the transport. See AllowAlternateSchemes.",
        "RFC 9113 8.3.1");

    public static readonly Http2Fault UndecodableValue = new(
        nameof(UndecodableValue),
        Http2ErrorCode.ProtocolError,
        "A field value has bytes that its encoding does not have.",
        "RFC 9110 5.5");
}
