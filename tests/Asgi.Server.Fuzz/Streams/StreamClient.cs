// A client of HTTP/2 in a play: opens streams, sends their content as far as the windows allow, answers what it owes an answer. What it has
// received is judged frame by frame as it comes. On the thread that drives the loop.

using System.Globalization;
using System.Text;
using Asgi.Server.Fuzz.Driver;
using Asgi.Server.Protocols.Http2;
using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Fuzz.Streams;

/// <summary>A request as its client has sent it so far.</summary>
internal sealed class SentRequest(int id, StreamStep step, string content)
{
    public int Id { get; } = id;

    public string Method { get; } = step.Bytes[..step.Bytes.IndexOf(' ')];

    public string Target { get; } = step.Bytes[(step.Bytes.IndexOf(' ') + 1)..];

    public string Content { get; } = content;

    public RequestShape Shape { get; } = step.Shape;

    public bool IsCalm { get; } = step.IsCalm;

    public int SentLength { get; set; }

    public bool IsEnded { get; set; }

    public bool IsCancelled { get; set; }

    public bool Has(RequestShape shape) => (Shape & shape) != 0;

    public override string ToString() => $"{Id}: {Method} {Target}, {SentLength} of {Content.Length} sent"
        + $"{(IsEnded ? ", ended" : "")}{(IsCancelled ? ", cancelled" : "")}{(IsCalm ? ", calm" : "")}";
}

internal sealed class StreamClient
{
    private const int PaddingMax = 40;

    private readonly ClientLedger _ledger = new();
    private readonly int _streamsMax;
    private int _nextId = 1;

    public StreamClient(SimulatedClient connection, Http2Limits limits)
    {
        Connection = connection;
        _streamsMax = limits.MaxStreamsPerConnection;
        Judge = new FrameJudge(_ledger, limits.InitialStreamWindowSize, limits.InitialConnectionWindowSize);
        connection.Send(Preface);
        Send(Settings());
    }

    public SimulatedClient Connection { get; }

    public FrameJudge Judge { get; }

    public ClientLedger Ledger => _ledger;

    public List<SentRequest> Requests { get; } = [];

    /// <summary>Whether it has kept to what the RFC asks of it, and the server to expect.</summary>
    public bool IsCalm { get; private set; } = true;

    public bool HasFinished { get; private set; }

    public bool HasReset { get; private set; }

    public bool IsOver => HasReset || HasFinished || Connection.End != ConnectionEnd.None;

    public void Open(StreamStep step)
    {
        // Who goes beyond the limit is refused, as others are; a calm client waits, and here forgoes the request.
        int open = Requests.Count(request => !IsOverAndDone(request));
        if (step.IsCalm && (open >= _streamsMax || Judge.LastStreamId is not null || IsOver))
            return;
        IsCalm &= step.IsCalm && open < _streamsMax;
        string content = ScriptedApplication.TextOf($"q{step.Stream}", 0, step.Content);
        var request = new SentRequest(_nextId, step, content);
        Requests.Add(request);
        _nextId += 2;

        List<string> fields = request.Has(RequestShape.Connect)
            ? [":method: CONNECT", ":protocol: echo", ":scheme: http", $":path: {request.Target}", ":authority: a"]
            : [$":method: {request.Method}", ":scheme: http", $":path: {request.Target}", ":authority: a"];
        if (request.Has(RequestShape.Declared))
            fields.Add(string.Create(CultureInfo.InvariantCulture, $"content-length: {content.Length}"));
        if (request.Has(RequestShape.Expecting))
            fields.Add("expect: 100-continue");
        request.IsEnded = content.Length == 0 && !request.Has(RequestShape.EmptyEnd | RequestShape.Trailers | RequestShape.Connect);
        SendBlock(request, Block([.. fields]), request.IsEnded);
    }

    /// <summary>Sends content in so many frames at most.</summary>
    /// <returns>Whether it could send any.</returns>
    public bool Feed(long frames, int sizeMax)
    {
        bool hasSent = false;
        for (bool isStuck = false; frames > 0 && !isStuck && !IsOver;)
        {
            isStuck = true;
            foreach (SentRequest request in Requests.Where(request => !IsOverAndDone(request) && !request.IsEnded))
            {
                if (frames > 0 && FeedOne(request, sizeMax))
                {
                    frames--;
                    (isStuck, hasSent) = (false, true);
                }
            }
        }
        return hasSent;
    }

    public void Cancel(int ordinal)
    {
        if (Find(ordinal) is { IsCancelled: false } request)
        {
            request.IsCancelled = true;
            Send(RstStream((uint)request.Id));
        }
    }

    public void Credit(int ordinal, long increment)
    {
        if (ordinal == 0)
            Send(WindowUpdate(0, (uint)increment));
        else if (Find(ordinal) is { IsCancelled: false } request)
            Send(WindowUpdate((uint)request.Id, (uint)increment));
    }

    public void Raw(StreamStep step)
    {
        IsCalm &= step.IsCalm;
        Send(Encoding.Latin1.GetBytes(step.Bytes));
    }

    public void Finish()
    {
        HasFinished = true;
        IsCalm = false;
        Connection.ShutdownSend();
    }

    public void Reset()
    {
        HasReset = true;
        IsCalm = false;
        Connection.Reset();
    }

    /// <summary>The client takes what has come, and answers what it must.</summary>
    public void Read()
    {
        foreach (byte[] answer in Judge.Take(Encoding.Latin1.GetBytes(Connection.Take())))
            Send(answer);
    }

    /// <summary>The client lets the server send everything, and sends all it has.</summary>
    public bool OpenAll()
    {
        Read();
        if (IsOver)
            return false;
        foreach (SentRequest request in Requests.Where(request => !IsOverAndDone(request)))
        {
            if (request.Has(RequestShape.Connect) && request.SentLength == request.Content.Length && !request.IsEnded)
                SendContent(request, 0, padding: 0, isLast: true);
        }
        return Feed(int.MaxValue, sizeMax: 16_000);
    }

    /// <summary>The client opens its windows, once: all that is to come finds room.</summary>
    public void OpenWindows()
    {
        Connection.Window = long.MaxValue;
        Send(Settings((4, 1 << 30)), WindowUpdate(0, 1 << 30));
    }

    private bool IsOverAndDone(SentRequest request) => request.IsCancelled
        || (Judge.Streams.GetValueOrDefault(request.Id) is { } seen && (seen.ResetCode is not null || (seen.IsEnded && request.IsEnded)));

    private bool FeedOne(SentRequest request, int sizeMax)
    {
        long window = Math.Min(Judge.WindowOf(request.Id), Judge.ConnectionWindow);
        int padding = request.Has(RequestShape.Padded) ? 1 + request.SentLength % PaddingMax : 0;
        // Padding must not keep content out of a small window.
        padding = padding < window ? padding : 0;
        long room = window - padding;
        int length = (int)Math.Max(0, Math.Min(Math.Min(room, sizeMax), request.Content.Length - request.SentLength));
        bool isWhole = request.SentLength + length == request.Content.Length;
        if (request.Has(RequestShape.Connect) && isWhole && length == 0)
            return false;
        if (length == 0 && (!isWhole || room < 0))
            return false;
        bool endsApart = request.Has(RequestShape.Trailers)
            || (request.Has(RequestShape.EmptyEnd) && length > 0) || request.Has(RequestShape.Connect);
        if (length > 0 || !request.Has(RequestShape.Trailers))
            SendContent(request, length, padding, isWhole && !endsApart);
        if (isWhole && request.Has(RequestShape.Trailers))
        {
            request.IsEnded = true;
            SendBlock(request, Block("x-sum: 7"), isEnd: true);
        }
        return true;
    }

    private void SendContent(SentRequest request, int length, int padding, bool isLast)
    {
        string part = request.Content.Substring(request.SentLength, length);
        request.SentLength += length;
        request.IsEnded |= isLast;
        Send(padding > 0
            ? PaddedData((uint)request.Id, part, (byte)(padding - 1), isLast)
            : DataFrame((uint)request.Id, part, isLast));
    }

    private void SendBlock(SentRequest request, byte[] block, bool isEnd)
    {
        int end = isEnd ? EndStream : 0;
        uint id = (uint)request.Id;
        if (!request.Has(RequestShape.Split))
        {
            Send(Frame(HeadersType, EndHeaders | end, id, block));
            return;
        }
        int first = block.Length / 3;
        Send(
            Frame(HeadersType, end, id, block[..first]),
            Frame(Continuation, 0, id, block[first..(2 * first)]),
            Frame(Continuation, EndHeaders, id, block[(2 * first)..]));
    }

    private SentRequest? Find(int ordinal) => Requests.Count == 0 ? null : Requests[(Math.Max(1, ordinal) - 1) % Requests.Count];

    private void Send(params byte[][] frames)
    {
        if (IsOver)
            return;
        byte[] bytes = Join(frames);
        _ledger.NoteSent(bytes);
        Connection.Send(bytes);
    }
}
