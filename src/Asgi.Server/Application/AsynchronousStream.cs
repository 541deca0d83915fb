// What the streams handed to applications have in common: bytes go by once, and synchronous calls are refused, as they would block the loop
// that has to move what they wait for. Base of the streams of content; any thread.
namespace Asgi.Server.Application;

internal abstract class AsynchronousStream : Stream
{
    public sealed override bool CanSeek => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => throw Refused(CanRead, nameof(ReadAsync));

    public sealed override int Read(Span<byte> buffer) => throw Refused(CanRead, nameof(ReadAsync));

    public sealed override void Write(byte[] buffer, int offset, int count) => throw Refused(CanWrite, nameof(WriteAsync));

    public sealed override void Write(ReadOnlySpan<byte> buffer) => throw Refused(CanWrite, nameof(WriteAsync));

    public override void Flush() => throw Refused(CanWrite, nameof(FlushAsync));

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    // The framework's usual words.
    private static Exception Refused(bool isSupported, string instead) => isSupported
        ? new InvalidOperationException($"Synchronous operations are disallowed. Call {instead} instead.")
        : new NotSupportedException();
}
