// The server's side of HTTP/2 (RFC 9113) as a machine over bytes: what it tells, and the walk from bytes to frames. What each frame does
// is in the other parts of the class, the rules are in the files around it. Called by the driver of one connection, on the thread that
// owns the connection.

namespace Asgi.Server.Protocols.Http2;

internal sealed partial class Http2Machine(Http2Limits limits)
{
    private readonly StreamTable _streams = new(limits.MaxStreamsPerConnection);
    private readonly FlowControl _flow = new(limits);
    private readonly HeaderBlock _block = new(limits);
    private readonly FieldSectionReader _sections = new(limits);
    private AbuseCounters _counters = new(limits);
    private Http2Settings _peerSettings = new();
    private State _state;
    private bool _isInHeaders; // the last read ended within HEADERS or CONTINUATION
    private int _skip;         // bytes that nobody needs, in the state Skip

    private enum State : byte
    {
        Preface,

        /// <summary>The preface was there: SETTINGS must be the next frame.</summary>
        FirstFrame,

        /// <summary>Before a frame.</summary>
        Frames,

        /// <summary>Within the content of a DATA frame.</summary>
        Content,

        /// <summary>Within padding, or a payload that is ignored.</summary>
        Skip,

        Faulted,
    }

    public Http2Limits Limits => limits;

    /// <summary>
    /// The stream of the last event: of Request, Content, Trailers, StreamReset and WindowUpdate (null there is the connection), and of
    /// StreamFault if the driver has been told of the stream before, otherwise null.
    /// </summary>
    public Http2StreamState? Stream { get; private set; }

    /// <summary>Of Content: where it lies in the input of that read.</summary>
    public ByteRange Content { get; private set; }

    /// <summary>Of Request, Content and Trailers: whether nothing more comes on the stream.</summary>
    public bool EndStream { get; private set; }

    /// <summary>Of StreamFault and Fault.</summary>
    public Http2Fault? Fault { get; private set; }

    /// <summary>Of StreamFault: the stream that RST_STREAM is to name.</summary>
    public int FaultStreamId { get; private set; }

    /// <summary>Of StreamReset and GoAway; possibly a code that has no name.</summary>
    public Http2ErrorCode ErrorCode { get; private set; }

    /// <summary>Of Ping and PingAck.</summary>
    public ulong PingOpaque { get; private set; }

    /// <summary>The highest stream that was told by Request, for GOAWAY (6.8).</summary>
    public int LastStreamId { get; private set; }

    public ref readonly Http2Settings PeerSettings => ref _peerSettings;

    /// <summary>What the peer lets us send on the connection, in bytes.</summary>
    public int ConnectionSendWindow => _flow.SendWindow;

    /// <summary>What the peer may send us on the connection, in bytes.</summary>
    public int ConnectionReceiveWindow => _flow.ReceiveWindow;

    /// <summary>What is to be given back to the peer and was not announced yet, in bytes.</summary>
    public int ConnectionCredit => _flow.Credit;

    /// <summary>Of a DATA frame under way: the content that was counted and not told yet, in bytes.</summary>
    public int ContentToCome => _state == State.Content ? _contentLeft : 0;

    /// <summary>Streams that are open or half-closed.</summary>
    public int OpenStreamCount => _streams.OpenCount;

    /// <summary>Streams that are open, or closed and not released.</summary>
    public int StreamCount => _streams.Count;

    /// <summary>
    /// Whether the preface, the first SETTINGS or a field block has begun, or must come, and is not complete: that has a deadline.
    /// </summary>
    public bool IsMidBlock => _state is State.Preface or State.FirstFrame || _block.StreamId != 0 || _isInHeaders;

    /// <summary>
    /// Takes the next event out of <paramref name="input"/>, which holds all bytes not consumed so far. What the event tells stays until
    /// the next read. DATA is told in the pieces it arrives in; the other frames must come whole
    /// (<see cref="Http2Limits.ContiguousBytesMax"/>).
    /// </summary>
    /// <param name="input">The bytes.</param>
    /// <param name="nowMilliseconds">The time, from any beginning; for the limits that hold over a span of time.</param>
    /// <param name="consumed">How many bytes at the front are done with, once what the event tells was used.</param>
    public Http2Event Read(ReadOnlySpan<byte> input, long nowMilliseconds, out int consumed)
    {
        consumed = 0;
        Stream = null;
        Content = default;
        EndStream = false;
        FaultStreamId = 0;
        _isInHeaders = false;
        switch (_state)
        {
            case State.Preface:
                return ReadPreface(input, out consumed);
            case State.Content:
                Fault = null;
                return ReadContent(input, ref consumed);
            case State.Skip:
                Fault = null;
                return SkipBytes(input, out consumed);
            case State.Faulted:
                return Http2Event.Fault;
            default:
                Fault = null;
                return ReadFrame(input, nowMilliseconds, out consumed);
        }
    }

    /// <summary>Lets go of the storage that the next stream would make anew, the pooled records included. Only between streams.</summary>
    public void DropScratch()
    {
        _streams.DropScratch();
        _sections.DropScratch();
        _block.DropScratch();
    }

    private Http2Event ReadPreface(ReadOnlySpan<byte> input, out int consumed)
    {
        consumed = 0;
        switch (Http2Preface.Match(input))
        {
            case Http2PrefaceMatch.Partial:
                return Http2Event.NeedData;
            case Http2PrefaceMatch.Full:
                consumed = Http2Preface.Size;
                _state = State.FirstFrame;
                return Http2Event.Ignored;
            default:
                return Fail(Http2Faults.InvalidPreface);
        }
    }

    private Http2Event ReadFrame(ReadOnlySpan<byte> input, long now, out int consumed)
    {
        consumed = 0;
        if (input.Length < Http2Frame.HeaderSize)
            return Http2Event.NeedData;
        Http2Frame frame = Http2Frame.Read(input);
        if (_state == State.FirstFrame && (frame.Type != Http2FrameType.Settings || frame.Has(Http2FrameFlags.Ack)))
            return Fail(Http2Faults.SettingsNotFirst);
        if (FrameRules.Judge(frame, _block, limits) is { } fault)
            return Fail(fault);

        switch (frame.Type)
        {
            case Http2FrameType.Data:
                return ReadData(frame, input, now, out consumed);
            case Http2FrameType.GoAway:
                return ReadGoAway(frame, input, now, out consumed);
            case > Http2FrameType.Continuation:
                return ReadUnknown(frame, now, out consumed);
        }
        int size = Http2Frame.HeaderSize + frame.Length;
        if (input.Length < size)
        {
            _isInHeaders = frame.Type is Http2FrameType.Headers or Http2FrameType.Continuation;
            return Http2Event.NeedData;
        }
        consumed = size;
        ReadOnlySpan<byte> payload = input[Http2Frame.HeaderSize..size];
        return frame.Type switch
        {
            Http2FrameType.Headers => ReadHeaders(frame, payload, now),
            Http2FrameType.Continuation => ReadContinuation(frame, payload, now),
            Http2FrameType.Priority => ReadPriority(frame, payload, now),
            Http2FrameType.RstStream => ReadRstStream(frame, payload, now),
            Http2FrameType.Settings => ReadSettings(frame, payload, now),
            Http2FrameType.Ping => ReadPing(frame, payload, now),
            _ => ReadWindowUpdate(frame, payload, now),
        };
    }

    /// <summary>An extension that we do not speak (5.5).</summary>
    private Http2Event ReadUnknown(in Http2Frame frame, long now, out int consumed)
    {
        consumed = Http2Frame.HeaderSize;
        if (_counters.UnknownFrame(now) is { } fault)
            return Fail(fault);
        BeginSkip(frame.Length);
        return Http2Event.Ignored;
    }

    private void BeginSkip(int bytes)
    {
        _skip = bytes;
        _state = bytes > 0 ? State.Skip : State.Frames;
    }

    private Http2Event SkipBytes(ReadOnlySpan<byte> input, out int consumed)
    {
        consumed = Math.Min(_skip, input.Length);
        BeginSkip(_skip - consumed);
        return consumed > 0 ? Http2Event.Ignored : Http2Event.NeedData;
    }

    /// <summary>Ends the connection (5.4.1).</summary>
    private Http2Event Fail(Http2Fault fault)
    {
        Fault = fault;
        Stream = null;
        _state = State.Faulted;
        return Http2Event.Fault;
    }

    /// <summary>Ends a stream (5.4.2); the driver is told its record if it knows it as one that is not closed.</summary>
    private Http2Event FailStream(int id, Http2StreamState? stream, Http2Fault fault, long now)
    {
        // What never came to a request costs no call of an application.
        bool isOpen = stream is { IsClosed: false };
        if ((isOpen ? _counters.StreamFault(now) : _counters.Reset(now)) is { } abuse)
            return Fail(abuse);
        if (isOpen)
        {
            ResetByUs(stream!);
            Stream = stream;
        }
        FaultStreamId = id;
        Fault = fault;
        return Http2Event.StreamFault;
    }
}
