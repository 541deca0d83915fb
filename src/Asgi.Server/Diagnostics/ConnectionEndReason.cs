// Why a connection ends, as one value: what the meter's error.type and the log say of it. Set where the cause is known, the first wins
// (ConnectionRecord). Any thread.
using System.Diagnostics;

namespace Asgi.Server.Diagnostics;

/// <summary>The first cause of a connection's end. Those up to <see cref="ConnectionAge"/> are clean: no error.</summary>
internal enum ConnectionEndReason
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>The client has sent FIN, and was owed nothing.</summary>
    ClientClosed,

    /// <summary>The last response said so: client, application, or a limit on requests wanted no further one.</summary>
    ResponseNoKeepAlive,

    /// <summary>The server stops, and nothing was in flight.</summary>
    GracefulShutdown,

    /// <summary>The configuration no longer has the endpoint, and nothing was in flight.</summary>
    EndpointRemoved,

    /// <summary>The connection was as old as connections get.</summary>
    ConnectionAge,

    /// <summary>A response could not be brought to its end.</summary>
    ErrorAfterStartingResponse,

    /// <summary>The client has sent RST, or is unreachable.</summary>
    ConnectionReset,

    /// <summary>No request came in time.</summary>
    KeepAliveTimeout,

    /// <summary>A head was not whole in time.</summary>
    RequestHeadersTimeout,

    /// <summary>Content came too slowly.</summary>
    MinRequestBodyDataRate,

    /// <summary>The client took a response too slowly.</summary>
    MinResponseDataRate,

    /// <summary>Content that nobody has read did not end in time.</summary>
    ServerTimeout,

    InvalidRequestLine,

    /// <summary>A field line or the framing it announces, before the content or in trailers.</summary>
    InvalidRequestHeaders,

    InvalidHttpVersion,

    MaxRequestHeadersTotalSizeExceeded,

    MaxRequestHeaderCountExceeded,

    MaxRequestBodySizeExceeded,

    /// <summary>The client has sent FIN within content.</summary>
    UnexpectedEndOfRequestContent,

    /// <summary>The application has announced another length than it has written.</summary>
    ResponseContentLengthMismatch,

    /// <summary>The application has broken the connection.</summary>
    AbortedByApp,

    /// <summary>The server stops, and its patience with what was in flight is over.</summary>
    AppShutdownTimeout,

    /// <summary>The application has cancelled a write that waited for the client.</summary>
    WriteCanceled,

    /// <summary>The header of the PROXY protocol was missing, malformed or late, or its sender is not trusted.</summary>
    InvalidProxyHeader,

    /// <summary>The handshake of TLS has failed, was late, or was none.</summary>
    TlsHandshakeFailed,

    /// <summary>HTTP/2 was agreed on over a version of TLS that is too old for it.</summary>
    InsufficientTlsVersion,

    /// <summary>Closed unread: as many connections were open as may be.</summary>
    MaxConcurrentConnectionsExceeded,

    /// <summary>An exception where there must be none; error.type is its type.</summary>
    UnhandledException,

    /// <summary>HTTP/2: the first bytes were no preface.</summary>
    InvalidHandshake,

    /// <summary>HTTP/2: more content than a window allows, or a window beyond its bounds.</summary>
    FlowControlWindowExceeded,

    InvalidStreamId,

    FrameAfterStreamClose,

    /// <summary>HTTP/2: a frame concerns a stream that was never opened.</summary>
    UnknownStream,

    UnexpectedFrame,

    InvalidFrameLength,

    MaxFrameLengthExceeded,

    InvalidDataPadding,

    InvalidSettings,

    /// <summary>HTTP/2: our SETTINGS were not acknowledged in time.</summary>
    SettingsTimeout,

    InvalidWindowUpdateSize,

    /// <summary>HTTP/2: field blocks that are no HPACK, too large, or in too many pieces.</summary>
    ErrorReadingHeaders,

    /// <summary>HTTP/2: more streams reset, or made to be reset, than a client has reason for.</summary>
    StreamResetLimitExceeded,

    /// <summary>HTTP/2: more of some frame than a client has reason for.</summary>
    FrameLimitExceeded,

    /// <summary>What has no name of its own: malformed chunks.</summary>
    OtherError,
}

internal static class ConnectionEndReasons
{
    /// <summary>Kestrel's word for the cause; null for a clean end.</summary>
    public static string? ErrorType(this ConnectionEndReason reason) => reason switch
    {
        <= ConnectionEndReason.ConnectionAge => null,
        ConnectionEndReason.ErrorAfterStartingResponse => "error_after_starting_response",
        ConnectionEndReason.ConnectionReset => "connection_reset",
        ConnectionEndReason.KeepAliveTimeout => "keep_alive_timeout",
        ConnectionEndReason.RequestHeadersTimeout => "request_headers_timeout",
        ConnectionEndReason.MinRequestBodyDataRate => "min_request_body_data_rate",
        ConnectionEndReason.MinResponseDataRate => "min_response_data_rate",
        ConnectionEndReason.ServerTimeout => "server_timeout",
        ConnectionEndReason.InvalidRequestLine => "invalid_request_line",
        ConnectionEndReason.InvalidRequestHeaders => "invalid_request_headers",
        ConnectionEndReason.InvalidHttpVersion => "invalid_http_version",
        ConnectionEndReason.MaxRequestHeadersTotalSizeExceeded => "max_request_headers_total_size_exceeded",
        ConnectionEndReason.MaxRequestHeaderCountExceeded => "max_request_header_count_exceeded",
        ConnectionEndReason.MaxRequestBodySizeExceeded => "max_request_body_size_exceeded",
        ConnectionEndReason.UnexpectedEndOfRequestContent => "unexpected_end_of_request_content",
        ConnectionEndReason.ResponseContentLengthMismatch => "response_content_length_mismatch",
        ConnectionEndReason.AbortedByApp => "aborted_by_app",
        ConnectionEndReason.AppShutdownTimeout => "app_shutdown_timeout",
        ConnectionEndReason.WriteCanceled => "write_canceled",
        ConnectionEndReason.InvalidProxyHeader => "invalid_proxy_header",
        ConnectionEndReason.TlsHandshakeFailed => "tls_handshake_failed",
        ConnectionEndReason.InsufficientTlsVersion => "insufficient_tls_version",
        ConnectionEndReason.MaxConcurrentConnectionsExceeded => "max_concurrent_connections_exceeded",
        ConnectionEndReason.InvalidHandshake => "invalid_handshake",
        ConnectionEndReason.FlowControlWindowExceeded => "flow_control_window_exceeded",
        ConnectionEndReason.InvalidStreamId => "invalid_stream_id",
        ConnectionEndReason.FrameAfterStreamClose => "frame_after_stream_close",
        ConnectionEndReason.UnknownStream => "unknown_stream",
        ConnectionEndReason.UnexpectedFrame => "unexpected_frame",
        ConnectionEndReason.InvalidFrameLength => "invalid_frame_length",
        ConnectionEndReason.MaxFrameLengthExceeded => "max_frame_length_exceeded",
        ConnectionEndReason.InvalidDataPadding => "invalid_data_padding",
        ConnectionEndReason.InvalidSettings => "invalid_settings",
        ConnectionEndReason.SettingsTimeout => "settings_timeout",
        ConnectionEndReason.InvalidWindowUpdateSize => "invalid_window_update_size",
        ConnectionEndReason.ErrorReadingHeaders => "error_reading_headers",
        ConnectionEndReason.StreamResetLimitExceeded => "stream_reset_limit_exceeded",
        ConnectionEndReason.FrameLimitExceeded => "frame_limit_exceeded",
        ConnectionEndReason.UnhandledException or ConnectionEndReason.OtherError => "other_error",
        _ => throw new UnreachableException(),
    };
}
