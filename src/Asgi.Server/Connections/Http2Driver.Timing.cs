// What has a deadline on a connection of HTTP/2, by the one timer it has, and what it lets go of when it rests. On the thread of its loop.
using Asgi.Server.Diagnostics;
using Asgi.Server.Protocols.Http2;

namespace Asgi.Server.Connections;

internal sealed partial class Http2Driver
{
    /// <summary>How long a connection without streams is ready for the next with all it takes, in milliseconds.</summary>
    public const int RestAfterMilliseconds = Http1Driver.RestAfterMilliseconds;

    /// <summary>How long a client may take to acknowledge our SETTINGS (RFC 9113, section 6.5.3), in milliseconds.</summary>
    public const int SettingsTimeoutMilliseconds = 10_000;

    /// <summary>How often rates are looked at, in milliseconds.</summary>
    public const int RateCheckMilliseconds = 1000;

    private const long Never = long.MaxValue;

    private long _due = Never;
    private long _blockDue = Never;
    private long _settingsDue = Never;
    private long _goAwayDue = Never;
    private long _graceDue = Never;
    private long _rateDue = Never;
    private long _pingDue = Never;
    private long _idleSince;
    private long _receivedAt;
    private bool _isPingSent;
    private bool _isResting;
    private int _awaitingCount;
    private DataRateMeter _contentMeter;

    public override void OnDeadline(long nowMilliseconds)
    {
        _due = Never;
        Check(nowMilliseconds);
        if (_state != State.Done)
        {
            ArmNext(nowMilliseconds);
        }
    }

    /// <summary>An application waits for content: the time counts, of the connection as a whole.</summary>
    public void OnAwaitBegan()
    {
        if (_awaitingCount++ == 0)
        {
            _contentMeter.Start(Now);
        }

        ArmRates();
    }

    /// <summary>One of those no longer waits.</summary>
    public void OnAwaitEnded()
    {
        if (--_awaitingCount == 0)
        {
            _contentMeter.Pause(Now);
        }
    }

    private void Check(long now)
    {
        if (now >= _blockDue)
        {
            Break(Http2ErrorCode.ProtocolError, "Reading the request headers timed out.", ConnectionEndReason.RequestHeadersTimeout);
        }
        else if (now >= _settingsDue)
        {
            Break(Http2ErrorCode.SettingsTimeout, "SETTINGS were not acknowledged in time.", ConnectionEndReason.SettingsTimeout);
        }
        else if (now >= _graceDue)
        {
            _graceDue = Never;
            _connection.Record.End(ConnectionEndReason.ClientClosed);
            ForAll(static stream => stream.NoteDisconnect());
        }
        else
        {
            CheckSending(now);
        }
    }

    private void CheckSending(long now)
    {
        if (now >= _goAwayDue)
        {
            FinishGoAway();
        }

        if (_state != State.Done && now >= _rateDue)
        {
            _rateDue = Never;
            CheckRates(now);
        }

        if (_state != State.Done && now >= _pingDue)
        {
            CheckAlive(now);
        }

        if (_state != State.Done && _streams.Count == 0)
        {
            CheckIdle(now);
        }
    }

    // The rates of RFC-less patience: content that an application waits for, and windows that something waits for.
    private void CheckRates(long now)
    {
        if (IsContentTooSlow(now))
        {
            _connection.Log.ContentTooSlow(_connection.Id);
            ForAll(static stream => stream.RefuseSlowContent());
            Break(Http2ErrorCode.InternalError, "Content arrived too slowly.", ConnectionEndReason.MinRequestBodyDataRate);
            return;
        }

        if (_connection.Limits.ResponseRateMin is not { } rate)
        {
            return;
        }

        if (_windowRate.IsBelow(rate, now))
        {
            _connection.Log.ResponseTooSlow(_connection.Id);
            Break(
                Http2ErrorCode.EnhanceYourCalm,
                "The window of the connection was opened too slowly.",
                ConnectionEndReason.MinResponseDataRate);
            return;
        }

        foreach (var stream in _streams.ToArray())
        {
            if (stream.WindowRate.IsBelow(rate, now))
            {
                _connection.Log.ResponseTooSlow(_connection.Id);
                Reset(stream, Http2ErrorCode.EnhanceYourCalm);
            }
        }
    }

    // A client whose window we keep shut is not slow.
    private bool IsContentTooSlow(long now)
    {
        if (_awaitingCount == 0
            || _connection.Limits.RequestRateMin is not { } rate
            || _machine.ConnectionReceiveWindow == 0
            || !_contentMeter.IsBelow(rate, now))
        {
            return false;
        }

        foreach (var stream in _streams)
        {
            if (stream.IsAwaitingRatedContent)
            {
                return true;
            }
        }

        return false;
    }

    private void CheckAlive(long now)
    {
        var limits = _connection.Limits;
        if (limits.KeepAlivePingDelayMilliseconds is not { } delay)
        {
            return;
        }

        if (!_isPingSent)
        {
            if (now < _receivedAt + delay)
            {
                _pingDue = _receivedAt + delay;
                return;
            }

            _isPingSent = true;
            _pingDue = now + limits.KeepAlivePingTimeoutMilliseconds;
            Write(Http2FrameWriter.WritePing(_frames.GetSpan(Http2FrameWriter.PingSize), KeepAlivePing, isAck: false));
            return;
        }

        // Nobody is there who could read a GOAWAY.
        _connection.Abort(ConnectionEndReason.KeepAliveTimeout);
    }

    private void OnPingAck(ulong opaque)
    {
        if (opaque == GoAwayPing)
        {
            FinishGoAway();
        }
    }

    // Whatever comes says that the client is there.
    private void NoteReceived()
    {
        _isResting = false;
        if (_connection.Limits.KeepAlivePingDelayMilliseconds is { } delay)
        {
            _receivedAt = Now;
            _isPingSent = false;
            _pingDue = _receivedAt + delay;
            Arm(_pingDue);
        }
    }

    // A preface or a field block that has begun has a time to become whole.
    private void TimeBlock()
    {
        if (_state == State.Done)
        {
            return;
        }

        var isMidBlock = _state == State.Silent ? _connection.Input.RawLength > 0 : _machine.IsMidBlock;
        if (!isMidBlock)
        {
            _blockDue = Never;
            if (_streams.Count == 0)
            {
                Arm(_idleSince + _connection.Limits.KeepAliveTimeoutMilliseconds);
                Arm(Now + RestAfterMilliseconds);
            }
        }
        else if (_blockDue == Never)
        {
            _blockDue = Now + _connection.Limits.HeadTimeoutMilliseconds;
            Arm(_blockDue);
        }
    }

    private void BeginIdle()
    {
        _idleSince = Now;
        Arm(_idleSince + Math.Min(RestAfterMilliseconds, _connection.Limits.KeepAliveTimeoutMilliseconds));
    }

    private void CheckIdle(long now)
    {
        if (_blockDue != Never)
        {
            return;
        }

        if (now >= _idleSince + _connection.Limits.KeepAliveTimeoutMilliseconds)
        {
            if (_connection.IsUnsent)
            {
                // Its client takes the last response still, at a rate that is watched: the next request has its time after that.
                _idleSince = now;
                return;
            }

            if (_state != State.Silent)
            {
                WriteGoAway(_machine.LastStreamId, Http2ErrorCode.NoError);
            }

            End(mustLinger: false, ConnectionEndReason.KeepAliveTimeout);
        }
        else if (!_isResting && now >= _idleSince + RestAfterMilliseconds && !_connection.IsUnsent && _connection.Input.IsEmpty)
        {
            Rest();
        }
    }

    // What a stream takes is several times as large as the rest of a connection; the next makes it anew. Nothing of it is handed to another
    // connection: whoever has kept something of an old request cannot meet another client by it.
    private void Rest()
    {
        _isResting = true;
        _machine.DropScratch();
        _streams.TrimExcess();
        _frames.Clear();
        _connection.Rest();
    }

    private void ArmRates()
    {
        if (_rateDue == Never)
        {
            _rateDue = Now + RateCheckMilliseconds;
            Arm(_rateDue);
        }
    }

    // The timer is moved only to an earlier time: at a later one it looks again.
    private void Arm(long due)
    {
        if (due < _due)
        {
            _due = due;
            _connection.SetDeadline(due - Now);
        }
    }

    private void ArmNext(long now)
    {
        if (_rateDue == Never && NeedsRates())
        {
            _rateDue = now + RateCheckMilliseconds;
        }

        var next = Math.Min(Math.Min(_blockDue, _settingsDue), Math.Min(_goAwayDue, _graceDue));
        next = Math.Min(next, Math.Min(_rateDue, _pingDue));
        if (_streams.Count == 0 && _blockDue == Never)
        {
            var keepAlive = _idleSince + _connection.Limits.KeepAliveTimeoutMilliseconds;
            var rest = Math.Max(_idleSince, now) + RestAfterMilliseconds;
            next = Math.Min(next, _isResting ? keepAlive : Math.Min(keepAlive, rest));
        }

        if (next != Never)
        {
            Arm(next);
        }
    }

    private bool NeedsRates()
    {
        if (_awaitingCount > 0 || _windowRate.IsRunning)
        {
            return true;
        }

        foreach (var stream in _streams)
        {
            if (stream.WindowRate.IsRunning)
            {
                return true;
            }
        }

        return false;
    }
}
