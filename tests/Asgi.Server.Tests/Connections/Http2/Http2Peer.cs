// A client of HTTP/2 on a simulated server: frames written by hand, those received told one by one and as responses. On the thread that
// drives the loop.

using System.Buffers.Binary;
using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Http2;

internal sealed record Http2Received(byte Type, byte Flags, int StreamId, byte[] Payload)
{
    public bool Ends => Type is Http2Bytes.Data or Http2Bytes.HeadersType && (Flags & Http2Bytes.EndStream) != 0;

    public uint UInt32At(int index) => BinaryPrimitives.ReadUInt32BigEndian(Payload.AsSpan(index));

    /// <summary>The frame in a word or two.</summary>
    public override string ToString() => Type switch
    {
        Http2Bytes.Data => $"DATA {StreamId} {Payload.Length}{End}",
        Http2Bytes.HeadersType => $"HEADERS {StreamId}{End}",
        Http2Bytes.RstStreamType => $"RST_STREAM {StreamId} {UInt32At(0)}",
        Http2Bytes.SettingsType => (Flags & Http2Bytes.Ack) != 0 ? "SETTINGS ACK" : "SETTINGS",
        Http2Bytes.PingType => (Flags & Http2Bytes.Ack) != 0 ? "PING ACK" : "PING",
        Http2Bytes.GoAwayType => $"GOAWAY {UInt32At(0)} {UInt32At(4)}",
        Http2Bytes.WindowUpdateType => $"WINDOW_UPDATE {StreamId} {UInt32At(0)}",
        Http2Bytes.Continuation => $"CONTINUATION {StreamId}",
        _ => $"TYPE {Type} {StreamId}",
    };

    private string End => Ends ? " END" : "";
}

/// <summary>What has come of a response so far.</summary>
internal sealed class Http2Response
{
    public List<Dictionary<string, string>> Heads { get; } = [];

    public Dictionary<string, string> Head => Heads.Last(head => head.ContainsKey(":status"));

    public string Status => Head[":status"];

    public Dictionary<string, string>? Trailers => Heads.LastOrDefault() is { } last && !last.ContainsKey(":status") ? last : null;

    public StringBuilder Text { get; } = new();

    public string Content => Text.ToString();

    public bool IsEnded { get; set; }

    public uint? ResetCode { get; set; }

    public List<int> DataLengths { get; } = [];
}

internal sealed class Http2Peer
{
    private readonly SimulatedServer _server;
    private readonly HpackDecoder _decoder = new(4096);
    private readonly FieldBytes _bytes = new(int.MaxValue);
    private readonly List<byte> _block = [];
    private readonly Dictionary<int, Http2Response> _responses = [];
    private byte[] _rest = [];

    /// <summary>Connects, says the preface with these settings, acknowledges the server's, and runs.</summary>
    public Http2Peer(SimulatedServer server, params (ushort Id, uint Value)[] settings)
        : this(server, isOpen: true, settings)
    {
    }

    public Http2Peer(SimulatedServer server, bool isOpen, params (ushort Id, uint Value)[] settings)
    {
        _server = server;
        Client = server.Connect();
        if (isOpen)
        {
            Send(Http2Bytes.Preface, Http2Bytes.Settings(settings), Http2Bytes.SettingsAck());
        }
    }

    public SimulatedClient Client { get; }

    /// <summary>All frames received.</summary>
    public List<Http2Received> Frames { get; } = [];

    /// <summary>The frames behind the server's preface and its acknowledgement, in words.</summary>
    public IEnumerable<string> Told => Frames.Skip(1)
        .Select(frame => frame.ToString())
        .Where(text => text is not ("SETTINGS ACK" or "WINDOW_UPDATE 0 983041"));

    public Http2Response this[int id]
    {
        get
        {
            Read();
            return _responses.TryGetValue(id, out var response) ? response : new Http2Response();
        }
    }

    public void Send(params byte[][] frames)
    {
        Client.Send(Http2Bytes.Join(frames));
        _server.Run();
        Read();
    }

    /// <summary>Sends without running.</summary>
    public void Post(params byte[][] frames) => Client.Send(Http2Bytes.Join(frames));

    /// <summary>Takes in what the server has sent.</summary>
    public Http2Peer Read()
    {
        byte[] bytes = [.. _rest, .. Encoding.Latin1.GetBytes(Client.Take())];
        var start = 0;
        while (bytes.Length - start >= 9)
        {
            var length = (bytes[start] << 16) | (bytes[start + 1] << 8) | bytes[start + 2];
            if (bytes.Length - start - 9 < length)
            {
                break;
            }

            var id = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(start + 5));
            Take(new Http2Received(bytes[start + 3], bytes[start + 4], id, bytes[(start + 9)..(start + 9 + length)]));
            start += 9 + length;
        }

        _rest = bytes[start..];
        return this;
    }

    private void Take(Http2Received frame)
    {
        Frames.Add(frame);
        if (!_responses.TryGetValue(frame.StreamId, out var response))
        {
            _responses[frame.StreamId] = response = new Http2Response();
        }

        switch (frame.Type)
        {
            case Http2Bytes.Data:
                response.Text.Append(Encoding.Latin1.GetString(frame.Payload));
                response.DataLengths.Add(frame.Payload.Length);
                break;
            case Http2Bytes.RstStreamType:
                response.ResetCode = frame.UInt32At(0);
                break;
            case Http2Bytes.HeadersType or Http2Bytes.Continuation:
                _block.AddRange(frame.Payload);
                if ((frame.Flags & Http2Bytes.EndHeaders) != 0)
                {
                    response.Heads.Add(Decode());
                }

                break;
        }

        response.IsEnded |= frame.Ends;
    }

    private Dictionary<string, string> Decode()
    {
        byte[] block = [.. _block];
        _block.Clear();
        _bytes.Clear();
        _decoder.BeginBlock();
        var fields = new Dictionary<string, string>();
        var position = 0;
        while (_decoder.Next(block, ref position, _bytes, out var field) == HpackResult.Field)
        {
            var name = Encoding.Latin1.GetString(_bytes.AsSpan(field.NameStart, field.NameLength));
            var value = Encoding.Latin1.GetString(_bytes.AsSpan(field.ValueStart, field.ValueLength));
            fields[name] = fields.TryGetValue(name, out var before) ? $"{before}|{value}" : value;
        }

        Assert.Null(_decoder.Fault);
        return fields;
    }
}
