// The names and values of a field section as they come out of HPACK, one behind the other. The machine owns it and clears it for each
// section; the decoder appends. On the thread that owns the connection.

namespace Asgi.Server.Protocols.Http2.Hpack;

internal sealed class FieldBytes(int lengthMax)
{
    private const int InitialSize = 512;

    /// <summary>The bytes. Replaced when they do not suffice: offsets stay right, references do not.</summary>
    public byte[] Array { get; private set; } = [];

    public int Length { get; private set; }

    /// <summary>The sum of all names and values that is kept; a field beyond it is told as too long and leaves no bytes.</summary>
    public int LengthMax { get; set; } = lengthMax;

    public ReadOnlySpan<byte> AsSpan(int start, int length) => Array.AsSpan(start, length);

    public void Clear() => Length = 0;

    /// <summary>Puts bytes at the end. False, with nothing done, where they would go beyond <see cref="LengthMax"/>.</summary>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > LengthMax - Length)
            return false;
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
        return true;
    }

    /// <summary>Room for so many bytes behind the end, beyond <see cref="LengthMax"/> too: the decoder's table may need them.</summary>
    public Span<byte> GetSpan(int size)
    {
        if (size > Array.Length - Length)
            Grow(size);
        return Array.AsSpan(Length);
    }

    /// <summary>Takes over so many bytes that were written behind the end.</summary>
    public void Advance(int count) => Length += count;

    /// <summary>Forgets what lies behind a place.</summary>
    public void Truncate(int length) => Length = length;

    private void Grow(int size)
    {
        byte[] larger = new byte[Math.Max(Math.Max(InitialSize, Array.Length * 2), checked(Length + size))];
        Array.AsSpan(0, Length).CopyTo(larger);
        Array = larger;
    }
}
