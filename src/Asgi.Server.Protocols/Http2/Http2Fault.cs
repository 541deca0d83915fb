// A fault of the peer as a value (RFC 9113, section 5.4): one static instance per reason, so that refusing allocates and throws nothing.
// Given by the machine, read by the driver for RST_STREAM, GOAWAY, log and metrics; immutable.

namespace Asgi.Server.Protocols.Http2;

/// <param name="name">A stable name of the reason.</param>
/// <param name="code">What the peer is told.</param>
/// <param name="message">What was wrong, in English, for the log and the debug data of GOAWAY.</param>
/// <param name="section">The section that is violated, as in "RFC 9113 6.9".</param>
internal sealed class Http2Fault(string name, Http2ErrorCode code, string message, string section)
{
    public string Name { get; } = name;

    public Http2ErrorCode Code { get; } = code;

    public string Message { get; } = message;

    public string Section { get; } = section;

    public override string ToString() => $"{Code} {Name}: {Message} ({Section})";
}
