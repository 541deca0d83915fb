// The stream under SslStream: whole records in, ciphertext out, all in memory. Either the loop has it or SslStream does. While a read waits
// for a record the loop has it, fills the input and takes what was written; from the completion of that read until the next one waits, or
// until the step is over, SslStream has it, on whatever thread its callbacks went to. No lock is needed: each side lets go first.
using System.Threading.Tasks.Sources;
using Asgi.Server.Loops;

namespace Asgi.Server.Connections;

internal sealed class TlsWire : Stream, IValueTaskSource<int>
{
    private readonly Loop _loop;
    private ManualResetValueTaskSourceCore<int> _read;
    private Memory<byte> _target;
    private volatile bool _isReadWaiting;
    private bool _isEnded;
    private volatile bool _isBroken;

    public TlsWire(Loop loop)
    {
        _loop = loop;
        Input = new TlsInput(loop.Blocks);
        Written = new TlsOutput(loop.Blocks);
    }

    /// <summary>What was received.</summary>
    public TlsInput Input { get; }

    /// <summary>What was written while there is no <see cref="Sink"/>, for the loop to take when it has the wire.</summary>
    public TlsOutput Written { get; }

    /// <summary>Where ciphertext goes at once; null while SslStream may be on another thread. Set on the loop.</summary>
    public ITlsSink? Sink { get; set; }

    /// <summary>
    /// Called on the loop when a read has begun to wait, where SslStream may be on another thread; null: it is on the loop, and who has let
    /// it go on there sees that. Set on the loop.
    /// </summary>
    public Action? OnWaiting { get; set; }

    /// <summary>Whether SslStream waits for a record, and the loop has the wire. Any thread.</summary>
    public bool IsReadWaiting => _isReadWaiting;

    /// <summary>Whether what a read waits for is there. Loop thread, while a read waits.</summary>
    public bool CanCompleteRead => Input.HasRecord || _isEnded || _isBroken;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>No more bytes come. Loop thread, while it has the wire.</summary>
    public void End() => _isEnded = true;

    /// <summary>The connection is gone: reads and writes fail. Any thread.</summary>
    public void Break() => _isBroken = true;

    /// <summary>
    /// From here on SslStream has the wire: the read that waits is about to be completed, perhaps on another thread, which must not find
    /// the loop at it still. Loop thread.
    /// </summary>
    public void GiveAway() => _isReadWaiting = false;

    /// <summary>
    /// Completes the read that waits: SslStream goes on, inside this call, until it waits again or its step is over. Whoever the loop lets.
    /// </summary>
    public void CompleteRead()
    {
        _isReadWaiting = false;
        if (_isBroken)
        {
            _read.SetException(new IOException("The connection is closed."));
        }
        else
        {
            _read.SetResult(Input.Read(_target.Span));
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isBroken)
        {
            return ValueTask.FromException<int>(new IOException("The connection is closed."));
        }

        if (Input.HasRecord || _isEnded)
        {
            return new ValueTask<int>(Input.Read(buffer.Span));
        }

        _target = buffer;
        _read.Reset();
        var token = _read.Version;
        _isReadWaiting = true;
        if (OnWaiting is { } onWaiting)
        {
            _loop.Post(new Waiting(onWaiting));
        }

        return new ValueTask<int>(this, token);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isBroken)
        {
            return ValueTask.FromException(new IOException("The connection is closed."));
        }

        if (Sink is { } sink)
        {
            sink.Write(buffer.Span);
        }
        else
        {
            Written.Write(buffer.Span, isOnLoop: OnWaiting is null);
        }

        return ValueTask.CompletedTask;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A loop does not wait.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A loop does not wait.");

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private sealed class Waiting(Action onWaiting) : WorkItem
    {
        public override void Run() => onWaiting();
    }
}

/// <summary>Takes ciphertext. Loop thread.</summary>
internal interface ITlsSink
{
    void Write(ReadOnlySpan<byte> ciphertext);
}
