// Both directions of an upgraded connection as one stream of raw bytes. The application's; reading and writing may go on at the same time.
using System.Buffers;

namespace Asgi.Server.Application;

internal sealed class UpgradedStream(HttpExchange exchange, RequestBodyStream body, HostedRequest request) : BodyStream(request)
{
    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        body.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        body.ReadAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        exchange.Write(buffer.Span);
        return exchange.FlushAsync(cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => exchange.FlushAsync(cancellationToken).AsTask();
}
