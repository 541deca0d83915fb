// A field section (RFC 9110, section 5): field lines as offsets over bytes that somebody else owns.
// Filled by the parsers, read by drivers and by the exchange on the thread that owns the connection.

using System.Diagnostics;
using System.Text;

namespace Asgi.Server.Protocols.Http;

/// <summary>
/// The field lines of one message, in the order received, as offsets over a borrowed buffer. Nothing is copied and no string is
/// made; the spans handed out are valid as long as the buffer is.
/// </summary>
public sealed class FieldSection
{
    // Programs send a handful of field lines, browsers about fifteen; most trailer sections have none.
    private const int InitialCapacity = 8;

    private FieldLine[] _lines = [];
    private int _count;
    private byte[] _buffer = [];
    private int _start;
    private byte[] _owned = [];

    internal FieldSection()
    {
    }

    /// <summary>The number of field lines; a name that is repeated counts each time.</summary>
    public int Count => _count;

    /// <summary>The name of a field line, as received.</summary>
    /// <param name="index">The position of the line, from 0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<byte> GetName(int index)
    {
        ref readonly FieldLine line = ref this[index];
        return _buffer.AsSpan(_start + line.NameStart, line.NameLength);
    }

    /// <summary>The value of a field line, without the optional whitespace around it.</summary>
    /// <param name="index">The position of the line, from 0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<byte> GetValue(int index)
    {
        ref readonly FieldLine line = ref this[index];
        return _buffer.AsSpan(_start + line.ValueStart, line.ValueLength);
    }

    /// <summary>Finds the next field line of a name, without regard to case.</summary>
    /// <param name="name">The field name in ASCII.</param>
    /// <param name="from">The position of the first line to look at.</param>
    /// <returns>The position of the line, or -1 when there is none.</returns>
    public int Find(ReadOnlySpan<byte> name, int from = 0)
    {
        for (int i = from; i < _count; i++)
        {
            // The lengths differ nearly always, so most lines cost one comparison of integers.
            if (_lines[i].NameLength == name.Length && Ascii.EqualsIgnoreCase(GetName(i), name))
                return i;
        }
        return -1;
    }

    /// <summary>Finds the next field line of a name, without regard to case.</summary>
    /// <param name="name">The field name.</param>
    /// <param name="from">The position of the first line to look at.</param>
    /// <returns>The position of the line, or -1 when there is none.</returns>
    public int Find(string name, int from = 0)
    {
        ArgumentNullException.ThrowIfNull(name);
        for (int i = from; i < _count; i++)
        {
            if (_lines[i].NameLength == name.Length && Ascii.EqualsIgnoreCase(GetName(i), name))
                return i;
        }
        return -1;
    }

    /// <summary>The offsets of a line, for parsers that hold the bytes themselves.</summary>
    internal ref readonly FieldLine this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count, nameof(index));
            return ref _lines[index];
        }
    }

    internal void Add(int nameStart, int nameLength, int valueStart, int valueLength)
    {
        if (_count == _lines.Length)
            Array.Resize(ref _lines, Math.Max(InitialCapacity, _count * 2));
        _lines[_count++] = new FieldLine(nameStart, nameLength, valueStart, valueLength);
    }

    /// <summary>Has a line take its value from elsewhere in the same bytes.</summary>
    internal void MoveValue(int index, int valueStart, int valueLength)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count, nameof(index));
        _lines[index] = _lines[index] with { ValueStart = valueStart, ValueLength = valueLength };
    }

    internal void RemoveAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count, nameof(index));
        _count--;
        Array.Copy(_lines, index + 1, _lines, index, _count - index);
    }

    /// <summary>Forgets the lines and the borrowed buffer; the storage stays for the next message.</summary>
    internal void Clear()
    {
        _count = 0;
        _buffer = [];
        _start = 0;
    }

    /// <summary>
    /// Tells where the bytes are: <paramref name="start"/> is the position in <paramref name="buffer"/> of the first byte of the span
    /// the machine was given. Called again whenever the driver moves the bytes.
    /// </summary>
    internal void Bind(byte[] buffer, int start)
    {
        Debug.Assert((uint)start <= (uint)buffer.Length);
        _buffer = buffer;
        _start = start;
    }

    /// <summary>Copies the lines and the bytes they refer to into <paramref name="target"/>, which then owns its bytes.</summary>
    internal void CopyTo(FieldSection target)
    {
        Debug.Assert(!ReferenceEquals(this, target));
        int size = 0;
        for (int i = 0; i < _count; i++)
            size += _lines[i].NameLength + _lines[i].ValueLength;

        target.Clear();
        if (target._owned.Length < size)
            target._owned = new byte[size];
        target._buffer = target._owned;

        int position = 0;
        for (int i = 0; i < _count; i++)
        {
            ReadOnlySpan<byte> name = GetName(i);
            ReadOnlySpan<byte> value = GetValue(i);
            name.CopyTo(target._owned.AsSpan(position));
            value.CopyTo(target._owned.AsSpan(position + name.Length));
            target.Add(position, name.Length, position + name.Length, value.Length);
            position += name.Length + value.Length;
        }
    }

    /// <summary>Copies the lines alone: the target is to be bound to a copy of the same bytes.</summary>
    internal void CopyLinesTo(FieldSection target)
    {
        if (target._lines.Length < _count)
            target._lines = new FieldLine[_lines.Length];
        _lines.AsSpan(0, _count).CopyTo(target._lines);
        target._count = _count;
    }

    /// <summary>Where one field line lies, relative to the start the section is bound to.</summary>
    internal readonly record struct FieldLine(int NameStart, int NameLength, int ValueStart, int ValueLength)
    {
        internal ReadOnlySpan<byte> Name(ReadOnlySpan<byte> buffer) => buffer.Slice(NameStart, NameLength);

        internal ReadOnlySpan<byte> Value(ReadOnlySpan<byte> buffer) => buffer.Slice(ValueStart, ValueLength);
    }
}
