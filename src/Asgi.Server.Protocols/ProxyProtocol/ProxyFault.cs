// Why a PROXY header is refused, as a value: one static instance per reason. Given by the parsers, read by the driver for the log;
// immutable.

namespace Asgi.Server.Protocols.ProxyProtocol;

/// <param name="name">A stable name of the reason.</param>
/// <param name="message">What was wrong, in English, for the log.</param>
/// <param name="section">The section of the PROXY protocol's specification that is violated.</param>
internal sealed class ProxyFault(string name, string message, string section)
{
    // Both versions
    public static readonly ProxyFault TooLong = new(nameof(TooLong),
        "The header is longer than it may be.", "PROXY 2.2");

    // Version 1
    public static readonly ProxyFault LineTooLong = new(nameof(LineTooLong),
        "The line does not end within 107 bytes.", "PROXY 2.1");
    public static readonly ProxyFault BareLineEnd = new(nameof(BareLineEnd),
        "The line does not end in CR LF.", "PROXY 2.1");
    public static readonly ProxyFault InvalidLine = new(nameof(InvalidLine),
        "The line is not a protocol, two addresses and two ports with one space between them.", "PROXY 2.1");
    public static readonly ProxyFault InvalidAddress = new(nameof(InvalidAddress),
        "An address is not of its family, or not in canonical form.", "PROXY 2.1");
    public static readonly ProxyFault InvalidPort = new(nameof(InvalidPort),
        "A port is not a decimal number from 0 to 65535.", "PROXY 2.1");

    // Version 2
    public static readonly ProxyFault UnknownVersion = new(nameof(UnknownVersion),
        "The version behind the signature is not 2.", "PROXY 2.2");
    public static readonly ProxyFault UnknownCommand = new(nameof(UnknownCommand),
        "The command is neither LOCAL nor PROXY.", "PROXY 2.2");
    public static readonly ProxyFault UnknownFamily = new(nameof(UnknownFamily),
        "The address family or the transport protocol has no meaning.", "PROXY 2.2");
    public static readonly ProxyFault AddressesCut = new(nameof(AddressesCut),
        "The header is too short for the addresses of its family.", "PROXY 2.2");
    public static readonly ProxyFault InvalidTlv = new(nameof(InvalidTlv),
        "A TLV is longer than the rest of the header, or has a length that its type does not allow.", "PROXY 2.2.1");
    public static readonly ProxyFault WrongChecksum = new(nameof(WrongChecksum),
        "The CRC32C of the header is wrong.", "PROXY 2.2.3");

    public string Name { get; } = name;

    public string Message { get; } = message;

    public string Section { get; } = section;

    public override string ToString() => $"{Name}: {Message} ({Section})";
}
