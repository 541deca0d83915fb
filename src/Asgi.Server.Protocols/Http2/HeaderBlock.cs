// A field block in several fragments (RFC 9113, sections 4.3 and 6.10), gathered until END_HEADERS. Owned by the machine. A block that is
// whole in its HEADERS frame never comes here.

namespace Asgi.Server.Protocols.Http2;

internal sealed class HeaderBlock(Http2Limits limits)
{
    private readonly int _fragmentsMax = limits.ContinuationsMax + limits.HeaderBlockSizeMax / Http2Frame.MinMaxPayload;

    private byte[] _bytes = [];
    private int _length;
    private int _fragments;

    /// <summary>The stream whose CONTINUATION must come next, or 0.</summary>
    public int StreamId { get; private set; }

    /// <summary>Whether its HEADERS frame had END_STREAM.</summary>
    public bool EndStream { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public void Begin(in Http2Frame frame, ReadOnlySpan<byte> fragment)
    {
        StreamId = frame.StreamId;
        EndStream = frame.Has(Http2FrameFlags.EndStream);
        _length = 0;
        _fragments = 0;
        Append(fragment);
    }

    /// <summary>What is wrong with one more fragment of this size, before it is there. An empty one costs as much as any other.</summary>
    public Http2Fault? Judge(int length) =>
        _fragments >= _fragmentsMax ? Http2Faults.TooManyContinuations
            : length > limits.HeaderBlockSizeMax - _length ? Http2Faults.HeaderBlockTooLarge
            : null;

    public void Continue(ReadOnlySpan<byte> fragment)
    {
        _fragments++;
        Append(fragment);
    }

    public void End() => StreamId = 0;

    /// <summary>Lets go of the storage between blocks.</summary>
    public void DropScratch()
    {
        if (StreamId == 0)
            _bytes = [];
    }

    private void Append(ReadOnlySpan<byte> fragment)
    {
        if (fragment.Length > _bytes.Length - _length)
            Array.Resize(ref _bytes, Math.Max(_length + fragment.Length, _bytes.Length * 2));
        fragment.CopyTo(_bytes.AsSpan(_length));
        _length += fragment.Length;
    }
}
