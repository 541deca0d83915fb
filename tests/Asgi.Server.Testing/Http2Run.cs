// Drives the HTTP/2 machine as a driver does, without a socket: appends what arrives, reads until NeedData, keeps what was not consumed,
// and writes down what it was told.

using System.Text;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http2;
using Xunit;

namespace Asgi.Server.Testing;

internal sealed class Http2Run
{
    private readonly List<string> _events = [];
    private readonly Dictionary<int, Http2StreamState> _streams = [];
    private readonly int _pieceMax;
    private byte[] _unconsumed = [];
    private (int Id, StringBuilder Text)? _content;

    /// <param name="limits">Those of the machine; null is the default.</param>
    /// <param name="pieceMax">What is received is cut into pieces of at most so many bytes.</param>
    public Http2Run(Http2Limits? limits = null, int pieceMax = int.MaxValue)
    {
        Machine = new Http2Machine(limits ?? Http2Limits.Default);
        _pieceMax = pieceMax;
    }

    public Http2Machine Machine { get; }

    /// <summary>The time that the machine is told.</summary>
    public long Now { get; set; }

    /// <summary>What was told, an event a line; pieces of content that follow each other are one, and Ignored is left out.</summary>
    public IReadOnlyList<string> Events
    {
        get
        {
            EndContent();
            return _events;
        }
    }

    public string Last => Events.Count > 0 ? Events[^1] : "";

    public int UnconsumedBytes => _unconsumed.Length;

    /// <summary>The streams that were told by Request and not released by <see cref="Release"/>, by their ids.</summary>
    public IReadOnlyCollection<Http2StreamState> Streams => _streams.Values;

    /// <summary>The record of a stream that was told by Request.</summary>
    public Http2StreamState this[int id] => _streams[id];

    /// <summary>
    /// The events of bytes that arrive whole, cut in two at every place, and byte by byte, which must be the same; the preface and empty
    /// SETTINGS stand before them, uncut.
    /// </summary>
    public static IReadOnlyList<string> Of(Http2Limits? limits, params byte[][] frames)
    {
        byte[] bytes = Http2Bytes.Join(frames);
        Http2Run whole = Feed(limits, bytes, [bytes.Length]);
        for (int cut = 1; cut < bytes.Length; cut++)
            whole.Expect(Feed(limits, bytes, [cut, bytes.Length - cut]), $"cut at {cut}");
        whole.Expect(Feed(limits, bytes, Enumerable.Repeat(1, bytes.Length)), "byte by byte");
        return [.. whole.Events.Skip(1)];
    }

    public static IReadOnlyList<string> Of(params byte[][] frames) => Of(null, frames);

    /// <summary>
    /// Plays a scenario with everything whole, in pieces of 7 bytes and byte by byte, and demands the same events of each.
    /// </summary>
    public static Http2Run Play(Action<Http2Run> scenario, Http2Limits? limits = null)
    {
        Http2Run Once(int pieceMax)
        {
            var run = new Http2Run(limits, pieceMax);
            run.Receive(Http2Bytes.Start);
            scenario(run);
            return run;
        }

        Http2Run whole = Once(int.MaxValue);
        whole.Expect(Once(7), "in sevens");
        whole.Expect(Once(1), "byte by byte");
        return whole;
    }

    public void Receive(params byte[][] frames)
    {
        foreach (byte[] piece in Http2Bytes.Join(frames).Chunk(Math.Min(_pieceMax, int.MaxValue / 2)))
            Arrive(piece);
    }

    /// <summary>A request that is all right, with content to come or not, and its record.</summary>
    public Http2StreamState Open(uint id, bool end = false)
    {
        Receive(Http2Bytes.Request(id, end: end));
        return _streams[(int)id];
    }

    /// <summary>Nobody uses a stream any more, which is closed.</summary>
    public void Release(Http2StreamState stream)
    {
        _streams.Remove(stream.Id);
        Machine.Release(stream);
    }

    private static Http2Run Feed(Http2Limits? limits, byte[] bytes, IEnumerable<int> pieces)
    {
        var run = new Http2Run(limits);
        run.Arrive(Http2Bytes.Start);
        int position = 0;
        foreach (int piece in pieces)
        {
            run.Arrive(bytes.AsSpan(position, piece));
            position += piece;
        }
        return run;
    }

    private void Expect(Http2Run other, string how)
    {
        if (!Events.SequenceEqual(other.Events))
            Assert.Fail($"{how}:\n{string.Join('\n', other.Events)}\nwhole:\n{string.Join('\n', Events)}");
    }

    private void Arrive(ReadOnlySpan<byte> arrived)
    {
        byte[] buffer = [.. _unconsumed, .. arrived];
        int start = 0;
        while (true)
        {
            Http2Event told = Machine.Read(buffer.AsSpan(start), Now, out int consumed);
            Assert.InRange(consumed, 0, buffer.Length - start);
            Assert.True(consumed > 0 || told is Http2Event.NeedData or Http2Event.Fault, $"{told} consumes nothing");
            Record(told, buffer.AsSpan(start));
            start += consumed;
            if (told is Http2Event.NeedData or Http2Event.Fault)
                break;
        }
        _unconsumed = buffer[start..];
    }

    private void Record(Http2Event told, ReadOnlySpan<byte> input)
    {
        if (told is Http2Event.NeedData or Http2Event.Ignored || (told == Http2Event.Fault && _events is [.., ['F', 'a', ..]]))
            return;
        if (told == Http2Event.Content)
        {
            RecordContent(input);
            return;
        }
        EndContent();
        int id = Machine.Stream?.Id ?? 0;
        if (told == Http2Event.Request)
            _streams[id] = Machine.Stream!;
        _events.Add(told switch
        {
            Http2Event.Request => $"Request {id} {Show(Machine.Stream!.Head)}{End}",
            Http2Event.Trailers => $"Trailers {id} [{Show(Machine.Stream!.Trailers)}]{End}",
            Http2Event.StreamReset => $"StreamReset {id} {Machine.ErrorCode}",
            Http2Event.StreamFault => $"StreamFault {Machine.FaultStreamId} {Machine.Fault!.Code} {Machine.Fault.Name}",
            Http2Event.WindowUpdate => $"WindowUpdate {id}",
            Http2Event.Ping or Http2Event.PingAck => $"{told} {Machine.PingOpaque:x}",
            Http2Event.GoAway => $"GoAway {Machine.ErrorCode}",
            Http2Event.Fault => $"Fault {Machine.Fault!.Code} {Machine.Fault.Name}",
            _ => told.ToString(),
        });
    }

    private string End => Machine.EndStream ? " end" : "";

    private void RecordContent(ReadOnlySpan<byte> input)
    {
        int id = Machine.Stream!.Id;
        if (_content?.Id != id)
        {
            EndContent();
            _content = (id, new StringBuilder());
        }
        _content!.Value.Text.Append(Encoding.Latin1.GetString(input.Slice(Machine.Content.Start, Machine.Content.Length)));
        if (Machine.EndStream)
            EndContent(" end");
    }

    private void EndContent(string end = "")
    {
        if (_content is not { } content)
            return;
        string text = content.Text.ToString();
        _events.Add($"Content {content.Id} {(text.Length > 40 ? $"{text.Length} bytes" : $"'{text}'")}{end}");
        _content = null;
    }

    private static string Show(Http2RequestHead head)
    {
        string Text(ByteRange range) => Encoding.Latin1.GetString(head[range]);

        string target = head.Form == TargetForm.Origin ? $"{Text(head.Path)}|{Text(head.Query)}" : $"{head.Form} {Text(head.Target)}";
        string protocol = head.IsExtendedConnect ? $" protocol={Text(head.Protocol)}" : "";
        string more = (head.ContentLength is { } length ? $" length={length}" : "") + (head.ExpectContinue ? " expect" : "");
        string fault = head.Fault is null ? "" : $" {head.Fault.Status} {head.Fault.Name}";
        return $"{Text(head.Method)} {target} {Text(head.Scheme)}{protocol}{more} [{Show(head.Fields)}]{fault}";
    }

    private static string Show(FieldSection fields) => string.Join('|', Enumerable.Range(0, fields.Count).Select(i =>
        $"{Encoding.Latin1.GetString(fields.GetName(i))}: {Encoding.Latin1.GetString(fields.GetValue(i))}"));
}
