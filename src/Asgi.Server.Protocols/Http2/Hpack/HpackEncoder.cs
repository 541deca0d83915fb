// Field lines to header blocks (RFC 7541, sections 6 and 7), and the last guard against what must not be sent. One per connection, called by
// the driver on its loop, in the order the blocks go out.

using Asgi.Server.Protocols.Http;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal enum BlockResult
{
    Done,

    /// <summary>The target is too small; nothing counts as written, and the table is as it was.</summary>
    TooSmall,

    /// <summary>A name, a value or the status may not be sent (<see cref="HpackEncoder.Invalid"/>); nothing counts as written.</summary>
    InvalidField,
}

/// <summary>The values of the fields that the server adds, each empty where it adds none. Valid field values, as the server made them.</summary>
internal readonly struct DefaultFieldValues
{
    public ReadOnlyMemory<byte> Date { get; init; }

    public ReadOnlyMemory<byte> Server { get; init; }
}

internal sealed class HpackEncoder
{
    /// <summary>The peer's SETTINGS_HEADER_TABLE_SIZE; no more than 4096 is used of it. The next block says so to the peer.</summary>
    public int TableSizeMax { get; set; }

    /// <summary>Whether fields are put into the dynamic table. Set before the first block.</summary>
    public bool UsesDynamicTable { get; set; } = true;

    /// <summary>After InvalidField: the name of the field, or "status-code".</summary>
    public string? Invalid { get; private set; }

    /// <summary>Encodes the head of a response into one block, or does nothing. <paramref name="written"/> is 0 unless Done.</summary>
    public BlockResult EncodeResponse(
        Span<byte> target, int status, long? contentLength, FieldSource? fields, in DefaultFieldValues defaults, out int written) =>
        throw new NotImplementedException();

    /// <summary>Encodes a trailer section into one block, or does nothing. <paramref name="written"/> is 0 unless Done.</summary>
    public BlockResult EncodeTrailers(Span<byte> target, FieldSource fields, out int written) => throw new NotImplementedException();

    /// <summary>The name of the first field that must not be sent, or null. No state: any thread.</summary>
    public static string? FindInvalid(FieldSource fields) => throw new NotImplementedException();
}
