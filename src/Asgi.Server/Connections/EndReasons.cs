// What a fault of a client means as the end of its connection. Asked by drivers when they refuse something; any thread.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal static class EndReasons
{
    /// <param name="fault">Why a head is refused.</param>
    /// <param name="isRequestLine">Whether the fault lies in the request line.</param>
    public static ConnectionEndReason OfHead(HttpFault fault, bool isRequestLine) => fault.Name switch
    {
        nameof(Http1Faults.UnsupportedVersion) => ConnectionEndReason.InvalidHttpVersion,
        _ when fault == ConnectionFaults.HeadTimeout => ConnectionEndReason.RequestHeadersTimeout,
        _ when isRequestLine => ConnectionEndReason.InvalidRequestLine,
        nameof(Http1Faults.FieldSectionTooLarge) => ConnectionEndReason.MaxRequestHeadersTotalSizeExceeded,
        nameof(Http1Faults.TooManyFieldLines) => ConnectionEndReason.MaxRequestHeaderCountExceeded,
        _ => ConnectionEndReason.InvalidRequestHeaders,
    };

    /// <param name="fault">Why content, or the trailers behind it, is refused.</param>
    public static ConnectionEndReason OfContent(HttpFault fault) => fault.Name switch
    {
        ConnectionFaults.TooLargeName => ConnectionEndReason.MaxRequestBodySizeExceeded,
        _ when fault == ConnectionFaults.TooSlow => ConnectionEndReason.MinRequestBodyDataRate,
        _ when fault == ConnectionFaults.UnexpectedEnd => ConnectionEndReason.UnexpectedEndOfRequestContent,
        nameof(Http1Faults.FieldSectionTooLarge) => ConnectionEndReason.MaxRequestHeadersTotalSizeExceeded,
        nameof(Http1Faults.TooManyFieldLines) => ConnectionEndReason.MaxRequestHeaderCountExceeded,
        nameof(Http1Faults.InvalidFieldName) or nameof(Http1Faults.WhitespaceBeforeColon) or nameof(Http1Faults.LineFolding)
            or nameof(Http1Faults.InvalidFieldValue) => ConnectionEndReason.InvalidRequestHeaders,
        _ => ConnectionEndReason.OtherError,
    };
}
