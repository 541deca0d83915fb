// Every reason for which the HTTP/2 machine refuses a frame, a stream, a request or a connection. Immutable.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Protocols.Http2;

internal static class Http2Faults
{
    // Preface and frames
    public static readonly Http2Fault InvalidPreface = new(nameof(InvalidPreface), Http2ErrorCode.ProtocolError,
        "The connection does not begin with the preface of HTTP/2.", "RFC 9113 3.4");
    public static readonly Http2Fault SettingsNotFirst = new(nameof(SettingsNotFirst), Http2ErrorCode.ProtocolError,
        "The preface is not followed by SETTINGS.", "RFC 9113 3.4");
    public static readonly Http2Fault FrameTooLarge = new(nameof(FrameTooLarge), Http2ErrorCode.FrameSizeError,
        "A frame is larger than SETTINGS_MAX_FRAME_SIZE.", "RFC 9113 4.2");
    public static readonly Http2Fault InvalidFrameSize = new(nameof(InvalidFrameSize), Http2ErrorCode.FrameSizeError,
        "The size of a frame does not fit its type.", "RFC 9113 4.2");
    public static readonly Http2Fault InvalidPadding = new(nameof(InvalidPadding), Http2ErrorCode.ProtocolError,
        "The padding of a frame is as long as the frame, or longer.", "RFC 9113 6.1");
    public static readonly Http2Fault StreamFrameOnConnection = new(nameof(StreamFrameOnConnection), Http2ErrorCode.ProtocolError,
        "A frame that belongs to a stream bears the stream id 0.", "RFC 9113 5.1.1");
    public static readonly Http2Fault ConnectionFrameOnStream = new(nameof(ConnectionFrameOnStream), Http2ErrorCode.ProtocolError,
        "A frame that belongs to the connection bears the id of a stream.", "RFC 9113 5.1.1");
    public static readonly Http2Fault PushFromClient = new(nameof(PushFromClient), Http2ErrorCode.ProtocolError,
        "A client sent PUSH_PROMISE.", "RFC 9113 8.4");
    public static readonly Http2Fault HeaderBlockInterrupted = new(nameof(HeaderBlockInterrupted), Http2ErrorCode.ProtocolError,
        "A field block is interrupted by another frame.", "RFC 9113 4.3");
    public static readonly Http2Fault UnexpectedContinuation = new(nameof(UnexpectedContinuation), Http2ErrorCode.ProtocolError,
        "CONTINUATION does not follow an unfinished field block.", "RFC 9113 6.10");

    // Streams
    public static readonly Http2Fault UnexpectedStreamId = new(nameof(UnexpectedStreamId), Http2ErrorCode.ProtocolError,
        "A stream is opened with an id that is even, or below one used before.", "RFC 9113 5.1.1");
    public static readonly Http2Fault IdleStream = new(nameof(IdleStream), Http2ErrorCode.ProtocolError,
        "A frame concerns a stream that was never opened.", "RFC 9113 5.1");
    public static readonly Http2Fault StreamClosed = new(nameof(StreamClosed), Http2ErrorCode.StreamClosed,
        "A stream that its sender has ended goes on.", "RFC 9113 5.1");
    public static readonly Http2Fault SelfDependency = new(nameof(SelfDependency), Http2ErrorCode.ProtocolError,
        "A stream depends on itself.", "RFC 7540 5.3.1");
    public static readonly Http2Fault StreamRefused = new(nameof(StreamRefused), Http2ErrorCode.RefusedStream,
        "There are more streams than SETTINGS_MAX_CONCURRENT_STREAMS allows.", "RFC 9113 5.1.2");

    // Settings
    public static readonly Http2Fault InvalidEnablePush = new(nameof(InvalidEnablePush), Http2ErrorCode.ProtocolError,
        "SETTINGS_ENABLE_PUSH is neither 0 nor 1.", "RFC 9113 6.5.2");
    public static readonly Http2Fault InvalidInitialWindowSize = new(nameof(InvalidInitialWindowSize), Http2ErrorCode.FlowControlError,
        "SETTINGS_INITIAL_WINDOW_SIZE is above 2^31-1.", "RFC 9113 6.5.2");
    public static readonly Http2Fault InvalidMaxFrameSize = new(nameof(InvalidMaxFrameSize), Http2ErrorCode.ProtocolError,
        "SETTINGS_MAX_FRAME_SIZE is not between 2^14 and 2^24-1.", "RFC 9113 6.5.2");
    public static readonly Http2Fault InvalidEnableConnectProtocol = new(nameof(InvalidEnableConnectProtocol),
        Http2ErrorCode.ProtocolError, "SETTINGS_ENABLE_CONNECT_PROTOCOL is neither 0 nor 1.", "RFC 8441 3");

    // Flow control
    public static readonly Http2Fault WindowExceeded = new(nameof(WindowExceeded), Http2ErrorCode.FlowControlError,
        "There is more DATA than the window allows.", "RFC 9113 6.9.1");
    public static readonly Http2Fault WindowTooLarge = new(nameof(WindowTooLarge), Http2ErrorCode.FlowControlError,
        "A window grows beyond 2^31-1.", "RFC 9113 6.9.1");
    public static readonly Http2Fault EmptyWindowUpdate = new(nameof(EmptyWindowUpdate), Http2ErrorCode.ProtocolError,
        "WINDOW_UPDATE has an increment of 0.", "RFC 9113 6.9");

    // Malformed messages
    public static readonly Http2Fault InvalidFieldName = Malformed(nameof(InvalidFieldName),
        "A field name is not a token in lower case.", "RFC 9113 8.2.1");
    public static readonly Http2Fault InvalidFieldValue = Malformed(nameof(InvalidFieldValue),
        "A field value contains a control character, has whitespace around it or is not UTF-8.", "RFC 9113 8.2.1");
    public static readonly Http2Fault ConnectionSpecificField = Malformed(nameof(ConnectionSpecificField),
        "A field concerns the connection, as in HTTP/1.", "RFC 9113 8.2.2");
    public static readonly Http2Fault UnknownPseudoField = Malformed(nameof(UnknownPseudoField),
        "A pseudo-field is not one of a request.", "RFC 9113 8.3");
    public static readonly Http2Fault MisplacedPseudoField = Malformed(nameof(MisplacedPseudoField),
        "A pseudo-field stands behind a field, or in trailers.", "RFC 9113 8.3");
    public static readonly Http2Fault RepeatedPseudoField = Malformed(nameof(RepeatedPseudoField),
        "A pseudo-field is repeated.", "RFC 9113 8.3");
    public static readonly Http2Fault MissingPseudoField = Malformed(nameof(MissingPseudoField),
        "The request lacks :method, :scheme or :path.", "RFC 9113 8.3.1");
    public static readonly Http2Fault InvalidMethod = Malformed(nameof(InvalidMethod),
        ":method is not a token.", "RFC 9113 8.3.1");
    public static readonly Http2Fault InvalidScheme = Malformed(nameof(InvalidScheme),
        ":scheme is not a scheme.", "RFC 9113 8.3.1");
    public static readonly Http2Fault InvalidPath = Malformed(nameof(InvalidPath),
        ":path is empty, does not begin with a slash, or has characters that no target has.", "RFC 9113 8.3.1");
    public static readonly Http2Fault NullInPath = Malformed(nameof(NullInPath),
        ":path contains an encoded NUL.", "RFC 3986 7.3");
    public static readonly Http2Fault AsteriskFormOnlyForOptions = Malformed(nameof(AsteriskFormOnlyForOptions),
        "Only OPTIONS may have the :path '*'.", "RFC 9113 8.3.1");
    public static readonly Http2Fault InvalidAuthority = Malformed(nameof(InvalidAuthority),
        ":authority or Host is no host, or one with user information.", "RFC 9113 8.3.1");
    public static readonly Http2Fault HostMismatch = Malformed(nameof(HostMismatch),
        "Host differs from :authority, or is repeated.", "RFC 9113 8.3.1");
    public static readonly Http2Fault InvalidConnect = Malformed(nameof(InvalidConnect),
        "CONNECT has :scheme or :path, or an :authority that is not host and port.", "RFC 9113 8.5");
    public static readonly Http2Fault InvalidExtendedConnect = Malformed(nameof(InvalidExtendedConnect),
        ":protocol is not a token, does not belong to CONNECT, or was not announced.", "RFC 8441 4");
    public static readonly Http2Fault InvalidContentLength = Malformed(nameof(InvalidContentLength),
        "Content-Length is not a number, or is repeated.", "RFC 9110 8.6");
    public static readonly Http2Fault ContentLengthMismatch = Malformed(nameof(ContentLengthMismatch),
        "The DATA frames do not sum up to Content-Length.", "RFC 9113 8.1.1");
    public static readonly Http2Fault TrailersNotLast = Malformed(nameof(TrailersNotLast),
        "A second field block does not end the stream.", "RFC 9113 8.1");

    // Abuse
    public static readonly Http2Fault TrailersTooLarge = Calm(nameof(TrailersTooLarge), "The trailer section is too large.");
    public static readonly Http2Fault HeaderBlockTooLarge = Calm(nameof(HeaderBlockTooLarge),
        "A field section is far larger than SETTINGS_MAX_HEADER_LIST_SIZE.");
    public static readonly Http2Fault TooManyContinuations = Calm(nameof(TooManyContinuations),
        "A field block comes in too many fragments.");
    public static readonly Http2Fault TooManyResets = Calm(nameof(TooManyResets), "Too many streams are reset or refused.");
    public static readonly Http2Fault TooManyStreamFaults = Calm(nameof(TooManyStreamFaults), "Too many streams are faulty.");
    public static readonly Http2Fault TooManySettings = Calm(nameof(TooManySettings), "There are too many SETTINGS frames.");
    public static readonly Http2Fault TooManyPings = Calm(nameof(TooManyPings), "There are too many PING frames.");
    public static readonly Http2Fault TooManyEmptyDataFrames = Calm(nameof(TooManyEmptyDataFrames),
        "There are too many empty DATA frames.");
    public static readonly Http2Fault TooManyPriorities = Calm(nameof(TooManyPriorities), "There are too many PRIORITY frames.");
    public static readonly Http2Fault TooManyUnknownFrames = Calm(nameof(TooManyUnknownFrames),
        "There are too many frames that change nothing.");
    public static readonly Http2Fault TooManyTinyWindowUpdates = Calm(nameof(TooManyTinyWindowUpdates),
        "There are too many WINDOW_UPDATE frames with small increments.");

    // What is answered
    public static readonly HttpFault RequestLineTooLong = new(nameof(RequestLineTooLong), 414,
        "The method and the target are too long.", "RFC 9110 15.5.15");
    public static readonly HttpFault FieldSectionTooLarge = new(nameof(FieldSectionTooLarge), 431,
        "The field section is too large.", "RFC 6585 5");
    public static readonly HttpFault TooManyFieldLines = new(nameof(TooManyFieldLines), 431,
        "The field section has too many lines.", "RFC 6585 5");

    /// <summary>A block that is no HPACK; made once per connection, which is closed for it.</summary>
    public static Http2Fault Compression(HpackFault fault) =>
        new(fault.Name, Http2ErrorCode.CompressionError, fault.Message, fault.Section);

    private static Http2Fault Malformed(string name, string message, string section) =>
        new(name, Http2ErrorCode.ProtocolError, message, section);

    private static Http2Fault Calm(string name, string message) =>
        new(name, Http2ErrorCode.EnhanceYourCalm, message, "RFC 9113 10.5");
}
