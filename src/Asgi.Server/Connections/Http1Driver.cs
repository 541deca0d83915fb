// HTTP/1 on a connection: asks the machine what the bytes mean, runs one exchange at a time, and decides what becomes of the connection
// after it. Everything on the thread of the connection's loop; application code is called from the ready list (ExchangeCalls) only.
// Http1Driver.Resting.cs holds what it lets go of between requests, Http1Driver.Ending.cs how it ends, Http1Driver.Grace.cs what an
// exchange is given time for, Http1Driver.Observed.cs what watchers are told.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal sealed partial class Http1Driver : ConnectionDriver, IExchangeOwner
{
    private readonly Connection _connection;

    // None while it rests.
    private Http1Stream _stream = null!;
    private HttpScope _scope = null!;
    private HttpExchange _exchange = null!;
    private ExchangeCalls _calls = null!;
    private State _state;
    private bool _isShuttingDown;
    private int _requestCount;
    private bool _isHeadTimed;
    private bool _isHeldBack;

    public Http1Driver(Connection connection, IAsgiApplication application, DefaultFields defaultFields)
    {
        _connection = connection;
        connection.Record.Protocol = ("http", "1.1");
        _application = application;
        _defaultFields = defaultFields;
    }

    private enum State
    {
        /// <summary>Between requests: nothing of one is held.</summary>
        Resting,

        /// <summary>Between requests, or in a head.</summary>
        Head,

        /// <summary>The application has the exchange, from the ready list until its task completes.</summary>
        Exchange,

        /// <summary>The response is complete; the rest of the request's content is taken in.</summary>
        Draining,

        /// <summary>No further request is read.</summary>
        Done,
    }

    public Connection Connection => _connection;

    public Http1Machine Machine { get; private set; } = null!;

    /// <summary>Whether the connection is to end. A loop hears of a stop of the server a moment later than the server knows.</summary>
    public bool IsShuttingDown => _isShuttingDown || _connection.IsServerStopping;

    public Http1Content Content { get; private set; } = null!;

    public override bool WantsInput => _state switch
    {
        State.Exchange => !Content.IsComplete && Content.Fault is null && (_stream.IsAwaitingContent || Content.HasRoom),
        State.Head => !_isHeldBack,
        State.Resting or State.Draining => true,
        _ => false,
    };

    public override bool UsesInput => _state != State.Done;

    private long UnsentMax => _connection.Limits.ResponseBufferSizeMax ?? long.MaxValue;

    public override void OnStarted() => BeginIdle();

    public override void OnReceived()
    {
        switch (_state)
        {
            case State.Resting:
                Wake();
                ReadHead();
                break;
            case State.Head:
                ReadHead();
                break;
            case State.Exchange:
                Content.Read();
                _stream.OnContent();
                if (_connection.HasPeerShutdown)
                {
                    OnPeerShutdown();
                }

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
            End(mustLinger: false, ReasonOfEndOfInput());
            return;
        }

        Content.End();
        _stream.OnContent();
        NoteDisconnect();
    }

    public override void OnPeerShutdown()
    {
        // Content that the FIN cuts off is missed when its end is received, and so is the end of raw bytes.
        if (_state == State.Exchange && Content.IsComplete && !_stream.IsUpgraded)
        {
            OnHalfClosed();
        }
    }

    public override void OnSent()
    {
        _stream?.OnSent();
        if (_isHeldBack && _connection.Output.FileCount == 0 && _connection.Output.Length <= UnsentMax / 2)
        {
            _isHeldBack = false;
            ReadOn();
        }
    }

    public override void OnDeadline(long nowMilliseconds)
    {
        if (_state == State.Head && Machine.IsMidHead)
        {
            Refuse(ConnectionFaults.HeadTimeout);
        }
        else if (_state is State.Head or State.Resting)
        {
            OnIdle(nowMilliseconds);
        }
        else if (_state == State.Draining)
        {
            _connection.Log.DrainTimedOut(_connection.Id);
            End(mustLinger: true, ConnectionEndReason.ServerTimeout);
        }
        else if (_state == State.Exchange && _stream.IsAwaitingContent)
        {
            Content.CheckRate(nowMilliseconds);
            _stream.OnContent();
        }
    }

    public void Ready(ReadyCall call) => _calls.Add(call);

    public void ReadyReceived(in RequestBody body)
    {
        _calls.Received = body;
        Ready(ReadyCall.Received);
    }

    /// <summary>The application's task will complete on some thread.</summary>
    public void OnApplicationCompletedLater() => _stream.PostReturned();

    /// <summary>The application's task has completed.</summary>
    public void OnApplicationDone() => _calls.OnApplicationDone();

    /// <summary>Sends what the application has handed over, although a call into it is still under way on another thread.</summary>
    public void TakeOutput() => _stream.TakeLastOutput();

    /// <summary>The application is done, and no call into it is left on another thread: the exchange is the driver's again.</summary>
    public void OnApplicationReturned()
    {
        EndGrace();
        _exchange.ForgetWaits();
        _stream.ForgetWaits();
        if (_connection.State == ConnectionState.Closed)
        {
            _observation.End(_connection, _exchange);
            _state = State.Done;
            Release();
            return;
        }

        // Also what another thread has written, and posted: that post is still to come.
        _stream.TakeLastOutput();
        if (!_exchange.IsComplete)
        {
            _exchange.Fail();
        }

        _observation.End(_connection, _exchange);
        if (!_stream.KeepAlive || !Content.LetsPersist)
        {
            // A client that did not ask for the end may have sent more, received here or not.
            End(
                mustLinger: Machine.Head.KeepAlive || !Content.IsComplete || _connection.Input.RawLength > 0,
                ConnectionEndReason.ResponseNoKeepAlive);
        }
        else if (Content.IsComplete)
        {
            NextRequest();
        }
        else
        {
            _state = State.Draining;
            _connection.Log.ContentNotRead(_connection.Id);
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
            case Http1Event.Request when FieldEncodings.Judge(Machine, buffer, start, _connection.Limits) is { } fault:
                Refuse(fault);
                break;
            case Http1Event.Request:
                input.ConsumeHead(consumed);
                BeginExchange(buffer, start);
                break;
            case Http1Event.Fault:
                Refuse(Machine.Fault!);
                break;
            default:
                input.SkipRaw(consumed);
                if (input.RawLength == 0)
                {
                    // Empty lines, which come before a request at any time: the wait for the rest holds no block.
                    input.ReleaseIfUnused();
                    _stream.ReleaseOutput();
                }

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
        _exchange.Reset();
        _observation.Begin(_connection, _exchange);
        _requestCount++;
        _stream.Reset(head.KeepAlive && !(_requestCount >= _connection.Limits.RequestsMax));
        Content.Begin();
        if (_connection.HasPeerShutdown)
        {
            OnPeerShutdown();
        }

        Ready(ReadyCall.Start);
    }

    private void Drain()
    {
        Content.Read();
        _connection.Input.DiscardContent();
        if (Content.Fault is not null)
        {
            End(mustLinger: true, ConnectionEndReason.OtherError);
        }
        else if (Content.IsComplete)
        {
            NextRequest();
        }
    }

    private void NextRequest()
    {
        _scope.Unbind();
        _connection.Input.ReleaseMessage();
        Machine.Next();
        _state = State.Head;
        _isHeadTimed = false;
        if (IsShuttingDown)
        {
            // The response said so, or had begun before the server knew.
            End(mustLinger: _connection.Input.RawLength > 0, ReasonOfShutDown);
            return;
        }

        if (_connection.Record is { IsLogged: true, Reason: ConnectionEndReason.None })
        {
            _connection.Log.KeptAlive(_connection.Id);
        }

        BeginIdle();

        // A client that pipelines requests and does not read the responses must not fill the memory with them, nor keep files open.
        _isHeldBack = _connection.Output.FileCount > 0 || _connection.Output.Length > UnsentMax;
        if (!_isHeldBack)
        {
            ReadOn();
        }
    }

    private void ReadOn()
    {
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

    private void NoteDisconnect()
    {
        if (_exchange.NoteDisconnect())
        {
            Ready(ReadyCall.Disconnected);
        }
    }
}
