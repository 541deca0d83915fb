// Bytes for the HTTP/1 machine and what must hold of them, whatever they are.

using System.Text;
using Asgi.Server.Protocols.Http1;
using Asgi.Server.Testing;

namespace Asgi.Server.Fuzz.Messages;

/// <param name="bytes">What a client sends.</param>
/// <param name="limits">What the machine accepts.</param>
/// <param name="cutSeed">What the places where the bytes are cut are drawn from.</param>
internal sealed class WireCase(byte[] bytes, Http1Limits limits, int cutSeed) : FuzzCase
{
    private const string NeverThrows = "Any bytes give events or a fault, never an exception, and no more is consumed than was given.";
    private const string CutsDoNotMatter = "The verdict is the same however the bytes are cut and wherever they lie.";
    private const string OracleAgrees = "The grammar of RFC 9112 says the same of the requests, their framing and their limits.";
    private const string RoundTrips = "A request that was accepted says the same when it is written down again.";

    // Byte by byte costs the square of the length.
    private const int BytewiseMax = 500;
    private const int PlaceMax = 9;

    public override string Literal => $"\"{Escape(bytes)}\" with {limits}, cuts from {cutSeed}";

    public override void Check()
    {
        WireRun whole = Feed([bytes.Length], PlaceMax);
        string verdict = whole.ToString();
        foreach (int[] cut in Cuts(new Random(cutSeed)))
        {
            string outcome = Feed(cut, cut.Length % PlaceMax).ToString();
            InvariantException.Demand(
                outcome == verdict, CutsDoNotMatter, () => $"cut [{string.Join(',', cut)}] gives\n{outcome}\nwhole gives\n{verdict}");
        }
        CompareWithOracle(whole, verdict);
        foreach (WireMessage message in whole.Messages)
            CheckRoundTrip(message);
    }

    public override IEnumerable<FuzzCase> Reduce()
    {
        foreach (byte[] less in Less(bytes))
            yield return new WireCase(less, limits, cutSeed);
        if (limits != Http1Limits.Default)
            yield return new WireCase(bytes, Http1Limits.Default, cutSeed);
    }

    private WireRun Feed(IEnumerable<int> pieces, int place)
    {
        try
        {
            return WireRun.Feed(bytes, pieces, limits, place);
        }
        catch (Exception thrown)
        {
            throw new InvariantException(NeverThrows, thrown.ToString());
        }
    }

    private void CompareWithOracle(WireRun whole, string verdict)
    {
        var oracle = RequestOracle.Read(Encoding.Latin1.GetString(bytes), limits);
        bool isEndRight = oracle.End == OracleEnd.Doomed || (whole.Fault is not null) == (oracle.End == OracleEnd.Refused);
        InvariantException.Demand(
            isEndRight && whole.Messages.Select(message => message.ToString()).SequenceEqual(oracle.Messages),
            OracleAgrees,
            () => $"the machine says\n{verdict}\nthe oracle says\n{string.Join('\n', oracle.Messages)}\n{oracle.End}");
    }

    private void CheckRoundTrip(WireMessage message)
    {
        // No line is longer than it was, so the limits are still kept.
        string fields = string.Concat(message.Fields.Select(field => string.Join(':', field.Split(": ", 2)) + "\r\n"));
        string wire = $"{message.Method} {message.Target} HTTP/1.{(message.IsHttp11 ? 1 : 0)}\r\n{fields}\r\n";
        byte[] rewritten = Encoding.Latin1.GetBytes(wire);
        WireRun again = WireRun.Feed(rewritten, [rewritten.Length], limits);
        InvariantException.Demand(
            again.Messages is [var same] && same.Head == message.Head, RoundTrips, () => $"{message.Head}\nbecomes\n{again}");
    }

    private IEnumerable<int[]> Cuts(Random random)
    {
        if (bytes.Length <= BytewiseMax)
            yield return [.. Enumerable.Repeat(1, bytes.Length)];
        int[] longest = [3, 40, 2000];
        foreach (int most in longest)
        {
            if (bytes.Length / most <= BytewiseMax)
                yield return Cut(random, most);
        }
        if (bytes.Length > 1)
        {
            int first = random.Next(1, bytes.Length);
            yield return [first, bytes.Length - first];
        }
    }

    private int[] Cut(Random random, int most)
    {
        var pieces = new List<int>();
        for (int left = bytes.Length; left > 0; left -= pieces[^1])
            pieces.Add(Math.Min(left, random.Next(1, most + 1)));
        return [.. pieces];
    }

    // Four digits always, so that what follows cannot become a part of the escape.
    private static string Escape(byte[] bytes) => string.Concat(bytes.Select(b => (char)b switch
    {
        '\r' => "\\r",
        '\n' => "\\n",
        '"' => "\\\"",
        '\\' => "\\\\",
        < ' ' or > '~' => $"\\u{b:X4}",
        var c => c.ToString(),
    }));
}
