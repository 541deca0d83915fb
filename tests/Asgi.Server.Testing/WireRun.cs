// Drives the HTTP/1 machine as a driver does, without a socket: appends what arrives, reads until NeedData, keeps what was not consumed.

using System.Text;
using Asgi.Server.Protocols.Http;
using Asgi.Server.Protocols.Http1;
using Xunit;

namespace Asgi.Server.Testing;

/// <summary>The outcome of one literal, which was the same for every cut and with another request behind it.</summary>
internal sealed class WireRun
{
    private const string Tail = "HEAD /tail HTTP/1.1\r\nHost: tail\r\n\r\n";

    private readonly List<WireMessage> _messages = [];
    private readonly Http1Machine _machine;
    private byte[] _unconsumed = [];

    private readonly int _place;

    private WireRun(Http1Limits limits, int place)
    {
        _machine = new Http1Machine(limits);
        _place = place;
    }

    /// <summary>Every request whose head came, in order.</summary>
    public IReadOnlyList<WireMessage> Messages => _messages;

    /// <summary>The one request of the literal.</summary>
    public WireMessage Message => Assert.Single(_messages);

    public HttpFault? Fault => _machine.Fault;

    /// <summary>The bytes the machine left with the driver when it asked for more.</summary>
    public int UnconsumedBytes => _unconsumed.Length;

    /// <summary>Whether the literal ends inside a head.</summary>
    public bool IsMidHead => _machine.IsMidHead;

    public bool InHead => _machine.InHead;

    /// <summary>Runs the literal whole, demands the same outcome of every other cut and with a tail, and gives it.</summary>
    public static WireRun Of(Wire wire, Http1Limits? limits = null)
    {
        limits ??= Http1Limits.Default;
        WireRun whole = Feed(wire.Bytes, [wire.Bytes.Length], limits);
        foreach (int[] cut in wire.Cuts())
        {
            string outcome = Feed(wire.Bytes, cut, limits).ToString();
            if (outcome != whole.ToString())
                Assert.Fail($"{wire}\ncut [{string.Join(',', cut)}] gives\n{outcome}\nwhole gives\n{whole}");
        }
        whole.CheckTail(wire, limits);
        return whole;
    }

    public static WireRun Of(string literal, Http1Limits? limits = null) => Of(new Wire(literal), limits);

    /// <summary>Runs the bytes in the given pieces, once; each span begins at <paramref name="place"/> of its array.</summary>
    public static WireRun Feed(byte[] bytes, IEnumerable<int> pieces, Http1Limits? limits = null, int place = 3)
    {
        var run = new WireRun(limits ?? Http1Limits.Default, place);
        int position = 0;
        foreach (int piece in pieces)
        {
            run.Receive(bytes.AsSpan(position, piece));
            position += piece;
        }
        return run;
    }

    public override string ToString()
    {
        var outcome = new StringBuilder();
        foreach (WireMessage message in _messages)
            outcome.Append(message).Append('\n');
        return outcome.Append(Fault is null ? $"in head={InHead} mid head={IsMidHead}" : Fault.ToString()).ToString();
    }

    /// <summary>A request that follows is neither touched by the one before nor does it change it.</summary>
    private void CheckTail(Wire wire, Http1Limits limits)
    {
        bool isBetweenMessages = InHead && !IsMidHead && UnconsumedBytes == 0;
        if (!isBetweenMessages || _messages.Count == 0)
            return;
        byte[] bytes = [.. wire.Bytes, .. Encoding.Latin1.GetBytes(Tail)];
        WireRun run = Feed(bytes, [bytes.Length], limits);
        Assert.Equal(_messages.Count + 1, run.Messages.Count);
        Assert.Equal(_messages.Select(m => m.ToString()), run.Messages.Take(_messages.Count).Select(m => m.ToString()));
        Assert.Equal("/tail", run.Messages[^1].Target);
        Assert.True(run.Messages[^1].IsComplete);
    }

    private void Receive(ReadOnlySpan<byte> arrived)
    {
        // A buffer of the exact size, at an odd offset: a read outside of the span or an absolute offset shows at once.
        byte[] buffer = [.. Enumerable.Repeat((byte)0xAA, _place), .. _unconsumed, .. arrived];
        int start = _place;
        while (true)
        {
            Http1Event happened = _machine.Read(buffer.AsSpan(start), out int consumed);
            Assert.InRange(consumed, 0, buffer.Length - start);
            Record(happened, buffer, start);
            start += consumed;
            if (happened is Http1Event.NeedData or Http1Event.Fault)
                break;
        }
        _unconsumed = buffer[start..];
    }

    private void Record(Http1Event happened, byte[] buffer, int start)
    {
        switch (happened)
        {
            case Http1Event.Request:
                _messages.Add(new WireMessage(_machine.Head, buffer, start));
                break;
            case Http1Event.Content:
                Assert.True(_machine.ContentBytes > 0);
                _messages[^1].Append(buffer.AsSpan(start, _machine.ContentBytes));
                Assert.Equal(_messages[^1].Content.Length, _machine.TotalContentBytes);
                break;
            case Http1Event.EndOfMessage:
                _messages[^1].Complete(_machine.Trailers, buffer, start, _machine.FramingBytes);
                _machine.Next();
                break;
            default:
                break;
        }
    }
}
