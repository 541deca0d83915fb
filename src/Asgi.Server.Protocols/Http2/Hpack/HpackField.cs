// A field line as the decoder tells it: offsets, no bytes of its own.

namespace Asgi.Server.Protocols.Http2.Hpack;

internal enum HpackResult
{
    /// <summary>A field line.</summary>
    Field,

    /// <summary>The block is over.</summary>
    End,

    /// <summary>The block is no HPACK: a connection error, COMPRESSION_ERROR (RFC 9113, 4.3). Final.</summary>
    Fault,
}

/// <summary>Where name and value lie in the <see cref="FieldBytes"/> they were appended to.</summary>
internal readonly struct HpackField
{
    public int NameStart { get; init; }

    public int NameLength { get; init; }

    public int ValueStart { get; init; }

    public int ValueLength { get; init; }

    /// <summary>
    /// The first entry of the static table that has the name, if the peer took the name from there, directly or by way of the dynamic
    /// table; else 0. A name that was spelled out has 0, whatever it is.
    /// </summary>
    public int StaticIndex { get; init; }

    /// <summary>Whether the peer wants the field never to be put into a table, by nobody on the way (RFC 7541, 7.1.3).</summary>
    public bool IsNeverIndexed { get; init; }

    /// <summary>Whether the field did not fit into the bytes. Then there are none of it, and the table is right even so.</summary>
    public bool IsTooLong { get; init; }
}
