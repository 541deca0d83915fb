// Reads a PROXY header, of either version, from the first bytes of a connection. Called by the driver on its loop's thread each time that
// bytes came; no state, since a header is short: what is there is looked at again.

namespace Asgi.Server.Protocols.ProxyProtocol;

internal enum ProxyEvent
{
    /// <summary>The header is not complete; nothing is consumed.</summary>
    NeedData,

    /// <summary>A header was read.</summary>
    Header,

    /// <summary>The bytes do not begin as a header of either version does; nothing is consumed.</summary>
    Absent,

    /// <summary>The header is refused; nothing is consumed.</summary>
    Fault,
}

internal static class ProxyHeaderReader
{
    /// <summary>The longest header there can be: 16 bytes and what their 16 bits of length say.</summary>
    public const int LengthMax = BinaryHeaderParser.FixedLength + ushort.MaxValue;

    /// <summary>
    /// The longest header without TLVs, a pair of unix sockets: what every receiver has to take.
    /// </summary>
    public const int LengthMin = BinaryHeaderParser.FixedLength + BinaryHeaderParser.UnixAddressesLength;

    /// <summary>Reads the header that the bytes begin with.</summary>
    /// <param name="bytes">All that has come, from the connection's first byte on.</param>
    /// <param name="lengthMax">Bytes a header may have.</param>
    /// <param name="header">The header, if the event says so.</param>
    /// <param name="consumed">Its length; what follows is the client's.</param>
    /// <param name="fault">Why it is refused, if the event says so.</param>
    public static ProxyEvent Read(
        ReadOnlySpan<byte> bytes, int lengthMax, out ProxyHeader? header, out int consumed, out ProxyFault? fault)
    {
        header = null;
        consumed = 0;
        fault = null;
        bool isText = Begins(bytes, TextHeaderParser.Prefix);
        if (!isText && !Begins(bytes, BinaryHeaderParser.Signature))
            return ProxyEvent.Absent;
        if (bytes.Length < (isText ? TextHeaderParser.Prefix.Length : BinaryHeaderParser.FixedLength))
            return ProxyEvent.NeedData;
        return isText
            ? TextHeaderParser.Read(bytes, out header, out consumed, out fault)
            : BinaryHeaderParser.Read(bytes, lengthMax, out header, out consumed, out fault);
    }

    // As far as the bytes go; before the first byte everything is possible.
    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected)
    {
        int length = Math.Min(bytes.Length, expected.Length);
        return bytes[..length].SequenceEqual(expected[..length]);
    }
}
