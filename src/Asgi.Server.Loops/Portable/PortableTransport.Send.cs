// The sending half of a socket: what it takes at once, and a copy of a bounded part of the rest, which one pending send delivers. That it
// is delivered is how the system tells that there is room again.
using System.Net.Sockets;
using Asgi.Server.Loops.Interop;
using Microsoft.Win32.SafeHandles;

namespace Asgi.Server.Loops.Portable;

internal sealed partial class PortableTransport
{
    private SendOperation? _sending;
    private long _sent;
    private bool _hasSentFin;
    private bool _isFinPending;

    public override long UnacknowledgedLength =>
        _state == State.Open ? TcpKnowledge.UnacknowledgedLength(_socket, _sent, _sending?.Length ?? 0) : 0;

    public override bool CanSendFiles => true;

    private bool IsSending => _sending is { IsPending: true };

    // The framework has no word for "more follows": the parts leave in segments of their own.
    public override TransportResult Send(ReadOnlySpan<IoVector> vectors, bool isMoreFollowing = false)
    {
        var total = 0;
        var next = 0;
        do
        {
            var piece = NextPiece(vectors, ref next);
            var result = SendPiece(piece);
            total += result.Length;
            if (result.Length < piece.Length || result.Status != TransportStatus.Done)
            {
                return total > 0 ? TransportResult.Done(total) : result;
            }
        }
        while (next < vectors.Length);
        return TransportResult.Done(total);
    }

    // The bytes pass through memory, but one piece's at a time; what is not taken is read again with the next.
    public override TransportResult SendFile(SafeFileHandle file, long offset, int count)
    {
        if (_state != State.Open || IsSending)
        {
            return _state == State.Open ? TransportResult.WouldBlock : TransportResult.Broken;
        }

        try
        {
            var piece = _backend!.Scratch.AsSpan(0, Math.Min(count, PortableBackend.CopySize));
            var length = RandomAccess.Read(file, piece, offset);
            return length == 0 ? TransportResult.Done(0) : SendPiece(piece[..length]);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return TransportResult.Broken;
        }
    }

    public override void ShutdownSend()
    {
        if (_state != State.Open || _hasSentFin)
        {
            return;
        }

        if (IsSending)
        {
            (_hasSentFin, _isFinPending) = (true, true);
        }
        else
        {
            SendFinOnce();
        }
    }

    // Small parts leave together: they would be as many segments.
    private ReadOnlySpan<byte> NextPiece(ReadOnlySpan<IoVector> vectors, ref int next)
    {
        var first = vectors[next++].Span;
        if (next == vectors.Length || first.Length + vectors[next].Length > PortableBackend.CopySize)
        {
            return first;
        }

        var scratch = _backend!.Scratch;
        first.CopyTo(scratch);
        var length = first.Length;
        while (next < vectors.Length && length + vectors[next].Length <= scratch.Length)
        {
            var part = vectors[next++].Span;
            part.CopyTo(scratch.AsSpan(length));
            length += part.Length;
        }

        return scratch.AsSpan(0, length);
    }

    private TransportResult SendPiece(ReadOnlySpan<byte> piece)
    {
        if (_state != State.Open || IsSending)
        {
            return _state == State.Open ? TransportResult.WouldBlock : TransportResult.Broken;
        }

        try
        {
            var sent = _socket.Send(piece, SocketFlags.None, out var error);
            if (error is not (SocketError.Success or SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable))
            {
                BreakLater();
                return TransportResult.Broken;
            }

            sent = error == SocketError.Success ? sent : 0;
            if (sent < piece.Length)
            {
                sent += SendLater(piece[sent..]);
            }

            _sent += sent;
            return TransportResult.Done(sent);
        }
        catch (ObjectDisposedException)
        {
            BreakLater();
            return TransportResult.Broken;
        }
    }

    private int SendLater(ReadOnlySpan<byte> rest)
    {
        var length = Math.Min(rest.Length, PortableBackend.CopySize);
        var sending = _sending ??= new SendOperation(this);
        sending.Backend = _backend;
        sending.Take(rest[..length], _backend!.RentCopy());
        if (!_socket.SendAsync(sending))
        {
            // There was room after all, or the connection broke: who has nothing more to send must hear of that too.
            _backend.ReturnCopy(sending.GiveCopy());
            if (sending.SocketError != SocketError.Success)
            {
                BreakLater();
            }
        }

        return length;
    }

    private void OnSent(SocketError error)
    {
        _backend!.ReturnCopy(_sending!.GiveCopy());
        switch (_state)
        {
            case State.Delivering:
                Release();
                break;
            case State.Open when error != SocketError.Success:
                Break();
                break;
            case State.Open when _hasSentFin:
                SendFinOnce();
                break;
            case State.Open:
                _handler!.OnWritable();
                break;
        }
    }

    private void SendFinOnce()
    {
        if (_hasSentFin && !_isFinPending)
        {
            return;
        }

        (_hasSentFin, _isFinPending) = (true, false);
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (IsOver(exception))
        {
            // Reset by the peer in the meantime; who receives hears of that.
        }

        if (_hasPeerShutdown && !_isArmed && _state == State.Open)
        {
            // Now both have: nothing else would tell.
            _isArmed = true;
            _backend!.Enqueue(_readiness);
        }
    }

    private sealed class SendOperation(PortableTransport transport) : PendingOperation
    {
        private byte[]? _copy;

        public bool IsPending => _copy is not null;

        /// <summary>Bytes under way.</summary>
        public int Length { get; private set; }

        public void Take(ReadOnlySpan<byte> bytes, byte[] copy)
        {
            bytes.CopyTo(copy);
            (_copy, Length) = (copy, bytes.Length);
            SetBuffer(copy, 0, Length);
        }

        /// <summary>The system is done with the copy.</summary>
        public byte[] GiveCopy()
        {
            var copy = _copy!;
            (_copy, Length) = (null, 0);
            return copy;
        }

        public override void Dispatch() => transport.OnSent(SocketError);

        // Nobody else has the transport any more: its loop is gone, and it was let go before.
        public override void Abandon()
        {
            if (transport._state == State.Delivering)
            {
                transport.Release();
            }
        }
    }
}
