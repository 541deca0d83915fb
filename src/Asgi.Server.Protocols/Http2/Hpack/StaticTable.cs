// The fields that every HPACK table begins with (RFC 7541, Appendix A). Read by both directions; immutable.

using System.Text;

namespace Asgi.Server.Protocols.Http2.Hpack;

internal static class StaticTable
{
    /// <summary>The entries have the indexes 1 to 61; the dynamic table goes on from there.</summary>
    public const int Count = 61;

    // Indexes that the code names
    public const int Status200 = 8;
    public const int Status204 = 9;
    public const int Status206 = 10;
    public const int Status304 = 11;
    public const int Status400 = 12;
    public const int Status404 = 13;
    public const int Status500 = 14;
    public const int ContentLength = 28;
    public const int Date = 33;
    public const int Server = 54;

    /// <summary>Name and value of each entry: that of index 1 stands at 0.</summary>
    public static readonly (string Name, string Value)[] Fields =
    [
        (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
        (":scheme", "http"), (":scheme", "https"),
        (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"), (":status", "404"),
        (":status", "500"),
        ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
        ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
        ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
        ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""),
        ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""),
        ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
        ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""),
        ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""),
        ("vary", ""), ("via", ""), ("www-authenticate", ""),
    ];

    private static readonly byte[] Text = Encoding.ASCII.GetBytes(string.Concat(Fields.Select(field => field.Name + field.Value)));
    private static readonly Entry[] Entries = MakeEntries();

    /// <summary>The entry of an index, which is 1 to 61.</summary>
    public static Entry Get(int index) => Entries[index];

    /// <summary>An entry of the table.</summary>
    /// <param name="Start">Where its name begins in the text of all entries; its value follows.</param>
    /// <param name="NameLength">Bytes of the name.</param>
    /// <param name="ValueLength">Bytes of the value.</param>
    /// <param name="NameIndex">The first index of the same name.</param>
    public readonly record struct Entry(short Start, byte NameLength, byte ValueLength, byte NameIndex)
    {
        public ReadOnlySpan<byte> Name => Text.AsSpan(Start, NameLength);

        /// <summary>The name and, directly behind it, the value.</summary>
        public ReadOnlySpan<byte> NameAndValue => Text.AsSpan(Start, NameLength + ValueLength);
    }

    private static Entry[] MakeEntries()
    {
        var entries = new Entry[Count + 1];
        int start = 0;
        for (int index = 1; index <= Count; index++)
        {
            (string name, string value) = Fields[index - 1];
            int nameIndex = 1 + Array.FindIndex(Fields, field => field.Name == name);
            entries[index] = new Entry((short)start, (byte)name.Length, (byte)value.Length, (byte)nameIndex);
            start += name.Length + value.Length;
        }
        return entries;
    }
}
