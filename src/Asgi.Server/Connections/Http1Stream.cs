// RFC 9112's framing of one exchange: what HttpExchange decides becomes bytes of HTTP/1, and decoded content becomes its messages. The
// application calls it on whichever thread it runs; what other threads want of the connection is posted to the loop, coalesced.
//
// Writing: the writer's thread frames (Http1Output) and hands ranges over; on the loop straight to the connection, else by a batch.
// Reading: always on the loop, in Http1Stream.Receive.cs. Files, trailers and interim responses are in Http1Stream.Parts.cs,
// the switch of protocols in Http1Stream.Upgrade.cs, posts in Http1Stream.Posted.cs.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Stream : ReceivingStream
{
    private readonly Http1Driver _driver;
    private readonly Http1Machine _machine;
    private readonly Http1Content _content;
    private readonly Http1Output _output;
    private readonly DefaultFields _defaultFields;
    private readonly long _unsentMax;
    private PostedOutput _postedOutput;
    private long _unsent;
    private int _isAwaitingFlush;
    private volatile bool _isHeadWritten;
    private volatile bool _isEndHeld;
    private volatile bool _isBroken;

    public Http1Stream(
        Connection connection, Http1Driver driver, Http1Machine machine, Http1Content content, DefaultFields defaultFields)
        : base(connection, content)
    {
        _driver = driver;
        _machine = machine;
        _content = content;
        _defaultFields = defaultFields;
        _output = new Http1Output(_loop);
        _unsentMax = connection.Limits.ResponseBufferSizeMax ?? long.MaxValue;
    }

    /// <summary>Whether the connection persists after this response: what client, application and server have said so far.</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>Whether the response was written to its end.</summary>
    public bool IsComplete { get; private set; }

    public override long? ContentLengthMax
    {
        get => _content.LengthMax;
        set => _content.LengthMax = value;
    }

    public override DataRate? RequestRateMin
    {
        get => _content.RateMin;
        set => _content.RateMin = value;
    }

    public override DataRate? ResponseRateMin
    {
        get => _connection.SendRateMin;
        set => _connection.SendRateMin = value;
    }

    public override bool HasContent => _machine.Head.HasContent;

    public override bool IsBroken => _isBroken;

    public void Reset(bool keepAlive)
    {
        KeepAlive = keepAlive;
        IsComplete = false;
        ResponseRateMin = _connection.Limits.ResponseRateMin;
        _isHeadWritten = false;
        _lastFile = null;
        ResetReceive();
    }

    public override void WriteHead(in ResponseHeadDecision decision)
    {
        var traits = decision.Fields?.Traits ?? ResponseFieldTraits.None;

        // The loop may not have heard of the stop yet, which it will have when the response is over.
        var isEnding = _driver.IsShuttingDown || _connection.IsServerStopping;
        var keepAlive = KeepAlive && !isEnding && _content.LetsPersist;
        var isChunked = false;
        if ((traits & ResponseFieldTraits.HasConnection) != 0 && (traits & ResponseFieldTraits.KeepAlive) == 0)
        {
            keepAlive = false;
        }

        if ((traits & ResponseFieldTraits.HasTransferEncoding) != 0)
        {
            // The application frames the content itself; without chunked as the last coding its end is the connection's.
            keepAlive &= (traits & ResponseFieldTraits.IsChunked) != 0;
        }
        else if (decision.Status == 101)
        {
            keepAlive = false;
        }
        else if (decision.HasContent && decision.ContentLength is null)
        {
            isChunked = _machine.Head.IsHttp11;
            keepAlive &= isChunked;
        }

        var head = new ResponseHead
        {
            Status = decision.Status,
            ReasonPhrase = decision.ReasonPhrase,
            ContentLength = decision.ContentLength,
            Chunked = isChunked,
            Connection = GetConnectionOption(traits, keepAlive),
            Common = _defaultFields.GetLines(traits),
        };
        if (_output.WriteHead(head, decision.Fields) is { } invalid)
        {
            throw CannotBeSent(invalid);
        }

        KeepAlive = keepAlive;
        _isChunked = isChunked;
        _isHeadWritten = true;
    }

    public override Memory<byte> GetMemory(int sizeHint) => _output.GetMemory(sizeHint);

    public override void Advance(int count) => _output.Advance(count);

    public override void DropContent() => _output.DropContent();

    public override bool TryFlush()
    {
        _output.CloseContent();
        return TrySend();
    }

    // Sends what is closed; false when the client must read before more is written.
    private bool TrySend()
    {
        // To a broken connection as well: there the loop drops it, and the application's blocks come back.
        using (var entry = _loop.Enter())
        {
            if (entry.IsInside)
            {
                MoveOutput();
                return _connection.UnsentLength <= _unsentMax && !IsFileUnsent;
            }
        }

        PostOutput();
        return Volatile.Read(ref _unsent) <= _unsentMax && !IsFileUnsent;
    }

    public override void AwaitFlush()
    {
        Volatile.Write(ref _isAwaitingFlush, 1);
        Post(StreamWork.Output);
    }

    public override void CancelFlush() => Post(StreamWork.CancelFlush);

    public override void Complete(bool isReturning)
    {
        IsComplete = true;
        _output.EndContent();

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
        KeepAlive = false;
        _connection.Record.End(ConnectionEndReason.ErrorAfterStartingResponse);
        _output.CloseContent();
        SendOutput();
    }

    public override void CloseAfterResponse(ConnectionEndReason error)
    {
        KeepAlive = false;
        _connection.Record.End(error);
    }

    public override void RequestClose()
    {
        CloseAfterResponse(ConnectionEndReason.None);
        Post(StreamWork.RequestClose);
    }

    public override void WillBlock() => _loop.Surrender();

    public override void Abort(ConnectionEndReason reason)
    {
        _connection.Record.End(reason);
        Post(StreamWork.Abort);
    }

    /// <summary>The application's task has completed. Any thread.</summary>
    public void PostReturned() => Post(StreamWork.Returned);

    /// <summary>
    /// Bytes were sent: a flush that waits goes on once half the limit is free and the file, if there is one, is sent. Loop thread.
    /// </summary>
    public void OnSent()
    {
        var unsent = _connection.UnsentLength;
        Volatile.Write(ref _unsent, unsent);
        if (Volatile.Read(ref _isAwaitingFlush) != 0 && (_isBroken || (unsent <= _unsentMax / 2 && !IsFileUnsent)))
        {
            Volatile.Write(ref _isAwaitingFlush, 0);
            _driver.Ready(ReadyCall.Flushed);
        }
    }

    /// <summary>The connection is gone: whoever waits goes on. Loop thread.</summary>
    public void OnBroken()
    {
        _isBroken = true;
        OnContent();
        OnSent();
    }

    /// <summary>The application is done: what it left waiting concerns nobody. Loop thread.</summary>
    public void ForgetWaits()
    {
        Volatile.Write(ref _isAwaitingFlush, 0);
        TryForgetReceive();
    }

    /// <summary>
    /// Takes over what the application has posted, and the end of its response if that is held for its return. What a call on another
    /// thread may still be writing is not touched. Loop thread.
    /// </summary>
    public void TakeLastOutput()
    {
        if (_isEndHeld)
        {
            _isEndHeld = false;
            MoveOutput();
        }
        else
        {
            TakeOutput();
        }
    }

    /// <summary>Takes over what the application has written on another thread. Loop thread.</summary>
    public void TakeOutput()
    {
        _postedOutput.TakeTo(_connection.Output);
        if (_connection.HasEndedSending)
        {
            _connection.Output.Clear();
            OnSent();
        }
        else
        {
            _connection.FlushLater();
        }
    }

    /// <summary>The connection is idle: it holds no block. Loop thread.</summary>
    public void ReleaseOutput() => _output.Release(_connection.Output);

    /// <summary>The connection is closed and the application done. Loop thread.</summary>
    public void Clear()
    {
        _postedOutput.TakeTo(_connection.Output);
        _connection.Output.Clear();
        _output.Clear();
    }

    private ConnectionOption GetConnectionOption(ResponseFieldTraits traits, bool keepAlive)
    {
        if (IsUpgraded)
        {
            return (traits & ResponseFieldTraits.HasConnection) != 0 ? ConnectionOption.None : ConnectionOption.Upgrade;
        }

        if (!keepAlive)
        {
            return (traits & ResponseFieldTraits.HasConnection) != 0 ? ConnectionOption.None : ConnectionOption.Close;
        }

        return _machine.Head.IsHttp11 || (traits & ResponseFieldTraits.HasConnection) != 0
            ? ConnectionOption.None
            : ConnectionOption.KeepAlive;
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

    // What was posted earlier goes first: it was written first.
    private void MoveOutput()
    {
        _postedOutput.TakeTo(_connection.Output);
        _output.MoveTo(_connection.Output);
        if (_connection.HasEndedSending)
        {
            _connection.Output.Clear();
            return;
        }

        _connection.FlushLater();
    }

    private void PostOutput()
    {
        Interlocked.Add(ref _unsent, _postedOutput.Add(_output));
        Post(StreamWork.Output);
    }

    private void Run(StreamWork work)
    {
        if ((work & StreamWork.Abort) != 0)
        {
            _driver.AbortByApplication();
        }

        if ((work & StreamWork.RequestClose) != 0)
        {
            _connection.ShutDown(ConnectionEndReason.GracefulShutdown);
        }

        RunReceiving(work);
        if ((work & StreamWork.CancelFlush) != 0 && _isAwaitingFlush != 0)
        {
            Volatile.Write(ref _isAwaitingFlush, 0);
            _driver.Ready(ReadyCall.Flushed);
        }

        if ((work & StreamWork.Output) != 0)
        {
            TakeOutput();
        }

        if ((work & StreamWork.Returned) != 0)
        {
            _driver.OnApplicationDone();
        }
    }
}
