// What a fault of a client means as the end of its connection. Asked by drivers when they refuse something; any thread.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Protocols.Http2;

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

    /// <param name="fault">A fault of the connection of HTTP/2.</param>
    public static ConnectionEndReason OfHttp2(Http2Fault fault) => fault.Name switch
    {
        nameof(Http2Faults.InvalidPreface) => ConnectionEndReason.InvalidHandshake,
        nameof(Http2Faults.WindowExceeded) => ConnectionEndReason.FlowControlWindowExceeded,
        nameof(Http2Faults.WindowTooLarge) or nameof(Http2Faults.EmptyWindowUpdate) => ConnectionEndReason.InvalidWindowUpdateSize,
        nameof(Http2Faults.UnexpectedStreamId)
            or nameof(Http2Faults.StreamFrameOnConnection)
            or nameof(Http2Faults.ConnectionFrameOnStream) => ConnectionEndReason.InvalidStreamId,
        nameof(Http2Faults.StreamClosed) => ConnectionEndReason.FrameAfterStreamClose,
        nameof(Http2Faults.IdleStream) => ConnectionEndReason.UnknownStream,
        nameof(Http2Faults.SettingsNotFirst)
            or nameof(Http2Faults.PushFromClient)
            or nameof(Http2Faults.HeaderBlockInterrupted)
            or nameof(Http2Faults.UnexpectedContinuation) => ConnectionEndReason.UnexpectedFrame,
        nameof(Http2Faults.InvalidFrameSize) => ConnectionEndReason.InvalidFrameLength,
        nameof(Http2Faults.FrameTooLarge) => ConnectionEndReason.MaxFrameLengthExceeded,
        nameof(Http2Faults.InvalidPadding) => ConnectionEndReason.InvalidDataPadding,
        nameof(Http2Faults.InvalidEnablePush)
            or nameof(Http2Faults.InvalidInitialWindowSize)
            or nameof(Http2Faults.InvalidMaxFrameSize)
            or nameof(Http2Faults.InvalidEnableConnectProtocol) => ConnectionEndReason.InvalidSettings,
        nameof(Http2Faults.TooManyResets) or nameof(Http2Faults.TooManyStreamFaults) => ConnectionEndReason.StreamResetLimitExceeded,
        nameof(Http2Faults.HeaderBlockTooLarge)
            or nameof(Http2Faults.TooManyContinuations) => ConnectionEndReason.ErrorReadingHeaders,
        _ => fault.Code switch
        {
            Http2ErrorCode.CompressionError or Http2ErrorCode.ProtocolError => ConnectionEndReason.ErrorReadingHeaders,
            Http2ErrorCode.EnhanceYourCalm => ConnectionEndReason.FrameLimitExceeded,
            _ => ConnectionEndReason.OtherError,
        },
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
