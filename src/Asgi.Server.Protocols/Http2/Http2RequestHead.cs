// The head of a request (RFC 9113, section 8.3.1): pseudo-fields and fields as offsets over bytes of its own. Filled by HeadReader when a
// header block is complete, read by the driver until the stream is released, on the connection's loop.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Protocols.Http2;

internal readonly record struct ByteRange(int Start, int Length);

internal sealed class Http2RequestHead
{
    // Few heads are larger; one that was need not keep its bytes for those to come.
    private const int BytesKeptMax = 8 * 1024;

    /// <summary>The bytes that all offsets are positions in. They stay until the stream is released.</summary>
    public byte[] Bytes => Storage.Array;

    public ByteRange Method { get; internal set; }

    /// <summary>:path as received, or the authority in a CONNECT that has none.</summary>
    public ByteRange Target { get; internal set; }

    public TargetForm Form { get; internal set; }

    /// <summary>The raw path without the query; length 0 in the asterisk form and in CONNECT.</summary>
    public ByteRange Path { get; internal set; }

    /// <summary>The query with its '?'; length 0 when there is none.</summary>
    public ByteRange Query { get; internal set; }

    /// <summary>Length 0 in a CONNECT without :protocol.</summary>
    public ByteRange Scheme { get; internal set; }

    /// <summary>Length 0 when there is none.</summary>
    public ByteRange Authority { get; internal set; }

    /// <summary>:protocol of an extended CONNECT (RFC 8441, 4); length 0 otherwise.</summary>
    public ByteRange Protocol { get; internal set; }

    public bool IsExtendedConnect => Protocol.Length > 0;

    /// <summary>
    /// The fields in the order received, without pseudo-fields. :authority stands first as "host", in the place of a Host field, and the
    /// lines of Cookie are one (8.2.3).
    /// </summary>
    public FieldSection Fields { get; } = new();

    public long? ContentLength { get; internal set; }

    /// <summary>Whether HEADERS came without END_STREAM.</summary>
    public bool HasContent { get; internal set; }

    /// <summary>Whether the client waits for 100 (RFC 9110, 10.1.1).</summary>
    public bool ExpectContinue { get; internal set; }

    /// <summary>
    /// A request that is well formed and too large for us (414, 431): the status to answer with. Then fields are missing. Otherwise null.
    /// </summary>
    public HttpFault? Fault { get; internal set; }

    internal FieldBytes Storage { get; private set; } = new(0);

    public ReadOnlySpan<byte> this[ByteRange range] => Storage.AsSpan(range.Start, range.Length);

    /// <summary>Makes a cleared head the same, with bytes of its own.</summary>
    internal void CopyTo(Http2RequestHead target)
    {
        target.Method = Method;
        target.Target = Target;
        target.Form = Form;
        target.Path = Path;
        target.Query = Query;
        target.Scheme = Scheme;
        target.Authority = Authority;
        target.Protocol = Protocol;
        target.ContentLength = ContentLength;
        target.HasContent = HasContent;
        target.ExpectContinue = ExpectContinue;
        target.Storage.Clear();
        Storage.AsSpan(0, Storage.Length).CopyTo(target.Storage.GetSpan(Storage.Length));
        target.Storage.Advance(Storage.Length);
        Fields.CopyLinesTo(target.Fields);
        target.Fields.Bind(target.Bytes, 0);
    }

    internal void Clear()
    {
        Method = Target = Path = Query = Scheme = Authority = Protocol = default;
        Form = TargetForm.Origin;
        Fields.Clear();
        ContentLength = null;
        HasContent = false;
        ExpectContinue = false;
        Fault = null;
        if (Bytes.Length > BytesKeptMax)
            Storage = new FieldBytes(0);
        Storage.Clear();
    }
}
