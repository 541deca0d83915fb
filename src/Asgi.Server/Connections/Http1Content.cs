// The content of one request: decoding it as it arrives, its end, its trailers, and why the rest of it may be refused. Used by the
// driver and the stream of one connection, on the loop's thread.
using System.Buffers;
using System.Diagnostics;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;

namespace Asgi.Server.Connections;

internal sealed class Http1Content(Connection connection, Http1Machine machine) : IRequestContent
{
    /// <summary>How often the rate of content is looked at, in milliseconds.</summary>
    public const int RateCheckMilliseconds = 1000;

    private static readonly FieldSection s_none = new();

    private FieldSection? _trailers;
    private DataRateMeter _meter;
    private int _hasContinued;
    private bool _hasBegun;
    private bool _isRaw;
    private volatile bool _isComplete;

    /// <summary>Whether all of it has arrived. Any thread: once it has, the loop no longer touches the content.</summary>
    public bool IsComplete => _isComplete;

    /// <inheritdoc/>
    public ReadOnlySequence<byte> Unread => connection.Input.Content;

    /// <inheritdoc/>
    public long UnreadLength => connection.Input.ContentLength;

    /// <summary>Why the rest is refused; the connection ends with it.</summary>
    public HttpFault? Fault
    {
        get;
        private set
        {
            field = value;
            if (value is not null)
            {
                connection.Record.End(EndReasons.OfContent(value));
            }
        }
    }

    /// <summary>The trailer section, once all content has arrived.</summary>
    public FieldSection? Trailers => _isComplete ? _trailers ?? s_none : null;

    /// <summary>Content that the application may not exceed; null for no limit.</summary>
    public long? LengthMax { get; set; }

    /// <summary>The least rate while the application waits; null for none.</summary>
    public DataRate? RateMin { get; set; }

    /// <summary>
    /// Whether the connection can go on after this exchange. Not after malformed content; nor while the client waits for a 100 that was not
    /// sent, since whether its content follows is then unknown (RFC 9110, section 10.1.1). Content that has begun will be whole.
    /// </summary>
    public bool LetsPersist => Fault is null
        && (_isComplete || _hasBegun || Volatile.Read(ref _hasContinued) != 0 || !machine.Head.ExpectContinue);

    public bool HasRoom =>
        connection.Limits.RequestBufferSizeMax is not { } max || connection.Input.ContentLength < max;

    public void Begin()
    {
        _isComplete = false;
        _isRaw = false;
        _hasContinued = 0;
        _hasBegun = false;
        _meter = default;
        _trailers?.Clear();
        Fault = null;
        LengthMax = connection.Limits.ContentLengthMax;
        RateMin = connection.Limits.RequestRateMin;
        Read();
    }

    /// <summary>Decodes what has arrived.</summary>
    public void Read()
    {
        var input = connection.Input;
        while (!_isComplete && Fault is null)
        {
            switch (machine.Read(input.Raw, out var consumed))
            {
                case Http1Event.Content:
                    _hasBegun = true;
                    _meter.Count(machine.ContentBytes);
                    input.CommitContent(consumed, machine.ContentBytes);
                    break;
                case Http1Event.EndOfMessage:
                    KeepTrailers();
                    input.SkipRaw(consumed);
                    _isComplete = true;
                    if (connection.Record.IsLogged && machine.Head.HasContent)
                    {
                        connection.Log.ContentIsWhole(connection.Id);
                    }

                    break;
                case Http1Event.Fault:
                    Fault = machine.Fault;
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

    /// <summary>The client sends no more.</summary>
    public void End()
    {
        if (_isRaw)
        {
            _isComplete = true;
        }
        else if (!_isComplete)
        {
            Fault ??= ConnectionFaults.UnexpectedEnd;
        }
    }

    /// <summary>From here on the content is whatever the client sends.</summary>
    public void BecomeRaw()
    {
        Debug.Assert(connection.Loop.IsCurrent, "The receive buffer and the machine belong to the loop.");
        machine.UpgradeToRaw();
        _isRaw = true;
        _isComplete = false;
        _hasContinued = 1;
        LengthMax = null;
        RateMin = null;
        Read();
    }

    /// <summary>The fault of the content, which may be that it is longer than the application allows.</summary>
    public HttpFault? Check()
    {
        if (Fault is null && LengthMax is { } max)
        {
            var length = machine.Head.ContentLength ?? machine.TotalContentBytes + machine.FramingBytes;
            if (length > max)
            {
                Fault = ConnectionFaults.TooLarge(max);
            }
        }

        return Fault;
    }

    /// <inheritdoc/>
    public void Advance(long consumed, long examined)
    {
        if (consumed > 0)
        {
            connection.Input.AdvanceContent(consumed);
        }
    }

    /// <summary>The application waits for content: the time counts, and a client that waits for a 100 gets it.</summary>
    /// <param name="mayContinue">Whether the response has not begun, so that a 100 may still be sent.</param>
    public void Await(bool mayContinue)
    {
        if (mayContinue && machine.Head.ExpectContinue && !_hasBegun && !_isComplete && TryContinue())
        {
            connection.Send("HTTP/1.1 100 Continue\r\n\r\n"u8);
        }

        if (RateMin is not null)
        {
            _meter.Start(connection.Loop.NowMilliseconds);
            connection.SetDeadline(RateCheckMilliseconds);
        }
    }

    /// <summary>Claims the one 100 that may be sent, by the server or by the application. Any thread.</summary>
    public bool TryContinue() => Interlocked.Exchange(ref _hasContinued, 1) == 0;

    /// <summary>The application no longer waits.</summary>
    public void EndAwait()
    {
        _meter.Pause(connection.Loop.NowMilliseconds);
        connection.ClearDeadline();
    }

    /// <summary>Refuses the rest of content that comes too slowly; otherwise looks again later.</summary>
    public void CheckRate(long now)
    {
        if (RateMin is { } rate && _meter.IsBelow(rate, now))
        {
            connection.Log.ContentTooSlow(connection.Id);
            Fault ??= ConnectionFaults.TooSlow;
        }
        else
        {
            connection.SetDeadline(RateCheckMilliseconds);
        }
    }

    // Trailers are rare and small: they are copied, and the receive buffer goes on.
    private void KeepTrailers()
    {
        if (machine.HasTrailers)
        {
            machine.Trailers.Bind(connection.Input.RawArray, connection.Input.RawStart);
            machine.Trailers.CopyTo(_trailers ??= new FieldSection());
        }
    }
}
