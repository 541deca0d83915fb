// A connection's header blocks for the decoder, some of them no HPACK, and its responses through the encoder; and what must hold of both.

using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Fuzz.Messages;

/// <summary>One step of a connection.</summary>
/// <param name="Block">A block that the peer sends, or null where we do.</param>
/// <param name="Lines">The trailers or, with a status, the response that we send.</param>
/// <param name="Status">The status; 0 for trailers.</param>
/// <param name="TableSize">A setting that comes before, or -1: ours, acknowledged, or the peer's.</param>
/// <param name="Room">Bytes the first try may take.</param>
internal sealed record HpackStep(byte[]? Block, (string Name, string Value)[] Lines, int Status, int TableSize, int Room);

/// <param name="steps">What happens on the connection.</param>
/// <param name="lengthMax">Bytes of names and values that a section may have.</param>
internal sealed class HpackCase(HpackStep[] steps, int lengthMax) : FuzzCase
{
    private const string NeverThrows = "Any block gives fields or a fault, never an exception.";
    private const string LimitsHold = "Neither the fields of a section nor the table grow beyond their limits.";
    private const string LimitsDoNotMatter = "A field section that is too long changes nothing but what is told of its fields.";
    private const string TableHasWhatItCounts = "The table has the entries it counts.";
    private const string RoundTrips = "What the encoder writes the decoder reads, and their tables stay in step.";
    private const string TriesLeaveNothing = "A block that does not fit leaves the encoder as it was.";
    private const int LengthUnlimited = 1 << 24;
    private const int TargetSize = 1 << 16;

    public override string Literal => $"of at most {lengthMax}: " + string.Join("; ", steps.Select(step =>
        (step.TableSize >= 0 ? $"size {step.TableSize}, " : "")
        + (step.Block is { } block ? Convert.ToHexString(block)
            : $"{step.Status} in {step.Room} {string.Join(" | ", step.Lines.Select(line => $"{line.Name}: {line.Value}"))}")));

    public override void Check()
    {
        CheckReading();
        CheckWriting();
    }

    public override IEnumerable<FuzzCase> Reduce() =>
    [
        .. Less(steps).Select(less => new HpackCase(less, lengthMax)),
        .. steps.SelectMany((step, i) => Less(step).Select(less => new HpackCase([.. steps[..i], less, .. steps[(i + 1)..]], lengthMax))),
    ];

    private static IEnumerable<HpackStep> Less(HpackStep step) =>
    [
        .. Less(step.Block ?? []).Select(less => step with { Block = less }),
        .. Less(step.Lines).Select(less => step with { Lines = less }),
    ];

    // The same blocks with and without room for their fields.
    private void CheckReading()
    {
        var limited = new HpackDecoder();
        var unlimited = new HpackDecoder();
        foreach (HpackStep step in steps.Where(step => step.Block is not null))
        {
            if (step.TableSize >= 0)
                limited.TableSizeMax = unlimited.TableSizeMax = step.TableSize;
            string[] some = Read(limited, step.Block!, lengthMax);
            string[] all = Read(unlimited, step.Block!, LengthUnlimited);
            bool isSame = some.Length == all.Length && some.Zip(all).All(pair => pair.First is "too long" || pair.First == pair.Second);
            InvariantException.Demand(
                isSame && limited.Fault == unlimited.Fault && limited.TableSize == unlimited.TableSize,
                LimitsDoNotMatter,
                () => $"{string.Join(" | ", some)}\n{limited.Fault}\n{string.Join(" | ", all)}\n{unlimited.Fault}");
            if (unlimited.Fault is not null)
                return;
        }
        InvariantException.Demand(
            limited.Table().SequenceEqual(unlimited.Table()), TableHasWhatItCounts, () => string.Join(" | ", limited.Table()));
    }

    private static string[] Read(HpackDecoder decoder, byte[] block, int max)
    {
        // What has been decoded is at most this large: each byte of the block is an entry of the table or 8/5 characters.
        int sizeMax = Math.Max(decoder.TableSizeMax, HpackDecoder.InitialTableSize);
        var into = new FieldBytes(max);
        var fields = new List<string>();
        int position = 0;
        HpackResult result;
        try
        {
            decoder.BeginBlock();
            while ((result = decoder.Next(block, ref position, into, out HpackField field)) == HpackResult.Field)
            {
                fields.Add(field.IsTooLong ? "too long"
                    : Encoding.Latin1.GetString(into.AsSpan(field.NameStart, field.NameLength)) + ": "
                    + Encoding.Latin1.GetString(into.AsSpan(field.ValueStart, field.ValueLength)));
                Demand();
            }
        }
        catch (Exception thrown) when (thrown is not InvariantException)
        {
            throw new InvariantException(NeverThrows, thrown.ToString());
        }
        Demand();
        InvariantException.Demand(result == HpackResult.Fault || position == block.Length, LimitsHold, () => $"ends at {position}");
        return [.. fields];

        void Demand() => InvariantException.Demand(
            into.Length <= max && decoder.TableSize <= sizeMax && fields.Count <= block.Length,
            LimitsHold,
            () => $"{into.Length} bytes in {fields.Count} fields, a table of {decoder.TableSize}");
    }

    private void CheckWriting()
    {
        var encoder = new HpackEncoder();
        var decoder = new HpackDecoder();
        byte[] target = new byte[TargetSize];
        foreach (HpackStep step in steps.Where(step => step.Block is null))
        {
            if (step.TableSize >= 0)
                decoder.TableSizeMax = encoder.TableSizeMax = Math.Min(step.TableSize, HpackEncoder.TableSizeLimit);
            int before = encoder.TableSize;
            BlockResult result = Write(encoder, step, target.AsSpan(0, step.Room), out int written);
            if (result == BlockResult.TooSmall)
            {
                InvariantException.Demand(encoder.TableSize == before && written == 0, TriesLeaveNothing, () => $"{encoder.TableSize}");
                result = Write(encoder, step, target, out written);
            }
            (string, string)[] expected = RandomFields.Sent(step.Lines);
            if (step.Status != 0)
                expected = [(":status", $"{step.Status}"), .. expected];
            InvariantException.Demand(
                result == BlockResult.Done && expected.SequenceEqual(decoder.Decode(target.AsSpan(0, written)))
                && encoder.TableSize == decoder.TableSize && encoder.TableSize <= encoder.TableSizeMax,
                RoundTrips,
                () => $"{result}: {Convert.ToHexString(target.AsSpan(0, written))}");
        }
    }

    private static BlockResult Write(HpackEncoder encoder, HpackStep step, Span<byte> target, out int written)
    {
        var fields = new FieldLines(step.Lines);
        return step.Status == 0
            ? encoder.EncodeTrailers(target, fields, out written)
            : encoder.EncodeResponse(target, step.Status, contentLength: null, fields, default, out written);
    }
}
