// Characters of a field value to bytes, checked and narrowed in one pass. Called by the head writers for every name and value.

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Asgi.Server.Protocols.Http;

internal static class FieldText
{
    /// <summary>
    /// Copies <paramref name="text"/> to the front of <paramref name="destination"/>. False when it holds anything but HTAB and
    /// 0x20-0x7E; what was written then must not be sent.
    /// </summary>
    public static bool TryNarrow(ReadOnlySpan<char> text, Span<byte> destination)
    {
        Debug.Assert(destination.Length >= text.Length);
        ReadOnlySpan<ushort> source = MemoryMarshal.Cast<char, ushort>(text);
        int i = 0;
        if (Vector128.IsHardwareAccelerated && source.Length >= Vector128<ushort>.Count)
        {
            // The last step overlaps the one before it, so that no characters are left over.
            int last = source.Length - Vector128<ushort>.Count;
            while (TryNarrowVector(source[i..], destination[i..]))
            {
                if (i == last)
                    return true;
                i = Math.Min(i + Vector128<ushort>.Count, last);
            }
            // HTAB is rare enough to be left to the slow way, as is the verdict.
        }
        for (; i < source.Length; i++)
        {
            ushort c = source[i];
            if (c is not ('\t' or (>= ' ' and <= '~')))
                return false;
            destination[i] = (byte)c;
        }
        return true;
    }

    private static bool TryNarrowVector(ReadOnlySpan<ushort> source, Span<byte> destination)
    {
        Vector128<ushort> characters = Vector128.Create(source);
        // One unsigned comparison finds what is below 0x20 and above 0x7E.
        if (Vector128.GreaterThanAny(characters - Vector128.Create((ushort)' '), Vector128.Create((ushort)('~' - ' '))))
            return false;
        Vector128.Narrow(characters, characters).GetLower().CopyTo(destination);
        return true;
    }
}
