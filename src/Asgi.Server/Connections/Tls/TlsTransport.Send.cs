// The sending half: plaintext into records, and what the socket does not take of them. On the thread of the loop.
using Asgi.Server.Loops;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Connections;

internal sealed unsafe partial class TlsTransport
{
    // Records until everything is in them, or the socket takes no more: no more than one waits then.
    private int Encrypt(ReadOnlySpan<IoVector> vectors)
    {
        var sent = 0;
        var (index, offset) = (0, 0);
        while (index < vectors.Length && _unsent.IsEmpty && !_isBroken)
        {
            var length = (int)vectors[index].Length - offset;
            if (length >= PlaintextLengthMax || index == vectors.Length - 1)
            {
                length = Math.Min(length, PlaintextLengthMax);
                EncryptRecord(vectors[index].Start + offset, length);
                offset += length;
                if (offset == vectors[index].Length)
                {
                    (index, offset) = (index + 1, 0);
                }
            }
            else
            {
                length = EncryptTogether(vectors, ref index, ref offset);
            }

            sent += length;
        }

        return sent;
    }

    // Small ranges share a record.
    private int EncryptTogether(ReadOnlySpan<IoVector> vectors, ref int index, ref int offset)
    {
        var block = _connection.Loop.Blocks.Rent();
        try
        {
            var together = 0;
            while (index < vectors.Length && together < PlaintextLengthMax)
            {
                var part = vectors[index].Span[offset..];
                part = part[..Math.Min(part.Length, PlaintextLengthMax - together)];
                part.CopyTo(block.Array.AsSpan(together));
                together += part.Length;
                offset += part.Length;
                if (offset == vectors[index].Length)
                {
                    (index, offset) = (index + 1, 0);
                }
            }

            EncryptRecord(block.Pointer, together);
            return together;
        }
        finally
        {
            _connection.Loop.Blocks.Return(block);
        }
    }

    private void EncryptRecord(byte* start, int length)
    {
        if (length == 0)
        {
            return;
        }

        var write = _stream.WriteAsync(_source.Over(start, length));
        _source.Clear();
        if (!write.IsCompleted)
        {
            throw new InvalidOperationException("The stream does not write, although the wire takes everything.");
        }

        // Completed: throws what has failed.
        write.GetAwaiter().GetResult();
    }

    private bool TrySendRest()
    {
        var vectors = stackalloc IoVector[UnsentRangesMax];
        while (!_unsent.IsEmpty && !_isBroken)
        {
            var count = _unsent.Gather(new Span<IoVector>(vectors, UnsentRangesMax), out _);
            var result = _inner.Send(new ReadOnlySpan<IoVector>(vectors, count));
            if (result.Status != TransportStatus.Done)
            {
                _isBroken |= result.Status == TransportStatus.Broken;
                return false;
            }

            _unsent.Consume(result.Length);
        }

        return !_isBroken;
    }

    private int SendNow(ReadOnlySpan<byte> ciphertext)
    {
        var sent = 0;
        fixed (byte* start = ciphertext)
        {
            while (sent < ciphertext.Length)
            {
                var result = _inner.Send([new IoVector(start + sent, ciphertext.Length - sent)]);
                if (result.Status != TransportStatus.Done)
                {
                    _isBroken |= result.Status == TransportStatus.Broken;
                    break;
                }

                sent += result.Length;
            }
        }

        return sent;
    }
}
