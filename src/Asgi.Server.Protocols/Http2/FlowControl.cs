// Flow control (RFC 9113, sections 5.2 and 6.9), both ways, of the connection and of its streams. Owned by the machine.
//
// Every byte of DATA that a peer sends is in one of three places until it is given back: unconsumed (of a stream), credit (consumed, and
// not worth a frame yet), or announced by WINDOW_UPDATE. So window + credit + unconsumed of all streams is always the size of the window.

namespace Asgi.Server.Protocols.Http2;

internal sealed class FlowControl(Http2Limits limits)
{
    // WINDOW_UPDATE on the connection can but raise what every connection begins with (6.9.2).
    private readonly int _connectionSize = Math.Max(limits.InitialConnectionWindowSize, Http2Settings.DefaultInitialWindowSize);

    private int _receiveWindow = Math.Max(limits.InitialConnectionWindowSize, Http2Settings.DefaultInitialWindowSize);
    private int _credit;
    private bool _isAcknowledged;

    // What peers may still send on streams that we reset or refused: their windows at that time.
    private long _strayMax;
    private long _strayEndsMax; // and how many may still be ended

    public int SendWindow { get; private set; } = Http2Settings.DefaultInitialWindowSize;

    /// <summary>What the peer may send on the connection, in bytes.</summary>
    public int ReceiveWindow => _receiveWindow;

    /// <summary>What is consumed and was not announced on the connection, in bytes.</summary>
    public int Credit => _credit;

    /// <summary>Until a peer has acknowledged our SETTINGS it may go by the default of the RFC, if that is larger.</summary>
    public int InitialReceiveWindow => _isAcknowledged
        ? limits.InitialStreamWindowSize
        : Math.Max(limits.InitialStreamWindowSize, Http2Settings.DefaultInitialWindowSize);

    public void SettingsAcknowledged() => _isAcknowledged = true;

    /// <summary>DATA has come, of any stream: all of its payload counts, padding included (6.9.1).</summary>
    public Http2Fault? Received(int length)
    {
        if (length > _receiveWindow)
            return Http2Faults.WindowExceeded;
        _receiveWindow -= length;
        return null;
    }

    /// <summary>DATA that no application will see is given back at once, to the connection alone.</summary>
    public void GiveBack(int length) => _credit += length;

    /// <summary>DATA of a stream that takes it. A fault is one of the stream.</summary>
    public static Http2Fault? Received(Http2StreamState stream, int length)
    {
        if (length > stream.ReceiveWindow)
            return Http2Faults.WindowExceeded;
        stream.ReceiveWindow -= length;
        return null;
    }

    /// <summary>
    /// DATA of a stream that we reset, refused or ignore. A peer that has not heard of it stays within the windows it had, so this is a
    /// fault of the connection.
    /// </summary>
    public Http2Fault? ReceivedStray(int length)
    {
        _strayMax -= length;
        return _strayMax < 0 ? Http2Faults.WindowExceeded : null;
    }

    /// <summary>From now on DATA of a stream is stray: the peer may send what its window allowed, and an end.</summary>
    public void AllowStray(int window)
    {
        _strayMax += window;
        _strayEndsMax++;
    }

    /// <summary>
    /// A stream that we reset is ended by a frame without content, or by trailers. False when more are than can have been on their way.
    /// </summary>
    public bool TakeStrayEnd()
    {
        if (_strayEndsMax == 0)
            return false;
        _strayEndsMax--;
        return true;
    }

    /// <summary>The part of a frame that is no content (6.1) is consumed by having come.</summary>
    public void ConsumePadding(Http2StreamState stream, int length)
    {
        _credit += length;
        stream.Credit += length;
    }

    public void Consume(Http2StreamState stream, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)stream.UnconsumedBytes, nameof(bytes));
        stream.UnconsumedBytes -= bytes;
        stream.Credit += bytes;
        _credit += bytes;
    }

    /// <summary>
    /// What WINDOW_UPDATE shall say for a stream: nothing before half of the window is used up, so that small pieces cost few frames, and
    /// nothing once the peer has ended.
    /// </summary>
    public int TakeIncrement(Http2StreamState stream)
    {
        if (!stream.CanReceive || stream.Credit < Math.Max(1, limits.InitialStreamWindowSize / 2))
            return 0;
        int increment = stream.Credit;
        stream.Credit = 0;
        stream.ReceiveWindow += increment;
        return increment;
    }

    /// <summary>The same for the connection.</summary>
    public int TakeIncrement()
    {
        if (_credit < _connectionSize / 2)
            return 0;
        int increment = _credit;
        _credit = 0;
        _receiveWindow += increment;
        return increment;
    }

    /// <summary>WINDOW_UPDATE of the connection (6.9.1).</summary>
    public Http2Fault? Opened(int increment)
    {
        if (increment > int.MaxValue - SendWindow)
            return Http2Faults.WindowTooLarge;
        SendWindow += increment;
        return null;
    }

    /// <summary>
    /// WINDOW_UPDATE of a stream, or a change of SETTINGS_INITIAL_WINDOW_SIZE, which may take a window below zero (6.9.2).
    /// </summary>
    public static Http2Fault? Opened(Http2StreamState stream, int increment)
    {
        long window = (long)stream.SendWindow + increment;
        if (window > int.MaxValue)
            return Http2Faults.WindowTooLarge;
        stream.SendWindow = (int)window;
        return null;
    }

    public void Sent(Http2StreamState stream, int length)
    {
        if (length > Math.Min(SendWindow, stream.SendWindow) && length > 0)
            throw new InvalidOperationException("More DATA than the windows allow.");
        SendWindow -= length;
        stream.SendWindow -= length;
    }
}
