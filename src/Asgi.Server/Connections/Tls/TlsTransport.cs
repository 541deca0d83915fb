// A transport that encrypts and decrypts: what is above sees plain bytes with the contract of a socket. SslStream is called only when a whole
// record is there, so that its reads complete at once and it keeps nothing in between; its writes complete at once because the wire takes
// what the socket does not. On the thread of the connection's loop; the request for a client's certificate may be elsewhere, and then
// nothing is received or sent.
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Connections;

internal sealed unsafe class TlsTransport : Transport, ITlsSink
{
    /// <summary>Bytes of a record (RFC 8446, section 5.1).</summary>
    public const int PlaintextLengthMax = 16 * 1024;

    // What a record has besides its plaintext, at least: the type of the content, and a tag of 8 bytes (AES-CCM-8) or more.
    private const int OverheadMin = 9;

    // A record, or a handshake, that waits is in few blocks.
    private const int UnsentRangesMax = 4;

    private readonly Connection _connection;
    private readonly Transport _inner;
    private readonly TlsWire _wire;
    private readonly TlsStream _stream;
    private readonly SendBuffer _unsent;
    private readonly PinnedMemory _target = new();
    private readonly PinnedMemory _source = new();
    private TlsOperation? _operation;
    private ValueTask<int> _read;
    private bool _isReadPending;
    private int _pendingLength;
    private Block? _staged;
    private int _stagedStart;
    private int _stagedEnd;
    private int _undeliveredMax;
    private bool _isInnerReadable;
    private bool _isEnded;
    private bool _isBroken;
    private bool _hasFinished;
    private bool _isSendShut;
    private bool _isClosed;

    public TlsTransport(Connection connection, Transport inner, TlsWire wire, TlsStream stream)
    {
        _connection = connection;
        _inner = inner;
        _wire = wire;
        _stream = stream;
        _unsent = new SendBuffer(connection.Loop.Blocks);
        wire.Sink = this;
        wire.Input.Trim();
    }

    public override EndPoint? RemoteEndPoint => _inner.RemoteEndPoint;

    public override EndPoint? LocalEndPoint => _inner.LocalEndPoint;

    public override Socket? Socket => _inner.Socket;

    public override bool HasMore =>
        _wire.Input.HasRecord || _wire.Input.IsOverlong || _undeliveredMax > 0 || _staged is not null || _isInnerReadable;

    public override bool WantsInput => _operation is { HasEnded: false };

    public override long UnsentLength => _unsent.Length;

    public override long UnacknowledgedLength => _inner.UnacknowledgedLength + _unsent.Length;

    public override TransportResult Receive(Span<byte> buffer)
    {
        if (_isSendShut)
        {
            // Whatever it is, it is thrown away.
            return _inner.Receive(buffer);
        }

        if (WantsInput)
        {
            return ReceiveForOperation();
        }

        fixed (byte* start = buffer)
        {
            var result = Receive(start, buffer.Length);
            _wire.Input.Trim();
            return result;
        }
    }

    public override TransportResult Send(ReadOnlySpan<IoVector> vectors, bool isMoreFollowing = false)
    {
        if (!TrySendRest() || WantsInput)
        {
            return _isBroken ? TransportResult.Broken : TransportResult.WouldBlock;
        }

        try
        {
            var sent = Encrypt(vectors);
            return _isBroken ? TransportResult.Broken : TransportResult.Done(sent);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Break(exception);
        }
    }

    public void Write(ReadOnlySpan<byte> ciphertext)
    {
        if (_unsent.IsEmpty && !_isBroken)
        {
            ciphertext = ciphertext[SendNow(ciphertext)..];
        }

        while (ciphertext.Length > 0 && !_isBroken)
        {
            var block = _connection.Loop.Blocks.Rent();
            var count = Math.Min(ciphertext.Length, block.Size);
            ciphertext[..count].CopyTo(block.Array);
            _unsent.Append(new OutputRange(block, 0, count, Give: true));
            ciphertext = ciphertext[count..];
        }
    }

    /// <summary>Says close_notify, behind everything that was sent (RFC 8446, section 6.1).</summary>
    public override void FinishSend()
    {
        if (_hasFinished || WantsInput)
        {
            return;
        }

        _hasFinished = true;
        try
        {
            // Completed at once: the wire takes it.
            _ = _stream.ShutdownAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            Break(exception);
        }
    }

    public override void ShutdownSend()
    {
        _isSendShut = true;
        _inner.ShutdownSend();
    }

    public override void Close()
    {
        if (!_isClosed)
        {
            End();
            _inner.Close();
        }
    }

    public override void Abort()
    {
        if (!_isClosed)
        {
            End();
            _inner.Abort();
        }
    }

    /// <summary>
    /// Asks the client for its certificate. Until it has answered nothing is received or sent. Once at a time.
    /// </summary>
    /// <param name="ask">Asks by the stream.</param>
    /// <param name="onEnded">Called with what it has thrown.</param>
    public void Negotiate(Func<TlsStream, Task> ask, Action<Exception?> onEnded)
    {
        if (_isClosed || _isEnded || _isReadPending || WantsInput)
        {
            onEnded(new InvalidOperationException("The client cannot be asked for its certificate now."));
            return;
        }

        _wire.Sink = null;
        _operation = new TlsOperation(
            _connection, _wire, runsApplicationCode: true, () => ask(_stream), OnProgress, failure => OnNegotiated(failure, onEnded));
        _operation.Begin();
    }

    /// <summary>Nobody waits for the answer any more. What is half said cannot be gone on from: the connection is broken.</summary>
    public void StopNegotiating()
    {
        if (WantsInput && !_isClosed)
        {
            _isBroken = true;
            _wire.Break();
            _operation!.Pump();
        }
    }

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
            _read = _stream.ReadAsync(_target.Over(start, _pendingLength));
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

    private TransportResult ReceiveForOperation()
    {
        while (_operation is { HasEnded: false, LoopHasWire: true } && !_wire.CanCompleteRead)
        {
            var status = Fill();
            if (status == TransportStatus.WouldBlock)
            {
                break;
            }

            if (_isEnded || status == TransportStatus.Broken)
            {
                _wire.End();
            }
        }

        _operation?.Pump();
        return TransportResult.WouldBlock;
    }

    private void OnProgress()
    {
        if (_isClosed)
        {
            _operation!.Pump();
            return;
        }

        _wire.Written.MoveTo(_unsent);
        TrySendRest();
        _connection.ReceiveSoon();
    }

    private void OnNegotiated(Exception? failure, Action<Exception?> onEnded)
    {
        if (_isClosed)
        {
            LetGo();
        }
        else
        {
            _wire.Written.MoveTo(_unsent);
            TrySendRest();
            _wire.Sink = this;
            _wire.Input.Trim();
            _connection.ReceiveSoon();
            _connection.FlushLater();
        }

        onEnded(failure);
    }

    private TransportResult Break(Exception exception)
    {
        _isBroken = true;
        _connection.Log.TlsFailed(_connection.Id, exception);
        return TransportResult.Broken;
    }

    private void End()
    {
        _isClosed = true;
        _unsent.Clear();
        if (_staged is not null)
        {
            _connection.Loop.Blocks.Return(_staged);
            _staged = null;
        }

        _wire.Break();
        if (!WantsInput)
        {
            LetGo();
        }
        else
        {
            // Asked for a certificate, and gone: what waits for it hears of that, and then lets go.
            _operation!.Pump();
        }
    }

    private void LetGo()
    {
        _wire.Input.Clear();
        _wire.Written.Clear();
        _stream.Dispose();
    }
}
