// Content that is sent while the response is read: what HttpClient has of its own is sent whole first. Made by tests.

using System.Net;

namespace Asgi.Server.Parity.Tests;

internal sealed class DuplexContent(byte[] bytes, bool hasLength) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(bytes).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return hasLength;
    }
}
