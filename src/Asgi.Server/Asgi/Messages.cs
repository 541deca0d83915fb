// The messages between server and application, as structs: ASGI's event dictionaries without the dictionaries.
using System.Buffers;
using Asgi.Server.Protocols.Http;
using Microsoft.Win32.SafeHandles;

namespace Asgi;

/// <summary>
/// ASGI's <c>http.request</c> and <c>http.disconnect</c>: content that has arrived. The bytes are borrowed until
/// <see cref="HttpExchange.AdvanceTo(SequencePosition, SequencePosition)"/>, which must follow each received message that is not a
/// disconnect.
/// </summary>
public readonly struct RequestBody
{
    internal RequestBody(in ReadOnlySequence<byte> body, bool moreBody)
    {
        Body = body;
        MoreBody = moreBody;
    }

    /// <summary>All content that has arrived and was not consumed.</summary>
    public ReadOnlySequence<byte> Body { get; private init; }

    /// <summary>Whether more content may follow.</summary>
    public bool MoreBody { get; private init; }

    /// <summary>
    /// ASGI's <c>http.disconnect</c>: no more content will come, because the client is gone or its content was malformed.
    /// </summary>
    public bool IsDisconnect { get; private init; }

    /// <summary>Why the content is refused, when it is the client's fault.</summary>
    internal HttpFault? Fault { get; private init; }

    /// <summary>Whether the receive was cancelled by <see cref="HttpExchange.CancelReceive"/>.</summary>
    internal bool IsCanceled { get; private init; }

    internal static RequestBody Disconnect => new() { IsDisconnect = true };

    internal static RequestBody Refused(HttpFault fault) => new() { IsDisconnect = true, Fault = fault };

    internal static RequestBody Canceled(in ReadOnlySequence<byte> body) => new() { Body = body, MoreBody = true, IsCanceled = true };
}

/// <summary>ASGI's <c>http.response.start</c>: status and fields of the response.</summary>
public readonly struct ResponseStart
{
    /// <param name="status">The status code; 200 to 999 for a native application, since 1xx is no final response.</param>
    /// <param name="fields">The fields, or null for none. Read once, when the head is written.</param>
    public ResponseStart(int status, ResponseFields? fields = null)
    {
        Status = status;
        Fields = fields;
    }

    /// <summary>The status code.</summary>
    public int Status { get; }

    /// <summary>The fields of the response, or null.</summary>
    public ResponseFields? Fields { get; }

    /// <summary>
    /// Whether <see cref="ResponseTrailers"/> follow the last content: the response is not complete before. It then goes chunked rather
    /// than with a length it could know.
    /// </summary>
    public bool Trailers { get; init; }

    /// <summary>The reason phrase, or null for the standard one. HTTP/1.1 only (RFC 9112, section 4).</summary>
    public string? ReasonPhrase { get; init; }
}

/// <summary>ASGI's <c>http.response.body</c>. The bytes are borrowed until the send completes.</summary>
/// <param name="Body">Content to send; may be empty.</param>
/// <param name="MoreBody">False ends the response.</param>
public readonly record struct ResponseBody(ReadOnlyMemory<byte> Body, bool MoreBody = false);

/// <summary>
/// ASGI's <c>http.response.pathsend</c> and <c>http.response.zerocopysend</c>: a file, or a part of it, as content. Where the connection
/// allows, the operating system sends it without a copy into the server's memory.
/// </summary>
public readonly struct ResponseFile
{
    /// <summary>A file by its path, which the server opens and closes.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="offset">Where to start, in bytes; at most the length of the file.</param>
    /// <param name="count">Bytes to send, at most those behind the offset; null for all of them.</param>
    public ResponseFile(string path, long offset = 0, long? count = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Path = path;
        Offset = offset;
        Count = count;
    }

    /// <summary>An open file, which stays the application's to close: at any time, the server keeps it open until it is sent.</summary>
    /// <param name="handle">A file opened for reading. Its position is neither used nor moved.</param>
    /// <param name="offset">Where to start, in bytes; at most the length of the file.</param>
    /// <param name="count">Bytes to send, at most those behind the offset; null for all of them.</param>
    public ResponseFile(SafeFileHandle handle, long offset = 0, long? count = null)
    {
        ArgumentNullException.ThrowIfNull(handle);
        Handle = handle;
        Offset = offset;
        Count = count;
    }

    /// <summary>The path of the file, or null when it is given by its handle.</summary>
    public string? Path { get; }

    /// <summary>The open file, or null when it is given by its path.</summary>
    public SafeFileHandle? Handle { get; }

    /// <summary>Where to start, in bytes.</summary>
    public long Offset { get; }

    /// <summary>Bytes to send, or null for all behind the offset.</summary>
    public long? Count { get; }

    /// <summary>Whether more content follows; false, the default, ends the response.</summary>
    public bool MoreBody { get; init; }
}

/// <summary>
/// ASGI's <c>http.response.trailers</c>: fields behind the content (RFC 9110, section 6.5). They end the response, so all of them are in
/// one message. They are dropped where the response has no place for them: to HTTP/1.0 or HEAD, with Content-Length, and without content.
/// </summary>
/// <param name="Fields">The fields, or null for none. Read once.</param>
public readonly record struct ResponseTrailers(ResponseFields? Fields);

/// <summary>
/// An interim response, such as ASGI's <c>http.response.early_hint</c>: 100 Continue, 102 Processing or 103 Early Hints (RFC 9110, section
/// 15.2; RFC 8297), sent before the response itself, as often as wanted.
/// </summary>
/// <param name="Status">100 to 199, but not 101, which ends HTTP on its connection.</param>
/// <param name="Fields">The fields, or null for none. Read once.</param>
public readonly record struct InformationalResponse(int Status, ResponseFields? Fields = null);
