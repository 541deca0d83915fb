// SETTINGS (RFC 9113, section 6.5): the values of a peer and the range of each. Filled by the machine, read by the driver.

using System.Buffers.Binary;

namespace Asgi.Server.Protocols.Http2;

internal enum Http2Setting : ushort
{
    HeaderTableSize = 0x01,
    EnablePush = 0x02,
    MaxConcurrentStreams = 0x03,
    InitialWindowSize = 0x04,
    MaxFrameSize = 0x05,
    MaxHeaderListSize = 0x06,
    EnableConnectProtocol = 0x08,
}

internal struct Http2Settings()
{
    /// <summary>Bytes of one setting.</summary>
    public const int EntrySize = 6;

    public const int DefaultHeaderTableSize = 4096;

    public const int DefaultInitialWindowSize = 65_535;

    /// <summary>Bytes of the table that our encoder may use; what the peer allows beyond 2^31-1 is told as that.</summary>
    public int HeaderTableSize { get; private set; } = DefaultHeaderTableSize;

    /// <summary>
    /// The least size the peer's last settings have named; a frame may name several, and the encoder has to tell of the least (RFC 7541,
    /// section 4.2). <see cref="HeaderTableSize"/> where they named none.
    /// </summary>
    public int LeastHeaderTableSize { get; private set; } = DefaultHeaderTableSize;

    /// <summary>The send window a stream begins with, in bytes.</summary>
    public int InitialWindowSize { get; private set; } = DefaultInitialWindowSize;

    /// <summary>The largest payload the peer takes, in bytes.</summary>
    public int MaxFrameSize { get; private set; } = Http2Frame.MinMaxPayload;

    /// <summary>What the peer takes of a field section, in bytes by the measure of 6.5.2; advisory.</summary>
    public uint MaxHeaderListSize { get; private set; } = uint.MaxValue;

    /// <summary>A frame of settings begins.</summary>
    public void BeginFrame() => LeastHeaderTableSize = int.MaxValue;

    /// <summary>A frame of settings has ended.</summary>
    public void EndFrame() => LeastHeaderTableSize = Math.Min(LeastHeaderTableSize, HeaderTableSize);

    /// <summary>
    /// Takes over one setting (six bytes); later ones win, in the order received. Null when the value is in range. What concerns what a
    /// server does not do (push, streams of its own) is checked and forgotten; unknown settings are ignored (6.5.2).
    /// </summary>
    public Http2Fault? Apply(ReadOnlySpan<byte> entry)
    {
        uint value = BinaryPrimitives.ReadUInt32BigEndian(entry[2..]);
        switch ((Http2Setting)BinaryPrimitives.ReadUInt16BigEndian(entry))
        {
            case Http2Setting.HeaderTableSize:
                HeaderTableSize = (int)Math.Min(value, int.MaxValue);
                LeastHeaderTableSize = Math.Min(LeastHeaderTableSize, HeaderTableSize);
                break;
            case Http2Setting.EnablePush when value > 1:
                return Http2Faults.InvalidEnablePush;
            case Http2Setting.InitialWindowSize:
                if (value > Http2Frame.Bits31)
                    return Http2Faults.InvalidInitialWindowSize;
                InitialWindowSize = (int)value;
                break;
            case Http2Setting.MaxFrameSize:
                if (value is < Http2Frame.MinMaxPayload or > Http2Frame.MaxMaxPayload)
                    return Http2Faults.InvalidMaxFrameSize;
                MaxFrameSize = (int)value;
                break;
            case Http2Setting.MaxHeaderListSize:
                MaxHeaderListSize = value;
                break;
            case Http2Setting.EnableConnectProtocol when value > 1:
                return Http2Faults.InvalidEnableConnectProtocol;
        }
        return null;
    }
}
