// HTTP/2 on a connection: asks the machine what the bytes mean, runs one exchange per stream, and writes the frames of all of them.
// Everything on the thread of the connection's loop; application code is called from the ready list (ExchangeCalls) only.
// Http2Driver.Streams.cs holds what begins and ends a stream, Http2Driver.Sending.cs what is written and whose turn it is,
// Http2Driver.Ending.cs how the connection ends, Http2Driver.Timing.cs what has a deadline, and what a connection that rests lets go of.
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Driver : ConnectionDriver
{
    /// <summary>
    /// Bytes beyond the limit of unsent ones above which nothing more is received: what a client makes the server answer, and does not
    /// read,
    /// must not fill the memory.
    /// </summary>
    public const int UnreadAnswersMax = 64 * 1024;

    private readonly Connection _connection;
    private readonly Http2Machine _machine;
    private readonly Http2Frames _frames;
    private readonly DefaultFields _defaultFields;
    private readonly Http2Limits _limits;
    private readonly long _unsentMax;
    private State _state;
    private bool _hasSettings;

    public Http2Driver(Connection connection, IAsgiApplication application, DefaultFields defaultFields)
    {
        _connection = connection;
        _limits = connection.Limits.Http2;
        _machine = new Http2Machine(_limits);
        _frames = new Http2Frames(connection);
        _encoder = new() { UsesDynamicTable = connection.Limits.CompressesResponseFields };
        _defaultFields = defaultFields;
        _unsentMax = Math.Max(1, connection.Limits.ResponseBufferSizeMax ?? UnsentMaxWithoutLimit);
        Application = application;
        Posts = new Http2Posts(connection.Loop);
        connection.Record.Protocol = ("http", "2");
    }

    private enum State
    {
        /// <summary>Nothing has come yet.</summary>
        Silent,

        /// <summary>The client has begun its preface, and has got ours.</summary>
        Open,

        /// <summary>The client was told that the connection will end; new streams that it has sent meanwhile are served.</summary>
        Announced,

        /// <summary>The last stream is known: when those that are open have ended, the connection does.</summary>
        Draining,

        /// <summary>No frame is read or written any more.</summary>
        Done,
    }

    public Connection Connection => _connection;

    public IAsgiApplication Application { get; }

    public Http2Posts Posts { get; }

    public override bool WantsInput => _state != State.Done && _connection.Output.Length <= _unsentMax + UnreadAnswersMax;

    public override bool UsesInput => _state != State.Done;

    // Frames of a connection that is closed, or has sent FIN, go nowhere.
    private bool CanWrite => _state != State.Done && !_connection.HasEndedSending;

    private long Now => _connection.Loop.NowMilliseconds;

    public override void OnStarted()
    {
        _connection.SendRateMin = _connection.Limits.ResponseRateMin;
        BeginIdle();
    }

    public override void OnReceived()
    {
        NoteReceived();
        if (_state == State.Silent && !TryOpen())
        {
            return;
        }

        var input = _connection.Input;
        while (_state != State.Done)
        {
            var found = _machine.Read(input.Raw, Now, out var consumed);
            Act(found);
            if (_state == State.Done)
            {
                break;
            }

            input.SkipRaw(consumed);
            if (found == Http2Event.NeedData)
            {
                break;
            }
        }

        input.ReleaseIfUnused();
        if (CanWrite)
        {
            // Of content that no application will see.
            UpdateWindow(0, _machine.TakeConnectionIncrement());
        }

        TimeBlock();
    }

    public override void OnFlushing() => Pump();

    public override void OnSent()
    {
        if (_state == State.Done)
        {
            return;
        }

        PumpOn();
        if (_connection.Output.Length <= _unsentMax)
        {
            _connection.ReceiveLater();
        }
    }

    // What the client sends first tells whether it speaks HTTP/2 at all; ours goes out with the answer to it.
    private bool TryOpen()
    {
        var raw = _connection.Input.Raw;
        if (Http2Preface.Match(raw) == Http2PrefaceMatch.None)
        {
            switch (Http1Request.Match(raw))
            {
                case Http2PrefaceMatch.Partial:
                    TimeBlock();
                    return false;
                case Http2PrefaceMatch.Full:
                    RefuseHttp1();
                    return false;
            }
        }

        _state = State.Open;
        _frames.Advance(Http2FrameWriter.WriteServerPreface(_frames.GetSpan(Http2FrameWriter.ServerPrefaceSizeMax), _limits));
        _connection.FlushLater();
        return true;
    }

    private void Act(Http2Event found)
    {
        switch (found)
        {
            case Http2Event.Request:
                OnRequest(_machine.Stream!);
                break;
            case Http2Event.Content:
                var content = _machine.Content;
                _contentMeter.Count(content.Length);
                StreamOf(_machine.Stream!).OnReceived(
                    _connection.Input.Raw.Slice(content.Start, content.Length), _machine.EndStream);
                break;
            case Http2Event.Trailers:
                StreamOf(_machine.Stream!).OnEndOfContent();
                break;
            case Http2Event.StreamReset:
                OnReset(_machine.Stream!);
                break;
            case Http2Event.StreamFault:
                OnStreamFault(_machine.Fault!);
                break;
            case Http2Event.WindowUpdate:
                OnWindowUpdate(_machine.Stream);
                break;
            case Http2Event.Settings:
                OnSettings();
                break;
            case Http2Event.SettingsAck:
                _settingsDue = Never;
                break;
            case Http2Event.Ping:
                Write(Http2FrameWriter.WritePing(_frames.GetSpan(Http2FrameWriter.PingSize), _machine.PingOpaque, isAck: true));
                break;
            case Http2Event.PingAck:
                OnPingAck(_machine.PingOpaque);
                break;
            case Http2Event.GoAway:
                OnGoAway();
                break;
            case Http2Event.Fault:
                Refuse(_machine.Fault!);
                break;
        }
    }

    private void OnSettings()
    {
        if (!_hasSettings)
        {
            // From here on it has had the time to see ours.
            _hasSettings = true;
            _settingsDue = Now + SettingsTimeoutMilliseconds;
            Arm(_settingsDue);
        }

        _encoder.TableSizeMax = _machine.PeerSettings.LeastHeaderTableSize;
        _encoder.TableSizeMax = _machine.PeerSettings.HeaderTableSize;
        Write(Http2FrameWriter.WriteSettingsAck(_frames.GetSpan(Http2FrameWriter.SettingsAckSize)));

        // The windows of all streams may have moved.
        foreach (var stream in _streams)
        {
            Requeue(stream);
        }
    }

    private void OnWindowUpdate(Http2StreamState? state)
    {
        if (state?.Attachment is Http2Stream stream)
        {
            Requeue(stream);
        }
        else if (state is null)
        {
            _connection.FlushLater();
        }
    }

    private void Write(int length)
    {
        _frames.Advance(length);
        _connection.FlushLater();
    }
}
