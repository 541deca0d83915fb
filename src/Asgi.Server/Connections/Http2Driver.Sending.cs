// What is written, and whose turn it is. Heads are encoded as they come, since the order of blocks is that of HPACK's table; content goes
// round robin, a frame per stream and turn, as far as the windows of stream and connection, and the room before the socket, allow. On the
// thread of the connection's loop.
using Asgi.Server.Loops.Buffers;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Driver
{
    /// <summary>The largest payload of a DATA frame, in bytes: as large as a block, and small enough that others have their turn.</summary>
    public const int FrameLengthMax = 16 * 1024;

    /// <summary>
    /// Content of so many bytes is copied behind its frame's header: that costs less than two more ranges in a gathered send.
    /// </summary>
    public const int CopyLengthMax = 1024;

    /// <summary>Content that one flush sends before the other connections of the loop have their turn, in bytes.</summary>
    public const int BytesPerTurnMax = 512 * 1024;

    /// <summary>Unsent bytes where the options set no limit: streams hold the rest.</summary>
    private const int UnsentMaxWithoutLimit = 1024 * 1024;

    // Room for a usual head; a longer one gets more.
    private const int HeadRoom = 512;

    private readonly HpackEncoder _encoder;
    private Http2Stream? _firstQueued;
    private Http2Stream? _lastQueued;
    private int _queuedCount;
    private int _turnBytes;
    private bool _isTurnContinued;
    private WindowRate _windowRate;

    /// <summary>Writes the head of a response.</summary>
    /// <param name="stream">The stream, whose head is known.</param>
    /// <param name="endStream">Whether nothing follows.</param>
    /// <returns>False when a field cannot be sent.</returns>
    public bool SendHead(Http2Stream stream, bool endStream)
    {
        ref readonly var head = ref stream.Head;
        var (date, server) = _defaultFields.GetValues(stream.HeadTraits);
        return SendBlock(
            stream.State,
            new HeadBlock(head.Status, head.ContentLength, head.Fields, new DefaultFieldValues { Date = date, Server = server }),
            endStream);
    }

    /// <summary>Writes an interim response.</summary>
    public void SendInterim(Http2Stream stream, int status, ResponseFields? fields)
    {
        if (CanWrite && stream.State.CanSend)
        {
            SendBlock(stream.State, new HeadBlock(status, null, fields, default), endStream: false);
        }
    }

    /// <summary>The stream has content, or its end, to send.</summary>
    public void Send(Http2Stream stream)
    {
        // The small end of a response waits for nobody, and so holds no block until the end of the tick; content that was flushed before
        // the end leaves in one frame with it, if that comes within the tick.
        var isDirect = stream.IsEndKnown && stream.Pending.Length <= CopyLengthMax && _connection.Output.Length < _unsentMax;
        if ((!isDirect || !SendNext(stream) || stream.HasToSend) && !stream.IsQueued)
        {
            Enqueue(stream);
        }

        _connection.FlushLater();
    }

    /// <summary>Sends what can be sent at once, and then breaks the stream: its client must see that the response is cut.</summary>
    public void Cut(Http2Stream stream)
    {
        while (stream.Pending.Length > 0 && _connection.Output.Length < _unsentMax && SendNext(stream))
        {
        }

        Reset(stream, Http2ErrorCode.InternalError);
    }

    private void SendBareHead(Http2StreamState state, int status)
    {
        var (date, server) = _defaultFields.GetValues(ResponseFieldTraits.None);
        SendBlock(state, new HeadBlock(status, 0, null, new DefaultFieldValues { Date = date, Server = server }), endStream: true);
    }

    private void Requeue(Http2Stream stream)
    {
        if (stream.HasToSend)
        {
            if (!stream.IsQueued)
            {
                Enqueue(stream);
            }

            _connection.FlushLater();
        }
    }

    private void Enqueue(Http2Stream stream)
    {
        stream.IsQueued = true;
        stream.NextQueued = null;
        if (_lastQueued is null)
        {
            _firstQueued = stream;
        }
        else
        {
            _lastQueued.NextQueued = stream;
        }

        _lastQueued = stream;
        _queuedCount++;
    }

    private Http2Stream Dequeue()
    {
        var stream = _firstQueued!;
        _firstQueued = stream.NextQueued;
        if (_firstQueued is null)
        {
            _lastQueued = null;
        }

        stream.NextQueued = null;
        stream.IsQueued = false;
        _queuedCount--;
        return stream;
    }

    // The end of a tick: a frame of each stream in turn, until the room before the socket is used up.
    private void Pump()
    {
        if (!_isTurnContinued)
        {
            _turnBytes = 0;
        }

        _isTurnContinued = false;
        FillOutput();
    }

    private void FillOutput()
    {
        var stuckCount = 0;
        while (_queuedCount > stuckCount && CanWrite && _connection.Output.Length < _unsentMax && _turnBytes < BytesPerTurnMax)
        {
            var stream = Dequeue();
            if (!stream.HasToSend)
            {
                continue;
            }

            if (SendNext(stream))
            {
                stuckCount = 0;
                if (stream.HasToSend)
                {
                    Enqueue(stream);
                }
            }
            else if (stream.State.SendWindow > 0)
            {
                // It waits for the connection's window; streams behind it may only have to end.
                stuckCount++;
                Enqueue(stream);
                _windowRate.Start(Now, stream.Pending.Length);
                ArmRates();
            }
            else
            {
                stream.WindowRate.Start(Now, stream.Pending.Length);
                ArmRates();
            }
        }
    }

    // All is taken by the socket, or some of it: what waits goes on, but not before the other connections have had their turn.
    private void PumpOn()
    {
        if (_queuedCount == 0 || !_connection.Output.IsEmpty)
        {
            return;
        }

        if (_turnBytes >= BytesPerTurnMax)
        {
            _connection.SendLater();
            return;
        }

        FillOutput();
        if (!_connection.Output.IsEmpty)
        {
            _isTurnContinued = true;
            _connection.FlushLater();
        }
    }

    // The next frame of a stream. False when the windows let nothing through.
    private bool SendNext(Http2Stream stream)
    {
        var pending = stream.Pending;
        var length = 0;
        if (pending.Length > 0)
        {
            length = (int)Math.Min(Math.Min(pending.Length, FrameLengthMax), _machine.GetSendable(stream.State));
            if (length <= 0)
            {
                return false;
            }
        }

        var isEnd = stream.IsEndKnown && length == pending.Length;
        var trailers = isEnd ? stream.TrailersToSend : null;
        var endStream = isEnd && trailers is null;
        if (length > 0 || endStream)
        {
            SendData(stream, length, endStream);
        }

        if (pending.Length == 0)
        {
            stream.WindowRate.Stop();
        }

        if (trailers is not null && !SendBlock(stream.State, new HeadBlock(trailers), endStream: true))
        {
            Reset(stream, Http2ErrorCode.InternalError);
        }
        else if (isEnd)
        {
            stream.OnEndSent();
        }
        else
        {
            stream.CheckFlush();
        }

        return true;
    }

    private void SendData(Http2Stream stream, int length, bool endStream)
    {
        var isCopied = length <= CopyLengthMax;
        var span = _frames.GetSpan(Http2Frame.HeaderSize + (isCopied ? length : 0));
        var flags = endStream ? Http2FrameFlags.EndStream : Http2FrameFlags.None;
        var written = Http2FrameWriter.WriteHeader(span, length, Http2FrameType.Data, flags, stream.State.Id);
        if (isCopied)
        {
            stream.Pending.CopyTo(span.Slice(written, length));
            _frames.Advance(written + length);
        }
        else
        {
            _frames.Advance(written);
            stream.Pending.Send(length);
        }

        _machine.SentData(stream.State, length, endStream);
        _turnBytes += length;
        stream.WindowRate.Count(length);
        _windowRate.Count(length);
        if (_machine.ConnectionSendWindow > 0)
        {
            _windowRate.Stop();
        }
    }

    // HEADERS, and CONTINUATION where the block is larger than the client's frames.
    private bool SendBlock(Http2StreamState state, in HeadBlock block, bool endStream)
    {
        var span = _frames.GetSpan(HeadRoom);
        var result = block.Encode(_encoder, span[Http2Frame.HeaderSize..], out var length);
        if (result == BlockResult.TooSmall)
        {
            return SendLongBlock(state, block, endStream);
        }

        if (result == BlockResult.InvalidField)
        {
            _connection.Log.FieldNotEncoded(_connection.Id, state.Id, _encoder.Invalid!);
            return false;
        }

        var flags = Http2FrameFlags.EndHeaders | (endStream ? Http2FrameFlags.EndStream : Http2FrameFlags.None);
        Http2FrameWriter.WriteHeader(span, length, Http2FrameType.Headers, flags, state.Id);
        _frames.Advance(Http2Frame.HeaderSize + length);
        _machine.SentHeaders(state, endStream);
        _connection.FlushLater();
        return true;
    }

    private bool SendLongBlock(Http2StreamState state, in HeadBlock block, bool endStream)
    {
        for (var size = Block.DefaultSize; ; size *= 2)
        {
            var memory = size > Block.DefaultSize ? _connection.Loop.Blocks.RentLarge(size) : _connection.Loop.Blocks.Rent();
            var result = block.Encode(_encoder, memory.AsSpan(0, memory.Size), out var length);
            if (result == BlockResult.Done)
            {
                SendFragments(state.Id, memory, length, endStream);
                _machine.SentHeaders(state, endStream);
                _connection.FlushLater();
                return true;
            }

            _connection.Loop.Blocks.Return(memory);
            if (result == BlockResult.InvalidField)
            {
                _connection.Log.FieldNotEncoded(_connection.Id, state.Id, _encoder.Invalid!);
                return false;
            }
        }
    }

    private void SendFragments(int streamId, Block memory, int length, bool endStream)
    {
        var type = Http2FrameType.Headers;
        var flags = endStream ? Http2FrameFlags.EndStream : Http2FrameFlags.None;
        for (var start = 0; start < length;)
        {
            var end = Math.Min(length, start + FrameLengthMax);
            flags |= end == length ? Http2FrameFlags.EndHeaders : Http2FrameFlags.None;
            var span = _frames.GetSpan(Http2Frame.HeaderSize);
            _frames.Advance(Http2FrameWriter.WriteHeader(span, end - start, type, flags, streamId));
            _connection.Output.Append(new OutputRange(memory, start, end, Give: end == length));
            (type, flags, start) = (Http2FrameType.Continuation, Http2FrameFlags.None, end);
        }
    }

    /// <summary>A head, or a trailer section, that is to be encoded: perhaps more than once, until it fits.</summary>
    private readonly struct HeadBlock
    {
        private readonly int _status;
        private readonly long? _contentLength;
        private readonly ResponseFields? _fields;
        private readonly DefaultFieldValues _defaults;

        public HeadBlock(int status, long? contentLength, ResponseFields? fields, in DefaultFieldValues defaults)
        {
            _status = status;
            _contentLength = contentLength;
            _fields = fields;
            _defaults = defaults;
        }

        public HeadBlock(ResponseFields trailers) => _fields = trailers;

        public BlockResult Encode(HpackEncoder encoder, Span<byte> target, out int written) => _status == 0
            ? encoder.EncodeTrailers(target, _fields!, out written)
            : encoder.EncodeResponse(target, _status, _contentLength, _fields, _defaults, out written);
    }
}
