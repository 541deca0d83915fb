// Runs a literal through the reader of PROXY headers at every cut, and demands one outcome of them all. Used by tests and by the fuzzer.

using System.Text;
using Asgi.Server.Protocols.ProxyProtocol;
using Xunit;

namespace Asgi.Server.Testing;

internal sealed class ProxyRun
{
    private const string Tail = "GET / HTTP/1.1\r\n";

    private ProxyRun(ProxyEvent happened, ProxyHeader? header, ProxyFault? fault, int consumed)
    {
        Event = happened;
        Header = header;
        Fault = fault;
        Consumed = consumed;
    }

    public ProxyEvent Event { get; }

    public ProxyHeader? Header { get; }

    public ProxyFault? Fault { get; }

    public int Consumed { get; }

    /// <summary>Runs the literal whole, demands the same of every other cut and with a tail, and gives it.</summary>
    public static ProxyRun Of(Wire wire, int lengthMax = 4096)
    {
        var whole = Feed(wire.Bytes, [wire.Bytes.Length], lengthMax);
        foreach (var cut in wire.Cuts())
        {
            var outcome = Feed(wire.Bytes, cut, lengthMax).ToString();
            if (outcome != whole.ToString())
                Assert.Fail($"{wire}\ncut [{string.Join(',', cut)}] gives\n{outcome}\nwhole gives\n{whole}");
        }
        if (whole.Event == ProxyEvent.Header)
        {
            byte[] bytes = [.. wire.Bytes, .. Encoding.Latin1.GetBytes(Tail)];
            Assert.Equal(whole.ToString(), Feed(bytes, [bytes.Length], lengthMax).ToString());
        }
        return whole;
    }

    public static ProxyRun Of(string literal, int lengthMax = 4096) => Of(new Wire(literal), lengthMax);

    /// <summary>Gives the reader what has come so far, piece by piece, until it has decided.</summary>
    public static ProxyRun Feed(byte[] bytes, IEnumerable<int> pieces, int lengthMax)
    {
        int length = 0;
        ProxyRun? run = null;
        foreach (int piece in pieces)
        {
            length += piece;
            var happened = ProxyHeaderReader.Read(bytes.AsSpan(0, length), lengthMax, out var header, out int consumed, out var fault);
            run = new ProxyRun(happened, header, fault, consumed);
            Assert.InRange(consumed, 0, length);
            Assert.Equal(happened == ProxyEvent.Header, header is not null);
            Assert.Equal(happened == ProxyEvent.Fault, fault is not null);
            Assert.Equal(happened == ProxyEvent.Header, consumed > 0);
            if (happened != ProxyEvent.NeedData)
                break;
        }
        return run!;
    }

    public override string ToString()
    {
        if (Header is null)
            return $"{Event} {Fault}";
        var tlvs = Header.Tlvs.Select(tlv => $"{tlv.Type:X2}={Convert.ToHexString(tlv.Value.Span)}");
        string addresses = Header.SourcePath is { } path
            ? $"'{path}' to '{Header.DestinationPath}'"
            : $"{Header.Source?.ToString() ?? "nobody"} to {Header.Destination?.ToString() ?? "nobody"}";
        return $"v{Header.Version} {(Header.IsLocal ? "local" : addresses)} {string.Join(' ', tlvs)} in {Consumed}";
    }
}
