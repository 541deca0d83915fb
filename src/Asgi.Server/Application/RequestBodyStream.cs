// The request's content as a Stream, over the reader. The application's, one call at a time.
using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Asgi.Server.Application;

internal sealed class RequestBodyStream(RequestBodyReader reader, HostedRequest request) : BodyStream(request)
{
    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = reader.ReadAsync(cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            return AwaitRead(read, buffer, cancellationToken);
        }

        return TryCopy(read.Result, buffer.Span, out var copied)
            ? new ValueTask<int>(copied)
            : AwaitRead(reader.ReadAsync(cancellationToken), buffer, cancellationToken);
    }

    public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) =>
        reader.CopyToAsync(destination, cancellationToken);

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> AwaitRead(ValueTask<ReadResult> read, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int copied;
        while (!TryCopy(await read.ConfigureAwait(false), buffer.Span, out copied))
        {
            read = reader.ReadAsync(cancellationToken);
        }

        return copied;
    }

    // False: there was nothing, and it was not the end.
    private bool TryCopy(in ReadResult result, Span<byte> buffer, out int copied)
    {
        var content = result.Buffer;
        copied = (int)Math.Min(content.Length, buffer.Length);
        var taken = content.Slice(0, copied);
        taken.CopyTo(buffer);
        reader.AdvanceTo(taken.End);
        if (result.IsCanceled)
        {
            throw new OperationCanceledException("The read was cancelled.");
        }

        return copied > 0 || result.IsCompleted || buffer.IsEmpty;
    }
}
