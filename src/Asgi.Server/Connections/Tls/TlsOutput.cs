// The ciphertext of a handshake, written by whoever has the wire and taken by the loop when it has it.
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

internal sealed class TlsOutput(BlockPool pool)
{
    private readonly List<OutputRange> _full = [];
    private Block? _last;
    private int _end;

    /// <param name="bytes">What is copied.</param>
    /// <param name="isOnLoop">Whether the caller is on the loop's thread for sure.</param>
    public void Write(ReadOnlySpan<byte> bytes, bool isOnLoop)
    {
        while (bytes.Length > 0)
        {
            _last ??= isOnLoop ? pool.Rent() : pool.RentAsStranger();
            var count = Math.Min(bytes.Length, _last.Size - _end);
            bytes[..count].CopyTo(_last.Array.AsSpan(_end));
            _end += count;
            bytes = bytes[count..];
            if (_end == _last.Size)
            {
                Cut();
            }
        }
    }

    /// <summary>Moves everything behind what is queued there. Loop thread.</summary>
    /// <returns>Whether there was anything.</returns>
    public bool MoveTo(SendBuffer target)
    {
        Cut();
        foreach (var range in _full)
        {
            target.Append(range);
        }

        var hasMoved = _full.Count > 0;
        _full.Clear();
        return hasMoved;
    }

    /// <summary>Forgets everything. Loop thread.</summary>
    public void Clear()
    {
        Cut();
        foreach (var range in _full)
        {
            pool.Return(range.Block);
        }

        _full.Clear();
    }

    private void Cut()
    {
        if (_last is not null)
        {
            _full.Add(new OutputRange(_last, 0, _end, Give: true));
            _last = null;
            _end = 0;
        }
    }
}
