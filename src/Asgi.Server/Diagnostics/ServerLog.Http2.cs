// What the server logs of HTTP/2. Plain values in, any thread; ids as Kestrel's where the event is the same.
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Diagnostics;

internal sealed partial class ServerLog
{
    private readonly UnfailingLogger _http2 = new(factory.CreateLogger("Asgi.Server.Http2"));

    public void Http2Failed(string connectionId, string fault, string reason, string section) =>
        Http2Failed(_http2, connectionId, fault, reason, section);

    public void HeadersNotDecoded(string connectionId, string fault, string reason, string section) =>
        HeadersNotDecoded(_http2, connectionId, fault, reason, section);

    public void StreamFailed(string connectionId, int streamId, string fault, string reason, string section) =>
        StreamFailed(_http2, connectionId, streamId, fault, reason, section);

    /// <param name="connectionId">The connection.</param>
    /// <param name="streamId">The stream.</param>
    /// <param name="errorCode">The name of the code, or its number.</param>
    public void StreamReset(string connectionId, int streamId, string errorCode) => StreamReset(_http2, connectionId, streamId, errorCode);

    /// <inheritdoc cref="StreamReset(string, int, string)"/>
    public void StreamAborted(string connectionId, int streamId, string errorCode) =>
        StreamAborted(_http2, connectionId, streamId, errorCode);

    public void TooManyStreams(string connectionId) => TooManyStreams(_http2, connectionId);

    public void FieldNotEncoded(string connectionId, int streamId, string field) => FieldNotEncoded(_http2, connectionId, streamId, field);

    public void ConnectionFieldsRemoved(string connectionId, int streamId) => ConnectionFieldsRemoved(_http2, connectionId, streamId);

    public void Http2Closing(string connectionId) => Http2Closing(_http2, connectionId);

    public void Http2Closed(string connectionId, int lastStreamId) => Http2Closed(_http2, connectionId, lastStreamId);

    [LoggerMessage(29, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": HTTP/2 connection error {Fault}: {Reason} ({Section})",
        EventName = "Http2ConnectionError")]
    private static partial void Http2Failed(ILogger logger, string connectionId, string fault, string reason, string section);

    [LoggerMessage(30, LogLevel.Debug,
        "Connection id \"{ConnectionId}\", stream {StreamId}: HTTP/2 stream error {Fault}: {Reason} ({Section})",
        EventName = "Http2StreamError")]
    private static partial void StreamFailed(
        ILogger logger, string connectionId, int streamId, string fault, string reason, string section);

    [LoggerMessage(31, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": HPACK decoding error {Fault}: {Reason} ({Section})",
        EventName = "HPackDecodingError")]
    private static partial void HeadersNotDecoded(ILogger logger, string connectionId, string fault, string reason, string section);

    [LoggerMessage(35, LogLevel.Debug,
        "Connection id \"{ConnectionId}\", stream {StreamId}: reset by the application with error code {ErrorCode}.",
        EventName = "Http2StreamResetAbort")]
    private static partial void StreamAborted(ILogger logger, string connectionId, int streamId, string errorCode);

    [LoggerMessage(106, LogLevel.Debug,
        "Connection id \"{ConnectionId}\", stream {StreamId}: reset by the client with error code {ErrorCode}.",
        EventName = "Http2StreamResetByClient")]
    private static partial void StreamReset(ILogger logger, string connectionId, int streamId, string errorCode);

    [LoggerMessage(36, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" is closing: its client is told to open no more streams.",
        EventName = "Http2ConnectionClosing")]
    private static partial void Http2Closing(ILogger logger, string connectionId);

    [LoggerMessage(38, LogLevel.Information,
        "Connection id \"{ConnectionId}\", stream {StreamId}: the response has a field that must not be sent, {Field}.",
        EventName = "HPackEncodingError")]
    private static partial void FieldNotEncoded(ILogger logger, string connectionId, int streamId, string field);

    [LoggerMessage(40, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": a stream was refused, as many are open as Http2.MaxStreamsPerConnection allows.",
        EventName = "Http2MaxConcurrentStreamsReached")]
    private static partial void TooManyStreams(ILogger logger, string connectionId);

    [LoggerMessage(41, LogLevel.Warning,
        "Connection id \"{ConnectionId}\", stream {StreamId}: connection-specific fields of the response were removed.",
        EventName = "InvalidResponseHeaderRemoved")]
    private static partial void ConnectionFieldsRemoved(ILogger logger, string connectionId, int streamId);

    [LoggerMessage(48, LogLevel.Debug,
        "Connection id \"{ConnectionId}\" is closed. The last processed stream was {LastStreamId}.",
        EventName = "Http2ConnectionClosed")]
    private static partial void Http2Closed(ILogger logger, string connectionId, int lastStreamId);
}
