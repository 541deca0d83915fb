// Judges the frames a server sends by RFC 9113, knowing what the client has sent and nothing of the server. Called by the client of a play.

using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Fuzz.Streams;

/// <summary>What has come of a stream.</summary>
internal sealed class SeenStream(int id)
{
    public int Id { get; } = id;

    public int Status { get; set; }

    public Dictionary<string, string> Head { get; set; } = [];

    public Dictionary<string, string>? Trailers { get; set; }

    public StringBuilder Content { get; } = new();

    public bool IsEnded { get; set; }

    public uint? ResetCode { get; set; }

    /// <summary>What the server lets the client send on the stream, beyond the initial window.</summary>
    public long Granted { get; set; }

    public override string ToString() =>
        $"stream {Id}: {Status}, {Content.Length} of content{(IsEnded ? ", ended" : "")}{(ResetCode is { } code ? $", reset {code}" : "")}";
}

internal sealed class FrameJudge(ClientLedger client, long streamWindow, long connectionWindow)
{
    public const string Legal = "Every frame the server sends is legal by RFC 9113 where it comes.";
    public const string InWindow = "The server sends within the windows of the client, and opens its own no further than it has said.";

    // The defaults of RFC 9113, section 6.5.2, where the server could choose.
    private const int DefaultWindow = 65_535;

    private readonly FrameCutter _received = new();
    private readonly HpackDecoder _decoder = new(4_096);
    private readonly FieldBytes _bytes = new(int.MaxValue);
    private readonly List<byte> _block = [];
    private CutFrame? _blockBegin;
    private long _receivedBytes;
    private int _tableSize = 4_096;

    public Dictionary<int, SeenStream> Streams { get; } = [];

    /// <summary>What the server lets the client send on the connection, in all.</summary>
    public long Granted { get; private set; } = DefaultWindow;

    /// <summary>The initial window of the client's streams.</summary>
    public long InitialWindow { get; private set; } = DefaultWindow;

    /// <summary>The last stream of the last GOAWAY.</summary>
    public int? LastStreamId { get; private set; }

    /// <summary>Whether it had an error.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Whether the server has said its preface.</summary>
    public bool HasBegun { get; private set; }

    public bool IsMidFrame => _received.Rest.Length > 0;

    public bool IsMidBlock => _blockBegin is not null;

    /// <summary>The windows of the client, as it sees them.</summary>
    public long ConnectionWindow => Granted - client.SentBytes;

    public long WindowOf(int id) =>
        InitialWindow + (Streams.GetValueOrDefault(id)?.Granted ?? 0) - client.SentByStream.GetValueOrDefault(id);

    /// <summary>Takes what the client has received.</summary>
    /// <returns>What it owes an answer.</returns>
    public List<byte[]> Take(ReadOnlySpan<byte> bytes)
    {
        var answers = new List<byte[]>();
        foreach (CutFrame frame in _received.Cut(bytes))
        {
            Demand(frame.Payload.Length <= client.LargestFrame, frame, "larger than the client's frames");
            Demand(HasBegun || (frame.Type == SettingsType && !frame.Has(Ack)), frame, "not SETTINGS first");
            Demand(!IsRefused, frame, "behind GOAWAY with an error");
            Demand(_blockBegin is null || (frame.Type == Continuation && frame.StreamId == _blockBegin.StreamId), frame, "inside a block");
            HasBegun = true;
            switch (frame.Type)
            {
                case SettingsType or PingType or GoAwayType:
                    Demand(frame.StreamId == 0, frame, "on a stream");
                    TakeOfConnection(frame, answers);
                    break;
                case WindowUpdateType:
                    TakeWindowUpdate(frame);
                    break;
                case Data or HeadersType or RstStreamType or Continuation:
                    TakeOfStream(frame);
                    break;
                default:
                    Demand(false, frame, "of a type that servers do not send unasked");
                    break;
            }
        }
        return answers;
    }

    private void TakeOfConnection(CutFrame frame, List<byte[]> answers)
    {
        switch (frame.Type)
        {
            case SettingsType when frame.Has(Ack):
                Demand(frame.Payload.Length == 0 && client.TryAcknowledge(), frame, "acknowledges nothing");
                // The server's encoder has a table of its own limit at most.
                if (Math.Min(client.Settings.TableSize, 4_096) is var size && size != _tableSize)
                    _decoder.TableSizeMax = _tableSize = size;
                break;
            case SettingsType:
                Demand(frame.Payload.Length % 6 == 0, frame, "of a wrong length");
                InitialWindow = new ClientSettings(InitialWindow).With(frame.Payload).InitialWindow;
                answers.Add(SettingsAck());
                break;
            case PingType:
                Demand(frame.Payload.Length == 8, frame, "of a wrong length");
                if (!frame.Has(Ack))
                    answers.Add(Frame(PingType, Ack, 0, frame.Payload));
                else
                    Demand(client.TryAnswerPing(BinaryPrimitives.ReadUInt64BigEndian(frame.Payload)), frame, "answers no PING");
                break;
            default:
                Demand(frame.Payload.Length >= 8, frame, "of a wrong length");
                int last = (int)frame.UInt32At(0);
                Demand(last <= (LastStreamId ?? int.MaxValue), frame, "a higher last stream than before");
                (LastStreamId, IsRefused) = (last, frame.UInt32At(4) != 0);
                break;
        }
    }

    private void TakeWindowUpdate(CutFrame frame)
    {
        Demand(frame.Payload.Length == 4 && frame.UInt32At(0) is > 0 and <= int.MaxValue, frame, "no increment");
        if (frame.StreamId == 0)
        {
            Granted += frame.UInt32At(0);
            DemandWindow(ConnectionWindow <= Math.Max(DefaultWindow, connectionWindow), frame, "the connection's is too large");
            return;
        }
        SeenStream stream = Of(frame);
        Demand(stream.ResetCode is null, frame, "behind RST_STREAM");
        stream.Granted += frame.UInt32At(0);
        DemandWindow(WindowOf(stream.Id) <= Math.Max(DefaultWindow, streamWindow), frame, "the stream's is too large");
    }

    private SeenStream Of(CutFrame frame)
    {
        // Of a frame that was refused the client need not have been understood.
        Demand((frame.StreamId & 1) == 1 || (frame.Type == RstStreamType && frame.StreamId != 0), frame, "no stream of a client");
        Demand(client.Opened.Contains(frame.StreamId) || frame.Type == RstStreamType, frame, "on a stream that is idle");
        if (!Streams.TryGetValue(frame.StreamId, out SeenStream? stream))
            Streams.Add(frame.StreamId, stream = new SeenStream(frame.StreamId));
        return stream;
    }

    private void TakeOfStream(CutFrame frame)
    {
        SeenStream stream = Of(frame);
        if (frame.Type == RstStreamType)
        {
            Demand(frame.Payload.Length == 4, frame, "of a wrong length");
            stream.ResetCode ??= frame.UInt32At(0);
            return;
        }
        Demand(stream.ResetCode is null, frame, "behind RST_STREAM");
        Demand(!stream.IsEnded, frame, "behind END_STREAM");
        Demand(!client.KnownCancelled.Contains(stream.Id), frame, "on a stream whose reset the server has seen");
        if (frame.Type == Data)
            TakeData(stream, frame);
        else
            TakeBlock(stream, frame);
    }

    private void TakeData(SeenStream stream, CutFrame frame)
    {
        Demand(!frame.Has(Padded), frame, "padded: the judge does not know why");
        Demand(stream.Status >= 200, frame, "before the head");
        stream.Content.Append(Encoding.Latin1.GetString(frame.Payload));
        _receivedBytes += frame.Payload.Length;
        if (frame.Payload.Length > 0)
        {
            DemandWindow(_receivedBytes <= client.ConnectionCredit, frame, "more than the connection's");
            DemandWindow(stream.Content.Length <= client.StreamCredit(stream.Id), frame, "more than the stream's");
        }
        stream.IsEnded = frame.Has(EndStream);
    }

    private void TakeBlock(SeenStream stream, CutFrame frame)
    {
        Demand((frame.Type == Continuation) == (_blockBegin is not null), frame, "CONTINUATION of nothing");
        Demand(!frame.Has(Padded) && !frame.Has(PriorityFlag), frame, "flags that servers have no use for");
        _blockBegin ??= frame;
        _block.AddRange(frame.Payload);
        if (!frame.Has(EndHeaders))
            return;
        bool isEnd = _blockBegin.Has(EndStream);
        _blockBegin = null;
        List<(string Name, string Value)> fields = Decode(frame);
        var section = new Dictionary<string, string>();
        bool isPastPseudo = false;
        foreach ((string name, string value) in fields)
        {
            isPastPseudo |= name[0] != ':';
            Demand(name[0] != ':' || (name == ":status" && !isPastPseudo), frame, $"{name} in a response, or behind others");
            Demand(!name.Any(char.IsAsciiLetterUpper), frame, $"{name} has capitals");
            Demand(name is not ("connection" or "transfer-encoding" or "keep-alive" or "upgrade"), frame, $"{name} is the connection's");
            Demand(!value.AsSpan().ContainsAny('\r', '\n', '\0'), frame, $"{name} has a control character");
            Demand(!section.ContainsKey(name) || name[0] != ':', frame, $"{name} twice");
            section[name] = section.TryGetValue(name, out string? before) ? $"{before}|{value}" : value;
        }

        if (section.TryGetValue(":status", out string? status))
        {
            Demand(stream.Status < 200, frame, "a second head");
            stream.Status = int.Parse(status, CultureInfo.InvariantCulture);
            Demand(status.Length == 3 && (stream.Status >= 200 || !isEnd) && stream.Status != 101, frame, $"status {status}");
            stream.Head = section;
        }
        else
        {
            Demand(stream.Status >= 200 && isEnd, frame, "trailers that are none");
            stream.Trailers = section;
        }
        stream.IsEnded = isEnd;
    }

    private List<(string Name, string Value)> Decode(CutFrame frame)
    {
        byte[] block = [.. _block];
        _block.Clear();
        _bytes.Clear();
        _decoder.BeginBlock();
        var fields = new List<(string, string)>();
        int position = 0;
        while (_decoder.Next(block, ref position, _bytes, out HpackField field) == HpackResult.Field)
        {
            fields.Add((
                Encoding.Latin1.GetString(_bytes.AsSpan(field.NameStart, field.NameLength)),
                Encoding.Latin1.GetString(_bytes.AsSpan(field.ValueStart, field.ValueLength))));
        }
        Demand(_decoder.Fault is null, frame, $"{_decoder.Fault?.Message}");
        return fields;
    }

    private static void Demand(bool holds, CutFrame frame, string seen) =>
        InvariantException.Demand(holds, Legal, () => $"{frame}: {seen}");

    private static void DemandWindow(bool holds, CutFrame frame, string seen) =>
        InvariantException.Demand(holds, InWindow, () => $"{frame}: {seen}");
}
