// Chunked content, decoded in place. Decoding overwrites its input, so each run begins with a copy of it. Copy shows that of 16 KiB alone;
// a thousand small chunks with their sizes and ends are 22 KiB.

using System.Text;
using Asgi.Server.Protocols.Http1;
using BenchmarkDotNet.Attributes;

namespace Asgi.Server.Micro;

[MemoryDiagnoser]
public class ChunkDecoding
{
    private const int ContentLength = 16 * 1024;
    private readonly byte[] _large = Encode(4096);
    private readonly byte[] _small = Encode(16);
    private readonly byte[] _buffer = new byte[4 * ContentLength];

    [Benchmark(Baseline = true), Yields(ContentLength)]
    public int Copy()
    {
        _large.AsSpan(0, ContentLength).CopyTo(_buffer);
        return ContentLength;
    }

    [Benchmark, Yields(ContentLength)]
    public int FourLargeChunks() => Decode(_large);

    [Benchmark, Yields(ContentLength)]
    public int ThousandSmallChunks() => Decode(_small);

    private int Decode(byte[] chunked)
    {
        chunked.CopyTo(_buffer, 0);
        var decoder = default(ChunkedDecoder);
        var fault = decoder.Decode(_buffer.AsSpan(0, chunked.Length), Http1Limits.Default, out int consumed, out int content);
        return fault is null && decoder.IsComplete && consumed == chunked.Length ? content : -1;
    }

    private static byte[] Encode(int chunkLength)
    {
        var text = new StringBuilder();
        for (int written = 0; written < ContentLength; written += chunkLength)
            text.Append($"{chunkLength:x}\r\n").Append('a', chunkLength).Append("\r\n");
        return Messages.Bytes(text.Append("0\r\n").ToString());
    }
}
