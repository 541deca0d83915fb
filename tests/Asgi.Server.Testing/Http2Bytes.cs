// Frames of a client, written by hand (RFC 9113, section 6), and field blocks of literals without indexing or Huffman coding (RFC 7541,
// 6.2.2): nothing of the product is used, so that nothing of it is taken for granted.

using System.Buffers.Binary;
using System.Text;

namespace Asgi.Server.Testing;

internal static class Http2Bytes
{
    public const byte Data = 0;
    public const byte HeadersType = 1;
    public const byte PriorityType = 2;
    public const byte RstStreamType = 3;
    public const byte SettingsType = 4;
    public const byte PushPromise = 5;
    public const byte PingType = 6;
    public const byte GoAwayType = 7;
    public const byte WindowUpdateType = 8;
    public const byte Continuation = 9;

    public const byte EndStream = 0x01;
    public const byte Ack = 0x01;
    public const byte EndHeaders = 0x04;
    public const byte Padded = 0x08;
    public const byte PriorityFlag = 0x20;

    public static byte[] Preface { get; } = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    /// <summary>How every client begins: the preface and SETTINGS without any.</summary>
    public static byte[] Start { get; } = [.. Preface, .. Settings()];

    public static byte[] Frame(byte type, int flags, uint streamId, params byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        frame[1] = (byte)(payload.Length >> 8);
        frame[2] = (byte)payload.Length;
        frame[3] = type;
        frame[4] = (byte)flags;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame, 9);
        return frame;
    }

    public static byte[] Settings(params (ushort Id, uint Value)[] settings)
    {
        var payload = new byte[6 * settings.Length];
        for (int i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(6 * i), settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(6 * i + 2), settings[i].Value);
        }
        return Frame(SettingsType, 0, 0, payload);
    }

    public static byte[] SettingsAck() => Frame(SettingsType, Ack, 0);

    public static byte[] Ping(int flags = 0, uint streamId = 0) => Frame(PingType, flags, streamId, 1, 2, 3, 4, 5, 6, 7, 8);

    public static byte[] GoAway(uint code = 0) => Frame(GoAwayType, 0, 0, [.. UInt32(0), .. UInt32(code)]);

    public static byte[] RstStream(uint id, uint code = 8) => Frame(RstStreamType, 0, id, UInt32(code));

    public static byte[] WindowUpdate(uint id, uint increment) => Frame(WindowUpdateType, 0, id, UInt32(increment));

    public static byte[] Priority(uint id, uint dependency = 0) => Frame(PriorityType, 0, id, [.. UInt32(dependency), 16]);

    public static byte[] DataFrame(uint id, string content, bool end = false) =>
        Frame(Data, end ? EndStream : 0, id, Encoding.Latin1.GetBytes(content));

    public static byte[] DataFrame(uint id, int length, bool end = false) => Frame(Data, end ? EndStream : 0, id, new byte[length]);

    /// <summary>DATA with a Pad Length and so much padding.</summary>
    public static byte[] PaddedData(uint id, string content, byte padding, bool end = false) => Frame(
        Data, Padded | (end ? EndStream : 0), id, [padding, .. Encoding.Latin1.GetBytes(content), .. new byte[padding]]);

    /// <summary>HEADERS with the whole block of these fields, each as "name: value" or ":name: value".</summary>
    public static byte[] Headers(uint id, bool end, params string[] fields) =>
        Frame(HeadersType, EndHeaders | (end ? EndStream : 0), id, Block(fields));

    /// <summary>A request that is all right: of method and path, the usual pseudo-fields, and further fields.</summary>
    public static byte[] Request(uint id, string method = "GET", string path = "/", bool end = true, params string[] fields) =>
        Headers(id, end, [$":method: {method}", ":scheme: http", $":path: {path}", ":authority: a", .. fields]);

    public static byte[] Get(uint id) => Request(id);

    public static byte[] Post(uint id, params string[] fields) => Request(id, "POST", "/", end: false, fields);

    /// <summary>A field block; each character of a field is one byte.</summary>
    public static byte[] Block(params string[] fields)
    {
        var block = new List<byte>();
        foreach (string field in fields)
        {
            int colon = field.IndexOf(": ", 1, StringComparison.Ordinal);
            block.Add(0);
            AddString(block, colon < 0 ? field : field[..colon]);
            AddString(block, colon < 0 ? "" : field[(colon + 2)..]);
        }
        return [.. block];
    }

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    public static byte[] Repeat(byte[] frame, int count) => [.. Enumerable.Repeat(frame, count).SelectMany(bytes => bytes)];

    public static byte[] UInt32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static void AddString(List<byte> block, string text)
    {
        // RFC 7541, 5.1 with a prefix of seven bits.
        int rest = text.Length - 0x7F;
        block.Add((byte)Math.Min(text.Length, 0x7F));
        if (rest >= 0)
        {
            for (; rest >= 0x80; rest >>= 7)
                block.Add((byte)(0x80 | (rest & 0x7F)));
            block.Add((byte)rest);
        }
        block.AddRange(Encoding.Latin1.GetBytes(text));
    }
}
