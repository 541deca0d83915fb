// The receiving half: ciphertext until a record is whole, and its plaintext into the memory of the receive. On the thread of the loop.
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;

namespace Asgi.Server.Connections;

internal sealed unsafe partial class TlsTransport
{
    private TransportResult Receive(byte* start, int length)
    {
        var received = TakeStaged(start, length);
        while (received < length && !_isEnded)
        {
            if (!_wire.Input.HasRecord && (_undeliveredMax == 0 || _isReadPending))
            {
                if (received > 0)
                {
                    break;
                }

                var status = Fill();
                if (status != TransportStatus.Done)
                {
                    return new TransportResult(status, 0);
                }

                continue;
            }

            try
            {
                received += Decrypt(start + received, length - received);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                return Break(exception);
            }
        }

        return TransportResult.Done(received);
    }

    // Until a record is whole. An end within one is a cut; before one it may be, but who reads HTTP sees that.
    private TransportStatus Fill()
    {
        var input = _wire.Input;
        while (!input.HasRecord)
        {
            if (input.IsOverlong)
            {
                return TransportStatus.Broken;
            }

            var span = input.GetReceiveSpan();
            var result = _inner.Receive(span);
            if (result.Status != TransportStatus.Done)
            {
                _isInnerReadable = false;
                return result.Status;
            }

            if (result.Length == 0)
            {
                _isInnerReadable = false;
                _isEnded = true;
                return input.Length > 0 ? TransportStatus.Broken : TransportStatus.Done;
            }

            input.Commit(result.Length);
            _isInnerReadable = result.Length == span.Length;
        }

        return TransportStatus.Done;
    }

    // A read that found no content in a record, a KeyUpdate say, waits at the wire for the next one.
    private int Decrypt(byte* start, int length)
    {
        var before = _wire.Input.ReadCount;
        Block? staged = null;
        if (_isReadPending)
        {
            if (length >= _pendingLength)
            {
                _target.Target(start, _pendingLength);
            }
            else
            {
                staged = _connection.Loop.Blocks.Rent();
                _target.Target(staged.Pointer, _pendingLength);
            }

            _wire.CompleteRead();
        }
        else
        {
            _pendingLength = Math.Min(length, PlaintextLengthMax);
#pragma warning disable CA2012 // Consumed once: below, or when a later call completes it.
            _read = _stream.ReadAsync(_target.Over(start, _pendingLength));
#pragma warning restore CA2012
        }

        _target.Clear();
        _isReadPending = !_read.IsCompleted;
        var decrypted = 0;
        try
        {
            decrypted = _isReadPending ? 0 : _read.Result;
        }
        finally
        {
            Stage(staged, decrypted);
        }

        Measure(_wire.Input.ReadCount - before, decrypted);
        _isEnded |= decrypted == 0 && !_isReadPending;
        return staged is null ? decrypted : TakeStaged(start, length);
    }

    // Of a record that does not fit into what is received into, SslStream keeps the rest.
    private void Measure(long read, int decrypted)
    {
        if (read > 0)
        {
            _undeliveredMax += (int)read - TlsInput.HeaderLength - OverheadMin;
        }

        _undeliveredMax = decrypted < _pendingLength ? 0 : Math.Max(0, _undeliveredMax - decrypted);
    }

    private void Stage(Block? block, int length)
    {
        if (block is not null && length > 0)
        {
            (_staged, _stagedStart, _stagedEnd) = (block, 0, length);
        }
        else if (block is not null)
        {
            _connection.Loop.Blocks.Return(block);
        }
    }

    private int TakeStaged(byte* start, int length)
    {
        if (_staged is null)
        {
            return 0;
        }

        var count = Math.Min(length, _stagedEnd - _stagedStart);
        _staged.AsSpan(_stagedStart, _stagedStart + count).CopyTo(new Span<byte>(start, count));
        _stagedStart += count;
        if (_stagedStart == _stagedEnd)
        {
            _connection.Loop.Blocks.Return(_staged);
            _staged = null;
        }

        return count;
    }
}
