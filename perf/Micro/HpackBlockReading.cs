// Header blocks of HTTP/2 requests to the bytes of their fields. A connection's second request and all later ones are measured: what came
// before stands in the table.

using Asgi.Server.Protocols.Http2.Hpack;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class HpackBlockReading
{
    private static readonly (string Name, string Value)[] H2load =
    [
        (":path", "/plaintext"), (":scheme", "http"), (":authority", "127.0.0.1:5000"), (":method", "GET"),
        ("user-agent", "h2load nghttp2/1.64.0"),
    ];

    private static readonly (string Name, string Value)[] Browser =
    [
        (":method", "GET"), (":authority", "www.example.org"), (":scheme", "https"), (":path", "/articles/2026/11?sort=newest&page=2"),
        .. Messages.Browser.Split("\r\n", StringSplitOptions.RemoveEmptyEntries)[3..]
            .Select(line => (line[..line.IndexOf(':')].ToLowerInvariant(), line[(line.IndexOf(':') + 2)..])),
    ];

    private readonly FieldBytes _bytes = new(32 * 1024);
    private readonly Connection _h2load = new(H2load);
    private readonly Connection _browser = new(Browser);

    public int H2loadLength => LengthOf(H2load);

    public int BrowserLength => LengthOf(Browser);

    [GlobalSetup]
    public void SetUp()
    {
        _h2load.Read(_h2load.FirstBlock, _bytes);
        _browser.Read(_browser.FirstBlock, _bytes);
    }

    [Benchmark(Baseline = true), Yields(nameof(H2loadLength))]
    public int H2loadRequest() => _h2load.Read(_h2load.LaterBlock, _bytes);

    [Benchmark, Yields(nameof(BrowserLength))]
    public int BrowserRequest() => _browser.Read(_browser.LaterBlock, _bytes);

    /// <summary>All names and values spelled out, Huffman-coded: the first request of a connection, without its table.</summary>
    [Benchmark, Yields(nameof(BrowserLength))]
    public int BrowserRequestSpelledOut() => _browser.Read(_browser.SpelledOutBlock, _bytes);

    private static int LengthOf((string Name, string Value)[] fields) => fields.Sum(field => field.Name.Length + field.Value.Length);

    private sealed class Connection
    {
        private readonly HpackDecoder _decoder = new();

        public Connection((string Name, string Value)[] fields)
        {
            FirstBlock = Literals(Indexing.Incremental, fields);
            SpelledOutBlock = Literals(Indexing.Without, fields);
            LaterBlock = [.. fields.Select((_, i) => (byte)(0x80 | (StaticTable.Count + fields.Length - i)))];
            for (int i = 0; i < fields.Length; i++)
            {
                int index = Array.IndexOf(StaticTable.Fields, fields[i]) + 1;
                if (index > 0)
                    LaterBlock[i] = (byte)(0x80 | index);
            }
        }

        public byte[] FirstBlock { get; }

        public byte[] LaterBlock { get; }

        public byte[] SpelledOutBlock { get; }

        public int Read(byte[] block, FieldBytes into)
        {
            into.Clear();
            _decoder.BeginBlock();
            int position = 0;
            HpackResult result;
            do
            {
                result = _decoder.Next(block, ref position, into, out _);
            }
            while (result == HpackResult.Field);
            return result == HpackResult.End ? into.Length : -1;
        }

        private static byte[] Literals(Indexing indexing, (string Name, string Value)[] fields)
        {
            byte[] block = new byte[4096];
            var writer = new BlockWriter(block);
            foreach ((string name, string value) in fields)
            {
                writer.WriteLiteral(indexing, nameIndex: 0);
                writer.WriteName(name);
                writer.TryWriteValue(value);
            }
            return block[..writer.Length];
        }
    }
}
