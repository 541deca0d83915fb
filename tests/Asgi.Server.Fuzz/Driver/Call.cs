// What the scripted application did in one call, which is what its client must see.

using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Fuzz.Driver;

internal enum CallEnd
{
    /// <summary>Not yet.</summary>
    None,
    Returned,
    Thrown,
}

internal sealed class Call(HttpContext context)
{
    private readonly System.Text.StringBuilder _read = new();

    /// <summary>The client's: what tells which connection it came by.</summary>
    public int Port { get; } = context.Connection.RemotePort;

    /// <summary>What the server calls the request; over HTTP/2 it ends with the number of the stream.</summary>
    public string Trace { get; } = context.TraceIdentifier;

    public string Method { get; } = context.Request.Method;

    public string Target { get; } = context.Request.Path + context.Request.QueryString;

    /// <summary>What the response is about to have.</summary>
    public int Status { get; set; } = StatusCodes.Status200OK;

    /// <summary>The content that was written, a char for each byte, in all.</summary>
    public System.Text.StringBuilder Written { get; } = new();

    public string Read => _read.ToString();

    /// <summary>Whether it announced more content than it wrote.</summary>
    public bool IsShort { get; set; }

    public bool IsAborted { get; set; }

    /// <summary>What its trailer says, if it has one.</summary>
    public string? Trailer { get; set; }

    /// <summary>What the trailer of the request said, once all content was read.</summary>
    public string? RequestTrailer { get; set; }

    public CallEnd End { get; private set; }

    /// <summary>Whether the response had begun when it ended.</summary>
    public bool HadStarted { get; private set; }

    public void NoteRead(ReadOnlySpan<byte> content) => _read.Append(System.Text.Encoding.Latin1.GetString(content));

    public void NoteEnd(CallEnd end, bool hasStarted) => (End, HadStarted) = (end, hasStarted);

    public override string ToString() =>
        $"{Method} {Target}: {End}, status {Status}, {Written.Length} written, {Read.Length} read"
        + $"{(HadStarted ? ", started" : "")}{(IsAborted ? ", aborted" : "")}{(IsShort ? ", short" : "")}";
}
