// HPACK against an implementation that shares nothing with ours, Python's hpack: hundreds of blocks of one connection in each direction,
// with settings between them. Each line of the conversation is a setting ("S 100"), or a block or its fields in hexadecimal.

using System.Text;
using Asgi.Server.Protocols.Http2.Hpack;
using Asgi.Server.Testing.Hpack;

namespace Asgi.Server.Clients.Tests;

public class PythonHpackTests
{
    private const int Blocks = 400;

    // A field is name=value, and ends in "!" if it is never to be indexed.
    private const string Decoding = """
        import sys, hpack
        decoder = hpack.Decoder(max_header_list_size=1 << 24)
        for line in sys.stdin:
            kind, _, rest = line.strip().partition(' ')
            if kind == 'S':
                decoder.max_allowed_table_size = int(rest)
                continue
            fields = decoder.decode(bytes.fromhex(rest), raw=True)
            print(' '.join(f'{f[0].hex()}={f[1].hex()}' + ('' if f.indexable else '!') for f in fields), decoder.header_table._current_size)
        """;

    private const string Encoding = """
        import sys, hpack
        encoder = hpack.Encoder()
        for line in sys.stdin:
            kind, _, rest = line.strip().partition(' ')
            if kind == 'S':
                encoder.header_table_size = int(rest)
                continue
            fields = []
            for field in rest.split():
                name, _, value = field.rstrip('!').partition('=')
                fields.append((bytes.fromhex(name), bytes.fromhex(value), field.endswith('!')))
            print(encoder.encode(fields, huffman=kind == 'H').hex(), encoder.header_table._current_size)
        """;

    [PythonTheory("hpack")]
    [InlineData(1, 4096)]
    [InlineData(2, 4096)]
    [InlineData(3, 400)]
    public async Task Python_reads_what_we_write(int seed, int sizeMax)
    {
        var random = new Random(seed);
        var encoder = new HpackEncoder();
        var input = new StringBuilder();
        var expected = new List<string>();
        var target = new byte[64 * 1024];
        for (var i = 0; i < Blocks; i++)
        {
            while (random.Next(20) == 0)
            {
                encoder.TableSizeMax = random.Next(sizeMax + 1);
                input.Append("S ").Append(encoder.TableSizeMax).Append('\n');
            }

            var lines = RandomFields.Draw(random);
            var status = random.Next(3) == 0 ? random.Next(200, 210) : 200;
            var date = $"Sat, 21 Nov 2026 12:00:{i / 10 % 60:00} GMT";
            var defaults = new DefaultFieldValues { Date = System.Text.Encoding.ASCII.GetBytes(date) };
            var result = encoder.EncodeResponse(target, status, i, new FieldLines(lines), defaults, out var written);
            Assert.Equal(BlockResult.Done, result);
            input.Append("B ").Append(Convert.ToHexString(target.AsSpan(0, written))).Append('\n');

            (string, string)[] sent =
                [(":status", $"{status}"), ("date", date), ("content-length", $"{i}"), .. RandomFields.Sent(lines)];
            expected.Add($"{string.Join(' ', sent.Select(WithoutSecrets))} {encoder.TableSize}".Trim());
        }

        Assert.Equal(expected, await AskAsync(Decoding, input));

        static string WithoutSecrets((string Name, string Value) field) =>
            Hex(field.Name, field.Value) + (FieldRules.Find(field.Name) is { Indexing: Indexing.Never } ? "!" : "");
    }

    [PythonTheory("hpack")]
    [InlineData(1, 4096)]
    [InlineData(2, 16384)]
    [InlineData(3, 400)]
    public async Task We_read_what_Python_writes(int seed, int sizeMax)
    {
        var random = new Random(seed);
        var input = new StringBuilder();
        var expected = new List<(int[] Sizes, string Fields)>();
        for (var i = 0; i < Blocks; i++)
        {
            int[] sizes = random.Next(20) == 0 ? [random.Next(sizeMax + 1)] : [];
            if (sizes is [var smallest] && random.Next(2) == 0)
            {
                sizes = [smallest, random.Next(smallest, sizeMax + 1)];
            }

            input.Append(string.Concat(sizes.Select(size => $"S {size}\n")));
            // The name of the secret is no other field's: what is in its table Python sends as an index, secret or not.
            var fields = RandomFields.Draw(random).Select(line => Hex(line.Name.ToLowerInvariant(), line.Value)).ToList();
            fields.Insert(random.Next(fields.Count + 1), Hex("x-secret", $"{random.Next(100)}") + "!");
            var text = string.Join(' ', fields);
            input.Append(random.Next(3) == 0 ? "P " : "H ").Append(text).Append('\n');
            expected.Add((sizes, text));
        }

        var decoder = new HpackDecoder();
        var blocks = await AskAsync(Encoding, input);
        Assert.Equal(Blocks, blocks.Length);
        foreach (var ((sizes, fields), answer) in expected.Zip(blocks))
        {
            foreach (var size in sizes)
            {
                decoder.TableSizeMax = size;
            }

            var space = answer.LastIndexOf(' ');
            var block = Convert.FromHexString(answer.AsSpan(0, Math.Max(space, 0)));
            Assert.Equal(fields, Read(decoder, block));
            Assert.Equal(answer[(space + 1)..], $"{decoder.TableSize}");
        }
    }

    private static string Read(HpackDecoder decoder, byte[] block)
    {
        var into = new FieldBytes(64 * 1024);
        var fields = new List<string>();
        var position = 0;
        HpackResult result;
        decoder.BeginBlock();
        while ((result = decoder.Next(block, ref position, into, out var field)) == HpackResult.Field)
        {
            fields.Add(Convert.ToHexStringLower(into.AsSpan(field.NameStart, field.NameLength)) + "="
                + Convert.ToHexStringLower(into.AsSpan(field.ValueStart, field.ValueLength)) + (field.IsNeverIndexed ? "!" : ""));
        }

        Assert.Equal((HpackResult.End, null), (result, decoder.Fault));
        return string.Join(' ', fields);
    }

    private static string Hex(string name, string value) =>
        $"{Convert.ToHexStringLower(System.Text.Encoding.ASCII.GetBytes(name))}="
        + Convert.ToHexStringLower(System.Text.Encoding.ASCII.GetBytes(value));

    private static async Task<string[]> AskAsync(string script, StringBuilder input)
    {
        var client = await ClientProcess.RunAsync(
            Python.Program, System.Text.Encoding.ASCII.GetBytes(input.ToString()), ["-c", script]);
        return client.Succeeded.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim()).ToArray();
    }
}
