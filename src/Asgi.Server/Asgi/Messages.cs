// The messages between server and application, as structs: ASGI's event dictionaries without the dictionaries.
using System.Buffers;
using Asgi.Server.Protocols.Http;

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

    /// <summary>The reason phrase, or null for the standard one. HTTP/1.1 only (RFC 9112, section 4).</summary>
    public string? ReasonPhrase { get; init; }
}

/// <summary>ASGI's <c>http.response.body</c>. The bytes are borrowed until the send completes.</summary>
/// <param name="Body">Content to send; may be empty.</param>
/// <param name="MoreBody">False ends the response.</param>
public readonly record struct ResponseBody(ReadOnlyMemory<byte> Body, bool MoreBody = false);
