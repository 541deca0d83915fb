// Header blocks to field lines (RFC 7541, sections 3.2 and 6). One per connection, called by the HTTP/2 machine for every block in the
// order of arrival, those of refused streams included: each may change the table.

namespace Asgi.Server.Protocols.Http2.Hpack;

/// <param name="tableSizeMax">SETTINGS_HEADER_TABLE_SIZE as we announce it with the connection's first frame.</param>
internal sealed class HpackDecoder(int tableSizeMax)
{
    /// <summary>Why the last call answered Fault.</summary>
    public HpackFault? Fault { get; private set; }

    /// <summary>Our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it.</summary>
    public int TableSizeMax { get; set; } = tableSizeMax;

    /// <summary>Begins a header block: the whole of HEADERS and its CONTINUATIONs.</summary>
    public void BeginBlock() => throw new NotImplementedException();

    /// <summary>
    /// Reads the next field line of a whole, contiguous header block. Its name and value are appended to <paramref name="into"/>.
    /// </summary>
    public HpackResult Next(ReadOnlySpan<byte> block, ref int position, FieldBytes into, out HpackField field) =>
        throw new NotImplementedException();
}
