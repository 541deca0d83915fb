// RFC 9113's framing of one exchange, as far as it is the application's side of it: what HttpExchange decides is noted and handed to the
// loop, which makes frames of it (Http2Driver.Sending) in the order the connection has. Called by the exchange, on whichever thread the
// application runs.
//
// The life of a stream on the loop is in Http2Stream.Life.cs, what goes out in Http2Stream.Sending.cs, what comes in in
// Http2Stream.Receive.cs, posts of other threads in Http2Stream.Posted.cs. Pooled with its record by the machine, for one connection only.
using System.Collections.Concurrent;
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Protocols.Http2.Hpack;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Stream : ReceivingStream, IExchangeOwner
{
    private readonly Http2Driver _driver;
    private readonly Http2Output _output;
    private readonly Http2Content _content;
    private readonly HttpScope _scope;
    private readonly HttpExchange _exchange;
    private readonly ExchangeCalls _calls;
    private readonly long _unsentMax;
    private ConcurrentQueue<InterimResponse>? _interims;
    private PostedOutput _postedOutput;
    private ResponseHeadDecision _head;
    private ResponseFields? _trailers;
    private long _unsent;
    private int _isAwaitingFlush;
    private Handed _written;
    private volatile bool _isEndHeld;
    private volatile bool _isBroken;

    // Written by the writer, after what it tells of.
    private volatile Handed _handed;

    /// <param name="driver">The driver of its connection.</param>
    /// <param name="state">The record it belongs to, for all streams that this will serve.</param>
    public Http2Stream(Http2Driver driver, Http2StreamState state)
        : this(driver, state, new Http2Content(driver, state))
    {
    }

    private Http2Stream(Http2Driver driver, Http2StreamState state, Http2Content content)
        : base(driver.Connection, content)
    {
        _driver = driver;
        _content = content;
        State = state;
        _unsentMax = _connection.Limits.ResponseBufferSizeMax ?? long.MaxValue;
        _output = new Http2Output(_loop);
        Pending = new Http2Pending(_connection);
        _scope = new HttpScope(state.Head.Fields, _connection) { IsHttp2 = true };
        _exchange = new HttpExchange(this, _scope);
        _calls = new ExchangeCalls(driver.Application, _exchange, this);
    }

    /// <summary>What a writer has written, or handed over.</summary>
    [Flags]
    private enum Handed
    {
        None = 0,
        Head = 1,
        End = 2,

        /// <summary>The response ends short of its length: the client must see that.</summary>
        Cut = 4,
    }

    public Connection Connection => _connection;

    public Http2StreamState State { get; }

    public override long? ContentLengthMax
    {
        get => _content.LengthMax;
        set => _content.LengthMax = value;
    }

    public override DataRate? RequestRateMin { get; set; }

    /// <summary>How fast a client takes what is sent is a matter of the connection, and of each stream's window.</summary>
    public override DataRate? ResponseRateMin { get; set; }

    public override bool HasContent => _content.IsExpected;

    public override bool IsUpgradable => false;

    public override bool IsBroken => _isBroken;

    public override bool CanHaveTrailers => (_written & Handed.Head) == 0 || _head.HasContent;

    public override void WriteHead(in ResponseHeadDecision decision)
    {
        if (decision.Fields is { } fields)
        {
            DemandSendable(fields);
            HeadTraits = fields.Traits;
            if ((HeadTraits & (ResponseFieldTraits.HasConnection | ResponseFieldTraits.HasTransferEncoding)) != 0)
            {
                _connection.Log.ConnectionFieldsRemoved(_connection.Id, State.Id);
            }
        }

        _head = decision;
        _written |= Handed.Head;
    }

    public override Memory<byte> GetMemory(int sizeHint) => _output.GetMemory(sizeHint);

    public override void Advance(int count) => _output.Advance(count);

    public override void DropContent() => _output.Drop();

    public override bool TryFlush()
    {
        // To a broken stream as well: there the loop drops it, and the application's blocks come back.
        using (var entry = _loop.Enter())
        {
            if (entry.IsInside)
            {
                MoveOutput();
                return Pending.Length <= _unsentMax;
            }
        }

        PostOutput();
        return Volatile.Read(ref _unsent) <= _unsentMax;
    }

    public override void AwaitFlush()
    {
        Volatile.Write(ref _isAwaitingFlush, 1);
        Post(StreamWork.Output);
    }

    public override void CancelFlush() => Post(StreamWork.CancelFlush);

    public override void WriteTrailers(ResponseFields trailers)
    {
        DemandSendable(trailers);
        _trailers = trailers;
    }

    public override bool TrySendInformational(int status, ResponseFields? fields)
    {
        if (fields is not null)
        {
            DemandSendable(fields);
        }

        if (status == 100 && !_content.TryContinue())
        {
            return true;
        }

        using (var entry = _loop.Enter())
        {
            if (entry.IsInside)
            {
                SendInterims();
                SendInterim(new InterimResponse(status, fields));
                return true;
            }
        }

        if (_interims is null)
        {
            Interlocked.CompareExchange(ref _interims, new ConcurrentQueue<InterimResponse>(), null);
        }

        _interims.Enqueue(new InterimResponse(status, fields));
        Post(StreamWork.Output);
        return true;
    }

    public override void Complete(bool isReturning)
    {
        _written |= Handed.End;

        // The loop takes the last of it when it hears that the application has returned: one visit, or one post, serves for both.
        if (isReturning)
        {
            _isEndHeld = true;
        }
        else
        {
            SendOutput();
        }
    }

    public override void Truncate()
    {
        _written |= Handed.Cut;
        SendOutput();
    }

    /// <summary>Each stream has framing of its own: the connection is as sound as before.</summary>
    public override void CloseAfterResponse(ConnectionEndReason error)
    {
    }

    public override void RequestClose() => Post(StreamWork.RequestClose);

    public override bool TryCountUpgrade() => true;

    public override void StopCountingUpgrade()
    {
    }

    public override void WillBlock() => _loop.Surrender();

    public override void Abort(ConnectionEndReason reason) => Reset((int)Http2ErrorCode.InternalError);

    public override void Reset(int errorCode)
    {
        _resetCode = (Http2ErrorCode)(uint)errorCode;
        Volatile.Write(ref _resetId, State.Id);
        Post(StreamWork.Abort);
    }

    private void SendOutput()
    {
        using var entry = _loop.Enter();
        if (entry.IsInside)
        {
            MoveOutput();
        }
        else
        {
            PostOutput();
        }
    }

    // The head is known before the content behind it is handed over, and the end after all content: the loop reads in the other order.
    private void PostOutput()
    {
        _handed |= _written & Handed.Head;
        Interlocked.Add(ref _unsent, _postedOutput.Add(_output));
        _handed = _written;
        Post(StreamWork.Output);
    }

    private static void DemandSendable(ResponseFields fields)
    {
        if (HpackEncoder.FindInvalid(fields) is { } invalid)
        {
            throw new InvalidOperationException(
                $"'{invalid}' has a character that must not be sent in a response (RFC 9110, section 5.5).");
        }
    }

    private readonly record struct InterimResponse(int Status, ResponseFields? Fields);
}
