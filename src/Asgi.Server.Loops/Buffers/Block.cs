// A pinned piece of memory with exactly one owner. Rented from and returned to a BlockPool; the receive buffer chains blocks into the
// sequence an application reads, so a block is its own sequence segment.
using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Asgi.Server.Loops.Buffers;

internal sealed unsafe class Block : ReadOnlySequenceSegment<byte>
{
    /// <summary>Bytes in a pooled block. 16 KiB holds every usual request head, and 64 of them stay within a 1 MiB L2 cache.</summary>
    public const int DefaultSize = 16 * 1024;

    private readonly byte[] _array;
    private readonly byte* _pointer;
    private bool _isRented;

    public Block(int size, bool isPooled)
    {
        // On the pinned object heap: system calls take the address without pinning, and the blocks never fragment the ordinary heap.
        _array = GC.AllocateUninitializedArray<byte>(size, pinned: true);
        _pointer = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
        IsPooled = isPooled;
    }

    public bool IsPooled { get; }

    /// <summary>Rented by a thread other than the loop's, and so returned to the tier that such threads rent from.</summary>
    public bool IsFromStranger { get; set; }

    public int Size => _array.Length;

    public byte[] Array
    {
        get
        {
            AssertRented();
            return _array;
        }
    }

    public byte* Pointer
    {
        get
        {
            AssertRented();
            return _pointer;
        }
    }

    /// <summary>Where unread content starts; the receive buffer's field, kept here because each block of the chain has one.</summary>
    public int ContentStart { get; set; }

    public int ContentEnd => Memory.Length;

    public new Block? Next => (Block?)base.Next;

    public Span<byte> AsSpan(int start, int end) => Array.AsSpan(start, end - start);

    /// <summary>Declares the bytes up to <paramref name="end"/> readable through a sequence.</summary>
    public void SetContentEnd(int end) => Memory = new ReadOnlyMemory<byte>(Array, 0, end);

    public void Link(Block next)
    {
        next.RunningIndex = RunningIndex + Memory.Length;
        base.Next = next;
    }

    public void MarkRented()
    {
        Debug.Assert(!_isRented, "A block was rented twice.");
        _isRented = true;
        RunningIndex = 0;
        ContentStart = 0;
        Memory = default;
        base.Next = null;
    }

    public void MarkReturned()
    {
        AssertRented();
        Poison();
        _isRented = false;
    }

    // What a test build reads from memory that is no longer its own must not look like data.
    [Conditional("DEBUG")]
    private void Poison() => _array.AsSpan().Fill(0xDD);

    [Conditional("DEBUG")]
    private void AssertRented()
    {
        if (!_isRented)
        {
            throw new InvalidOperationException("A block was used or returned after it had been returned to its pool.");
        }
    }
}
