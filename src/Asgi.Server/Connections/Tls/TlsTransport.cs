// A transport that encrypts and decrypts: what is above sees plain bytes with the contract of a socket. SslStream is called only when a
// whole record is there, so that its reads complete at once and it keeps nothing in between; its writes complete at once because the wire
// takes what the socket does not. On the thread of the connection's loop. Decrypting is in TlsTransport.Receive.cs, encrypting in
// TlsTransport.Send.cs, the question for a client's certificate in TlsTransport.Negotiation.cs.
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Asgi.Server.Loops;
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Connections;

[SuppressMessage("Design", "CA1001", Justification = "Its end is Close or Abort; what points to memory owns none.")]
internal sealed unsafe partial class TlsTransport : Transport, ITlsSink
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
        _wire.Input.HasRecord || _wire.Input.IsOverlong || _undeliveredMax > 0 || _staged is not null || _isInnerReadable || _isEnded;

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

        // It may be an edge that has brought the caller here, and what it told of must outlast records that wait before it: only a receive
        // that empties the socket, from now on, says that there is no more.
        _isInnerReadable = true;
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
