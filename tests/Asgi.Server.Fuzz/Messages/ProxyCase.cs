// Bytes for the reader of PROXY headers and what must hold of them, whatever they are.

using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Asgi.Server.Protocols.ProxyProtocol;
using Asgi.Server.Testing;

namespace Asgi.Server.Fuzz.Messages;

/// <param name="bytes">What a proxy sends.</param>
/// <param name="lengthMax">The longest header that is taken.</param>
/// <param name="cutSeed">What the places where the bytes are cut are drawn from.</param>
internal sealed partial class ProxyCase(byte[] bytes, int lengthMax, int cutSeed) : FuzzCase
{
    private const string NeverThrows = "Any bytes give an event, never an exception.";
    private const string CutsDoNotMatter = "The verdict is the same however the bytes are cut.";
    private const string LineIsOfTheGrammar = "A line is accepted if, and only if, it is one of the specification's.";
    private const string RoundTrips = "A header that was accepted says the same when it is written down again.";
    private const int LineLengthMax = 107;

    public override string Literal => $"\"{string.Concat(bytes.Select(b => $"\\u{b:X4}"))}\" of at most {lengthMax}, cuts from {cutSeed}";

    public override void Check()
    {
        ProxyRun whole = Feed([bytes.Length]);
        var random = new Random(cutSeed);
        IEnumerable<int[]> cuts =
        [
            [.. Enumerable.Repeat(1, bytes.Length)],
            [random.Next(bytes.Length + 1)],
        ];
        foreach (int[] cut in cuts)
        {
            int[] pieces = [.. cut, bytes.Length - cut.Sum()];
            string outcome = Feed(pieces).ToString();
            InvariantException.Demand(
                outcome == whole.ToString(),
                CutsDoNotMatter,
                () => $"cut [{string.Join(',', pieces)}] gives\n{outcome}\nwhole gives\n{whole}");
        }
        string text = Encoding.Latin1.GetString(bytes);
        if (text.StartsWith("PROXY ", StringComparison.Ordinal))
        {
            bool isAccepted = whole.Event == ProxyEvent.Header;
            InvariantException.Demand(IsLine(text) == isAccepted, LineIsOfTheGrammar, () => $"the reader says {whole}");
        }
        // A path that was no UTF-8 cannot be written again.
        if (whole.Header is { } header && !$"{header.SourcePath}{header.DestinationPath}".Contains('\uFFFD', StringComparison.Ordinal))
            CheckRoundTrip(header, whole);
    }

    public override IEnumerable<FuzzCase> Reduce() => Less(bytes).Select(less => new ProxyCase(less, lengthMax, cutSeed));

    private ProxyRun Feed(IEnumerable<int> pieces)
    {
        try
        {
            return ProxyRun.Feed(bytes, pieces, lengthMax);
        }
        catch (Exception thrown)
        {
            throw new InvariantException(NeverThrows, thrown.ToString());
        }
    }

    private static bool IsLine(string text)
    {
        string window = text[..Math.Min(text.Length, LineLengthMax)];
        if (Unknown().IsMatch(window))
            return true;
        return Line().Match(window) is { Success: true } line
            && line.Groups["address"].Captures.All(address => IsAddress(address.Value, isIPv6: line.Groups[1].Value == "6"))
            && line.Groups["port"].Captures.All(port => int.Parse(port.Value) <= ushort.MaxValue);
    }

    private static bool IsAddress(string text, bool isIPv6) =>
        (isIPv6 ? Hexadecimal() : Dotted()).IsMatch(text) && IPAddress.TryParse(text, out _);

    private void CheckRoundTrip(ProxyHeader header, ProxyRun whole)
    {
        byte[] rewritten = header.Version == 1 ? Text(header) : Binary(header);
        ProxyRun again = ProxyRun.Feed(rewritten, [rewritten.Length], ushort.MaxValue);
        string Without(ProxyRun run) => run.ToString().Replace(" 03=", " E3=", StringComparison.Ordinal).Split(" in ")[0];
        InvariantException.Demand(Without(again) == Without(whole), RoundTrips, () => $"{whole}\nbecomes\n{again}");
    }

    private static byte[] Text(ProxyHeader header) => Encoding.ASCII.GetBytes(header.Source is { } source
        ? $"PROXY TCP{(source.Address.GetAddressBytes().Length == 4 ? 4 : 6)} {source.Address} {header.Destination!.Address} "
            + $"{source.Port} {header.Destination.Port}\r\n"
        : "PROXY UNKNOWN\r\n");

    private static byte[] Binary(ProxyHeader header)
    {
        var rest = new List<byte>();
        byte family = 0;
        if (header.Source is { } source)
        {
            byte[] address = source.Address.GetAddressBytes();
            family = (byte)(address.Length == 4 ? 0x11 : 0x21);
            IPEndPoint destination = header.Destination!;
            rest.AddRange([.. address, .. destination.Address.GetAddressBytes(), .. Number(source.Port), .. Number(destination.Port)]);
        }
        else if (header.SourcePath is { } path)
        {
            family = 0x31;
            rest.AddRange([.. Path(path), .. Path(header.DestinationPath!)]);
        }
        foreach (ProxyTlv tlv in header.Tlvs)
            rest.AddRange([tlv.Type == 3 ? (byte)0xE3 : tlv.Type, .. Number(tlv.Value.Length), .. tlv.Value.Span]);
        byte[] wire = [.. "\r\n\r\n\0\r\nQUIT\n"u8, (byte)(header.IsLocal ? 0x20 : 0x21), family, .. Number(rest.Count), .. rest];
        return wire;
    }

    private static byte[] Path(string path)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        Array.Resize(ref bytes, 108);
        return bytes;
    }

    private static byte[] Number(int number)
    {
        byte[] two = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(two, (ushort)number);
        return two;
    }

    [GeneratedRegex(@"\APROXY UNKNOWN( [^\r\n]*)?\r\n")]
    private static partial Regex Unknown();

    [GeneratedRegex(@"\APROXY TCP([46])( (?<address>[^ \r\n]+)){2}( (?<port>0|[1-9][0-9]{0,4})){2}\r\n")]
    private static partial Regex Line();

    [GeneratedRegex(@"\A(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}\z")]
    private static partial Regex Dotted();

    [GeneratedRegex(@"\A(?=.*:)[0-9a-fA-F:]*((?<=:)(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3})?\z")]
    private static partial Regex Hexadecimal();
}
