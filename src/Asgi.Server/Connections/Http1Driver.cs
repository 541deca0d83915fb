// HTTP/1 on a connection: asks the machine what the bytes mean, runs one exchange at a time, and decides what becomes of the connection
// after it. Everything on the thread of the connection's loop; application code is called from the ready list (Http1Calls) only.
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal sealed class Http1Driver : ConnectionDriver
{
    private readonly Connection _connection;
    private readonly Http1Stream _stream;
    private readonly HttpScope _scope;
    private readonly HttpExchange _exchange;
    private readonly Http1Calls _calls;
    private readonly FieldSection _trailers = new();
    private State _state;
    private bool _isHeadTimed;
    private bool _hasContinued;
    private volatile bool _isContentComplete;

    public Http1Driver(Connection connection, IAsgiApplication application, DefaultFields defaultFields)
    {
        _connection = connection;
        Machine = new Http1Machine(connection.Limits.Http1);
        _stream = new Http1Stream(connection, this, defaultFields);
        _scope = new HttpScope(Machine.Head.Fields, connection);
        _exchange = new HttpExchange(_stream, _scope);
        _calls = new Http1Calls(application, _exchange, this);
    }

    private enum State
    {
        /// <summary>Between requests, or in a head.</summary>
        Head,

        /// <summary>The application has the exchange, from the ready list until its task completes.</summary>
        Exchange,

        /// <summary>The response is complete; the rest of the request's content is taken in.</summary>
        Draining,

        /// <summary>No further request is read.</summary>
        Done,
    }

    public Http1Machine Machine { get; }

    public bool IsShuttingDown { get; private set; }

    /// <summary>Whether all content has arrived. Any thread: once it has, the loop no longer touches the content.</summary>
    public bool IsContentComplete
    {
        get => _isContentComplete;
        private set => _isContentComplete = value;
    }

    /// <summary>Why the rest of the content is refused.</summary>
    public HttpFault? ContentFault { get; private set; }

    /// <summary>The trailer section, once all content has arrived.</summary>
    public FieldSection? Trailers => IsContentComplete ? _trailers : null;

    /// <summary>
    /// Whether the connection can go on after this exchange. Not after malformed content; nor while the client waits for a 100 that was not
    /// sent, since whether its content follows is then unknown (RFC 9110, section 10.1.1).
    /// </summary>
    public bool MayPersist => ContentFault is null && (IsContentComplete || _hasContinued || !Machine.Head.ExpectContinue);

    public override bool WantsInput => _state switch
    {
        State.Exchange => !IsContentComplete && ContentFault is null && (_stream.IsAwaitingContent || HasRoomForContent),
        State.Done => false,
        _ => true,
    };

    private bool HasRoomForContent =>
        _connection.Limits.RequestBufferSizeMax is not { } max || _connection.Input.ContentLength < max;

    public override void OnStarted() => _connection.SetDeadline(_connection.Limits.KeepAliveTimeoutMilliseconds);

    public override void OnReceived()
    {
        switch (_state)
        {
            case State.Head:
                ReadHead();
                break;
            case State.Exchange:
                ReadContent();
                _stream.OnContent();
                break;
            case State.Draining:
                Drain();
                break;
        }
    }

    public override void OnEndOfInput()
    {
        if (_state != State.Exchange)
        {
            // Between requests this is the usual end; half a head gets no answer (RFC 9112, section 8).
            End(mustLinger: false);
            return;
        }

        if (!IsContentComplete)
        {
            if (_stream.IsUpgraded)
            {
                IsContentComplete = true;
            }
            else
            {
                ContentFault ??= ConnectionFaults.UnexpectedEnd;
            }

            _stream.OnContent();
        }

        NoteDisconnect();
    }

    public override void OnPeerShutdown()
    {
        if (_state == State.Exchange && IsContentComplete)
        {
            NoteDisconnect();
        }
    }

    public override void OnSent() => _stream.OnSent();

    public override void OnDeadline(long nowMilliseconds)
    {
        if (_state == State.Head && Machine.IsMidHead)
        {
            Refuse(ConnectionFaults.HeadTimeout);
        }
        else if (_state is State.Head)
        {
            End(mustLinger: false);
        }
        else if (_state == State.Draining)
        {
            _connection.Log.DrainTimedOut(_connection.Id);
            End(mustLinger: true);
        }
    }

    public override void ShutDown()
    {
        IsShuttingDown = true;
        if (_state == State.Head && !Machine.IsMidHead && _connection.Input.RawLength == 0)
        {
            End(mustLinger: false);
        }
    }

    public override void OnClosed()
    {
        if (_state != State.Exchange)
        {
            Release();
            return;
        }

        // The application has the exchange: it hears of it, and the connection's memory stays until it is done.
        NoteDisconnect();
        _stream.OnBroken();
    }

    /// <summary>The application waits for content.</summary>
    /// <param name="mayContinue">Whether the response has not begun, so that a 100 may still be sent.</param>
    public void OnContentWanted(bool mayContinue)
    {
        if (Machine.Head.ExpectContinue && !_hasContinued && mayContinue && _connection.Input.ContentLength == 0 && !IsContentComplete)
        {
            _hasContinued = true;
            _connection.Send("HTTP/1.1 100 Continue\r\n\r\n"u8);
        }

        _connection.ReceiveLater();
    }

    /// <summary>The fault of the content, which may be that it is longer than the application allows.</summary>
    public HttpFault? CheckContent()
    {
        if (ContentFault is null && _stream.ContentLengthMax is { } max)
        {
            var length = Machine.Head.ContentLength ?? Machine.TotalContentBytes + Machine.FramingBytes;
            if (length > max && !_stream.IsUpgraded)
            {
                ContentFault = ConnectionFaults.TooLarge(max);
            }
        }

        return ContentFault;
    }

    public void UpgradeToRaw()
    {
        Machine.UpgradeToRaw();
        IsContentComplete = false;
        _hasContinued = true;
        ReadContent();
        _connection.ReceiveLater();
    }

    public void AbortByApplication()
    {
        if (_connection.State != ConnectionState.Closed)
        {
            _connection.Log.ApplicationAborted(_connection.Id);
            _connection.Abort();
        }
    }

    public void Ready(ReadyCall call)
    {
        _calls.Add(call);
        _connection.Loop.Ready(_calls);
    }

    public void ReadyReceived(in RequestBody body)
    {
        _calls.Received = body;
        Ready(ReadyCall.Received);
    }

    /// <summary>The application's task will complete on some thread.</summary>
    public void OnApplicationCompletedLater() => _stream.PostReturned();

    /// <summary>The application's task has completed: the exchange is the driver's again.</summary>
    public void OnApplicationReturned()
    {
        _calls.Clear();
        if (_calls.TakeFailure() is { } failure)
        {
            _connection.Log.ApplicationFailed(_connection.Id, failure);
        }

        if (_connection.State == ConnectionState.Closed)
        {
            _state = State.Done;
            Release();
            return;
        }

        if (!_exchange.IsComplete)
        {
            _exchange.Fail();
        }

        if (!_stream.KeepAlive || !MayPersist)
        {
            // A client that did not ask for the end may have sent more, received here or not.
            End(mustLinger: Machine.Head.KeepAlive || !IsContentComplete || _connection.Input.RawLength > 0);
        }
        else if (IsContentComplete)
        {
            NextRequest();
        }
        else
        {
            _state = State.Draining;
            _connection.SetDeadline(_connection.Limits.DrainTimeoutMilliseconds);
            Drain();
            _connection.ReceiveLater();
        }
    }

    private void ReadHead()
    {
        var input = _connection.Input;
        var (buffer, start) = (input.RawArray, input.RawStart);
        switch (Machine.Read(input.Raw, out var consumed))
        {
            case Http1Event.Request:
                input.ConsumeHead(consumed);
                BeginExchange(buffer, start);
                break;
            case Http1Event.Fault:
                Refuse(Machine.Fault!);
                break;
            default:
                input.SkipRaw(consumed);
                if (!_isHeadTimed && Machine.IsMidHead)
                {
                    _isHeadTimed = true;
                    _connection.SetDeadline(_connection.Limits.HeadTimeoutMilliseconds);
                }

                break;
        }
    }

    private void BeginExchange(byte[] buffer, int start)
    {
        var head = Machine.Head;
        head.Fields.Bind(buffer, start);
        _scope.Bind(buffer, new HttpScope.HeadOffsets(
            start + head.MethodStart,
            head.MethodLength,
            start + head.TargetStart,
            head.TargetLength,
            start + head.PathStart,
            head.PathLength,
            start + head.QueryStart,
            head.QueryLength,
            head.Form is TargetForm.Origin or TargetForm.Absolute,
            head.IsHttp11));
        _connection.ClearDeadline();
        _state = State.Exchange;
        IsContentComplete = false;
        ContentFault = null;
        _hasContinued = false;
        _trailers.Clear();
        _exchange.Reset();
        _stream.Reset(head.KeepAlive);
        ReadContent();
        Ready(ReadyCall.Start);
    }

    private void ReadContent()
    {
        var input = _connection.Input;
        while (!IsContentComplete && ContentFault is null)
        {
            switch (Machine.Read(input.Raw, out var consumed))
            {
                case Http1Event.Content:
                    input.CommitContent(consumed, Machine.ContentBytes);
                    break;
                case Http1Event.EndOfMessage:
                    KeepTrailers();
                    input.SkipRaw(consumed);
                    IsContentComplete = true;
                    break;
                case Http1Event.Fault:
                    ContentFault = Machine.Fault;
                    break;
                default:
                    if (consumed > 0)
                    {
                        input.CommitContent(consumed, 0);
                    }

                    return;
            }
        }
    }

    // Trailers are rare and small: they are copied, and the receive buffer goes on.
    private void KeepTrailers()
    {
        if (Machine.Trailers.Count > 0)
        {
            Machine.Trailers.Bind(_connection.Input.RawArray, _connection.Input.RawStart);
            Machine.Trailers.CopyTo(_trailers);
        }
    }

    private void Drain()
    {
        ReadContent();
        _connection.Input.DiscardContent();
        if (ContentFault is not null)
        {
            End(mustLinger: true);
        }
        else if (IsContentComplete)
        {
            NextRequest();
        }
    }

    private void NextRequest()
    {
        _connection.Input.ReleaseMessage();
        Machine.Next();
        _state = State.Head;
        _isHeadTimed = false;
        if (IsShuttingDown)
        {
            // The response said so, or had begun before the server knew.
            End(mustLinger: _connection.Input.RawLength > 0);
            return;
        }

        _connection.SetDeadline(_connection.Limits.KeepAliveTimeoutMilliseconds);
        if (_connection.Input.RawLength > 0)
        {
            ReadHead();
        }
        else
        {
            _stream.ReleaseOutput();
        }

        _connection.ReceiveLater();
    }

    // The status of the fault, and the connection ends: what follows cannot be trusted to be a message.
    private void Refuse(HttpFault fault)
    {
        _connection.Log.BadRequest(_connection.Id, fault);
        _stream.Reset(keepAlive: false);
        var fields = fault.Allow is null ? null : new FieldList().Add("Allow", fault.Allow);
        _stream.WriteHead(new ResponseHeadDecision(fault.Status, null, fields, ContentLength: 0, HasContent: false));
        _stream.Complete();
        End(mustLinger: true);
    }

    private void End(bool mustLinger)
    {
        _state = State.Done;
        _connection.ClearDeadline();
        _stream.ReleaseOutput();
        _connection.CloseAfterSend(mustLinger);
    }

    private void NoteDisconnect()
    {
        if (_exchange.NoteDisconnect())
        {
            Ready(ReadyCall.Disconnected);
        }
    }

    private void Release()
    {
        _state = State.Done;
        _stream.Clear();
        _connection.Release();
    }
}
