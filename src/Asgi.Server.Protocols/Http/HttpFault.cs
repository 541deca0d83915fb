// A fault of the peer as a value: one static instance per reason, so that refusing a message allocates and throws nothing.
// Given by the machines, read by drivers for the answer and for the log; immutable.

namespace Asgi.Server.Protocols.Http;

/// <param name="name">A stable name of the reason.</param>
/// <param name="status">The status code to answer with.</param>
/// <param name="message">What was wrong, in English, for the log and the exception the application may see.</param>
/// <param name="section">The section that is violated, as in "RFC 9112 3.2".</param>
/// <param name="allow">The value of the Allow field that a 405 must carry (RFC 9110, 15.5.6).</param>
internal sealed class HttpFault(string name, int status, string message, string section, string? allow = null)
{
    public string Name { get; } = name;

    public int Status { get; } = status;

    public string Message { get; } = message;

    public string Section { get; } = section;

    public string? Allow { get; } = allow;

    public override string ToString() => $"{Status} {Name}: {Message} ({Section})";
}
