// The response's content as a Stream: a write is a write and a flush. The application's, one call at a time.
namespace Asgi.Server.Application;

internal sealed class ResponseBodyStream(ResponseBodyWriter writer, HostedRequest request) : BodyStream(request)
{
    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        var flush = writer.FlushAsync(cancellationToken);
        return flush.IsCompletedSuccessfully ? Task.CompletedTask : flush.AsTask();
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var write = writer.WriteAsync(buffer, cancellationToken);
        return write.IsCompletedSuccessfully ? ValueTask.CompletedTask : new ValueTask(write.AsTask());
    }
}
