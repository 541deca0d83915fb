// Every reason for which the HTTP/1 machine refuses a message. Immutable.

using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http1;

internal static class Http1Faults
{
    private const int BadRequest = 400;
    private const int MethodNotAllowed = 405;
    private const int UriTooLong = 414;
    private const int HeaderFieldsTooLarge = 431;
    private const int NotImplemented = 501;
    private const int VersionNotSupported = 505;

    // Lines
    public static readonly HttpFault BareLineFeed = new(nameof(BareLineFeed), BadRequest,
        "A line ends in LF without CR.", "RFC 9112 2.2");
    public static readonly HttpFault BareCarriageReturn = new(nameof(BareCarriageReturn), BadRequest,
        "A CR is not followed by LF.", "RFC 9112 2.2");

    // Request line
    public static readonly HttpFault RequestLineTooLong = new(nameof(RequestLineTooLong), UriTooLong,
        "The request line is too long.", "RFC 9112 3");
    public static readonly HttpFault InvalidMethod = new(nameof(InvalidMethod), BadRequest,
        "The method is not a token followed by one space.", "RFC 9112 3.1");
    public static readonly HttpFault InvalidTarget = new(nameof(InvalidTarget), BadRequest,
        "The request target is invalid.", "RFC 9112 3.2");
    public static readonly HttpFault NullInPath = new(nameof(NullInPath), BadRequest,
        "The path contains an encoded NUL.", "RFC 3986 7.3");
    public static readonly HttpFault UserInformation = new(nameof(UserInformation), BadRequest,
        "The request target contains user information.", "RFC 9110 4.2.4");
    public static readonly HttpFault InvalidConnectTarget = new(nameof(InvalidConnectTarget), BadRequest,
        "The target of CONNECT is not host and port.", "RFC 9112 3.2.3");
    public static readonly HttpFault AuthorityFormOnlyForConnect = new(nameof(AuthorityFormOnlyForConnect), MethodNotAllowed,
        "Only CONNECT may have a target in authority form.", "RFC 9112 3.2.3", allow: "CONNECT");
    public static readonly HttpFault AsteriskFormOnlyForOptions = new(nameof(AsteriskFormOnlyForOptions), MethodNotAllowed,
        "Only OPTIONS may have a target in asterisk form.", "RFC 9112 3.2.4", allow: "OPTIONS");
    public static readonly HttpFault InvalidVersion = new(nameof(InvalidVersion), BadRequest,
        "The request line does not end in an HTTP version.", "RFC 9112 2.3");
    public static readonly HttpFault UnsupportedVersion = new(nameof(UnsupportedVersion), VersionNotSupported,
        "The HTTP version is neither 1.1 nor 1.0.", "RFC 9112 2.3");

    // Field lines
    public static readonly HttpFault InvalidFieldName = new(nameof(InvalidFieldName), BadRequest,
        "A field name is not a token followed by a colon.", "RFC 9112 5.1");
    public static readonly HttpFault WhitespaceBeforeColon = new(nameof(WhitespaceBeforeColon), BadRequest,
        "There is whitespace between a field name and the colon.", "RFC 9112 5.1");
    public static readonly HttpFault LineFolding = new(nameof(LineFolding), BadRequest,
        "A field line begins with whitespace.", "RFC 9112 5.2");
    public static readonly HttpFault InvalidFieldValue = new(nameof(InvalidFieldValue), BadRequest,
        "A field value contains a control character or is not UTF-8.", "RFC 9110 5.5");
    public static readonly HttpFault FieldSectionTooLarge = new(nameof(FieldSectionTooLarge), HeaderFieldsTooLarge,
        "The field section is too large.", "RFC 6585 5");
    public static readonly HttpFault TooManyFieldLines = new(nameof(TooManyFieldLines), HeaderFieldsTooLarge,
        "The field section has too many lines.", "RFC 6585 5");

    // Host
    public static readonly HttpFault MissingHost = new(nameof(MissingHost), BadRequest,
        "An HTTP/1.1 request needs a Host field.", "RFC 9112 3.2");
    public static readonly HttpFault MultipleHosts = new(nameof(MultipleHosts), BadRequest,
        "There is more than one Host field line.", "RFC 9112 3.2");
    public static readonly HttpFault InvalidHost = new(nameof(InvalidHost), BadRequest,
        "The Host field is not a host with an optional port.", "RFC 9112 3.2");
    public static readonly HttpFault HostMismatch = new(nameof(HostMismatch), BadRequest,
        "The Host field differs from the authority of the target.", "RFC 9112 3.2");

    // Framing
    public static readonly HttpFault InvalidContentLength = new(nameof(InvalidContentLength), BadRequest,
        "Content-Length is not one decimal number.", "RFC 9112 6.3");
    public static readonly HttpFault MissingContentLength = new(nameof(MissingContentLength), BadRequest,
        "An HTTP/1.0 request of this method needs Content-Length.", "RFC 1945 8.3");
    public static readonly HttpFault TransferEncodingInHttp10 = new(nameof(TransferEncodingInHttp10), BadRequest,
        "An HTTP/1.0 request has no Transfer-Encoding.", "RFC 9112 6.1");
    public static readonly HttpFault TransferEncodingAndContentLength = new(nameof(TransferEncodingAndContentLength), BadRequest,
        "Transfer-Encoding and Content-Length exclude each other.", "RFC 9112 6.1");
    public static readonly HttpFault InvalidTransferEncoding = new(nameof(InvalidTransferEncoding), BadRequest,
        "Transfer-Encoding does not end in one chunked coding.", "RFC 9112 6.3");
    public static readonly HttpFault UnknownTransferCoding = new(nameof(UnknownTransferCoding), NotImplemented,
        "A transfer coding other than chunked is not implemented.", "RFC 9112 6.1");

    // Chunked coding
    public static readonly HttpFault InvalidChunkSize = new(nameof(InvalidChunkSize), BadRequest,
        "A chunk size is not one to eight hexadecimal digits.", "RFC 9112 7.1");
    public static readonly HttpFault InvalidChunkExtension = new(nameof(InvalidChunkExtension), BadRequest,
        "A chunk extension contains a control character.", "RFC 9112 7.1.1");
    public static readonly HttpFault ChunkExtensionsTooLong = new(nameof(ChunkExtensionsTooLong), BadRequest,
        "The chunk extensions are too long.", "RFC 9112 7.1.1");
    public static readonly HttpFault InvalidChunkEnd = new(nameof(InvalidChunkEnd), BadRequest,
        "The data of a chunk is not followed by CRLF.", "RFC 9112 7.1");
}
