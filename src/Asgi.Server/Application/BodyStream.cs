// What the streams handed to applications have in common: bytes go by once, and synchronous calls are refused unless the application allows
// them for the request. One that has to wait gives its loop to another thread first, since the loop moves what it waits for. Base of the
// streams of content; any thread.
using System.Buffers;

namespace Asgi.Server.Application;

internal abstract class BodyStream(HostedRequest request) : Stream
{
    public sealed override bool CanSeek => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public sealed override int Read(byte[] buffer, int offset, int count)
    {
        Demand(CanRead, nameof(ReadAsync));
        ValidateBufferArguments(buffer, offset, count);
        return request.BlockOn(ReadAsync(buffer.AsMemory(offset, count)));
    }

    public sealed override int Read(Span<byte> buffer)
    {
        Demand(CanRead, nameof(ReadAsync));
        var rented = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            var read = request.BlockOn(ReadAsync(rented.AsMemory(0, buffer.Length)));
            rented.AsSpan(0, read).CopyTo(buffer);
            return read;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public sealed override void Write(byte[] buffer, int offset, int count)
    {
        Demand(CanWrite, nameof(WriteAsync));
        ValidateBufferArguments(buffer, offset, count);
        request.BlockOn(WriteAsync(buffer.AsMemory(offset, count)));
    }

    public sealed override void Write(ReadOnlySpan<byte> buffer)
    {
        Demand(CanWrite, nameof(WriteAsync));
        var rented = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            buffer.CopyTo(rented);
            request.BlockOn(WriteAsync(rented.AsMemory(0, buffer.Length)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public override void Flush()
    {
        Demand(CanWrite, nameof(FlushAsync));
        request.BlockOn(new ValueTask(FlushAsync()));
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    // The framework's usual words.
    private void Demand(bool isSupported, string instead)
    {
        if (!isSupported)
        {
            throw new NotSupportedException();
        }

        if (!request.AllowsSynchronousIO)
        {
            throw new InvalidOperationException(
                $"Synchronous operations are disallowed. Call {instead} or set AllowSynchronousIO to true instead.");
        }
    }
}
