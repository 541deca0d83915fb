// What a client has allowed the server, and the server the client: settings and windows (RFC 9113, sections 6.5 and 6.9), from the frames
// of both alone. Where it cannot be known whether the server has seen something yet, the more generous answer counts. Called by the judge
// and by the client of a play.

using System.Buffers.Binary;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Fuzz.Streams;

/// <summary>The settings of a client that count, as the server may go by them.</summary>
internal sealed record ClientSettings(long InitialWindow = 65_535, int FrameSize = 16_384, int TableSize = 4_096)
{
    public ClientSettings With(ReadOnlySpan<byte> payload)
    {
        ClientSettings changed = this;
        for (; payload.Length >= 6; payload = payload[6..])
        {
            uint value = BinaryPrimitives.ReadUInt32BigEndian(payload[2..]);
            changed = BinaryPrimitives.ReadUInt16BigEndian(payload) switch
            {
                1 => changed with { TableSize = (int)Math.Min(value, int.MaxValue) },
                4 => changed with { InitialWindow = value },
                5 => changed with { FrameSize = (int)Math.Min(value, int.MaxValue) },
                _ => changed,
            };
        }
        return changed;
    }
}

internal sealed class ClientLedger
{
    private readonly FrameCutter _sent = new();
    private readonly Queue<ClientSettings> _unacknowledged = [];
    private readonly Dictionary<int, long> _streamCredit = [];
    private readonly Dictionary<ulong, int[]> _cancelledAtPing = [];
    private readonly List<int> _cancelled = [];
    private ClientSettings _last = new();
    private long _credit = 65_535;

    /// <summary>What the server has acknowledged.</summary>
    public ClientSettings Settings { get; private set; } = new();

    /// <summary>Ids that the client has opened, or tried to.</summary>
    public HashSet<int> Opened { get; } = [];

    /// <summary>Streams that the server knows to be reset.</summary>
    public HashSet<int> KnownCancelled { get; } = [];

    /// <summary>DATA the client has sent, padding included, on all streams.</summary>
    public long SentBytes { get; private set; }

    /// <summary>The same by stream.</summary>
    public Dictionary<int, long> SentByStream { get; } = [];

    public bool IsMidFrame => _sent.Rest.Length > 0;

    public bool HasCancelled(int id) => _cancelled.Contains(id);

    public long ConnectionCredit => _credit;

    public int LargestFrame => Math.Max(Settings.FrameSize, _unacknowledged.Select(settings => settings.FrameSize).DefaultIfEmpty().Max());

    public long StreamCredit(int id) => _streamCredit.GetValueOrDefault(id)
        + Math.Max(Settings.InitialWindow, _unacknowledged.Select(settings => settings.InitialWindow).DefaultIfEmpty().Max());

    /// <summary>The client has sent bytes behind its preface.</summary>
    public void NoteSent(ReadOnlySpan<byte> bytes)
    {
        foreach (CutFrame frame in _sent.Cut(bytes))
            NoteSent(frame);
    }

    /// <summary>The server has acknowledged the oldest settings.</summary>
    /// <returns>False when there are none.</returns>
    public bool TryAcknowledge()
    {
        if (!_unacknowledged.TryDequeue(out ClientSettings? settings))
            return false;
        Settings = settings;
        return true;
    }

    /// <summary>The server has answered a PING.</summary>
    /// <returns>False when it had none like that to answer.</returns>
    public bool TryAnswerPing(ulong opaque)
    {
        if (!_cancelledAtPing.TryGetValue(opaque, out int[]? cancelled))
            return false;
        KnownCancelled.UnionWith(cancelled);
        return true;
    }

    private void NoteSent(CutFrame frame)
    {
        int id = frame.StreamId;
        switch (frame.Type)
        {
            case Data:
                SentBytes += frame.Payload.Length;
                SentByStream[id] = SentByStream.GetValueOrDefault(id) + frame.Payload.Length;
                break;
            case HeadersType:
                Opened.Add(id);
                break;
            case RstStreamType when frame.Payload.Length == 4:
                _cancelled.Add(id);
                break;
            case SettingsType when !frame.Has(Ack) && id == 0:
                _unacknowledged.Enqueue(_last = _last.With(frame.Payload));
                break;
            case PingType when !frame.Has(Ack) && frame.Payload.Length == 8:
                _cancelledAtPing[BinaryPrimitives.ReadUInt64BigEndian(frame.Payload)] = [.. _cancelled];
                break;
            case WindowUpdateType when frame.Payload.Length == 4:
                long increment = frame.UInt32At(0) & int.MaxValue;
                if (id == 0)
                    _credit += increment;
                else
                    _streamCredit[id] = _streamCredit.GetValueOrDefault(id) + increment;
                break;
        }
    }
}
