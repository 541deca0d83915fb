// Every reason for which a header block is no HPACK. All are connection errors of type COMPRESSION_ERROR (RFC 9113, 4.3). Immutable.

namespace Asgi.Server.Protocols.Http2.Hpack;

/// <param name="name">A stable name of the reason.</param>
/// <param name="message">What was wrong, in English, for the log.</param>
/// <param name="section">The section that is violated, as in "RFC 7541 5.1".</param>
internal sealed class HpackFault(string name, string message, string section)
{
    public static readonly HpackFault Truncated = new(nameof(Truncated),
        "The header block ends within a representation.", "RFC 7541 5");
    public static readonly HpackFault IntegerTooLarge = new(nameof(IntegerTooLarge),
        "An integer is longer than any that could be meant.", "RFC 7541 5.1");
    public static readonly HpackFault EndOfString = new(nameof(EndOfString),
        "A Huffman-coded string holds the end-of-string symbol.", "RFC 7541 5.2");
    public static readonly HpackFault PaddingTooLong = new(nameof(PaddingTooLong),
        "The padding of a Huffman-coded string is longer than 7 bits.", "RFC 7541 5.2");
    public static readonly HpackFault InvalidPadding = new(nameof(InvalidPadding),
        "The padding of a Huffman-coded string is not all ones.", "RFC 7541 5.2");
    public static readonly HpackFault IndexZero = new(nameof(IndexZero),
        "An indexed field has the index 0.", "RFC 7541 6.1");
    public static readonly HpackFault InvalidIndex = new(nameof(InvalidIndex),
        "An index is beyond the end of the dynamic table.", "RFC 7541 2.3.3");
    public static readonly HpackFault TableSizeTooLarge = new(nameof(TableSizeTooLarge),
        "A table size update exceeds what SETTINGS allow.", "RFC 7541 6.3");
    public static readonly HpackFault TableSizeMisplaced = new(nameof(TableSizeMisplaced),
        "A table size update does not stand at the beginning of the header block.", "RFC 7541 4.2");
    public static readonly HpackFault TooManyTableSizes = new(nameof(TooManyTableSizes),
        "There are more than two table size updates in a row.", "RFC 7541 4.2");
    public static readonly HpackFault TableSizeMissing = new(nameof(TableSizeMissing),
        "The table was made smaller by SETTINGS, and the header block does not begin by saying so.", "RFC 7541 4.2");

    public string Name { get; } = name;

    public string Message { get; } = message;

    public string Section { get; } = section;

    public override string ToString() => $"{Name}: {Message} ({Section})";
}
