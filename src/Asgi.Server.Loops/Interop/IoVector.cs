// One piece of a gathered send. Filled by SendBuffer, read by a backend, on the loop thread.
using System.Runtime.InteropServices;

namespace Asgi.Server.Loops.Interop;

/// <summary>struct iovec: memory that stays pinned until the send call returns.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct IoVector(byte* start, int length)
{
    public readonly byte* Start = start;
    public readonly nint Length = length;

    public ReadOnlySpan<byte> Span => new(Start, (int)Length);
}
