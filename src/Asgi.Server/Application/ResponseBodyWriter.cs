// The response's content as a PipeWriter: a thin cover over the exchange's buffer writer. The application's, one call at a time.
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Asgi.Server.Application;

internal sealed class ResponseBodyWriter(HttpExchange exchange, HostedRequest request) : PipeWriter
{
    private bool _isCompleted;
    private bool _isStopped;
    private bool _isFlushCanceled;
    private long _unflushed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    public void Reset()
    {
        _isCompleted = false;
        _isStopped = false;
        _isFlushCanceled = false;
        _unflushed = 0;
    }

    /// <summary>The request is over.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>The response is complete; the request goes on.</summary>
    public void MarkCompleted() => _isCompleted = true;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        DemandWritable();
        return exchange.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        DemandWritable();
        exchange.Advance(bytes);
        _unflushed += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        DemandWritable();
        cancellationToken.ThrowIfCancellationRequested();
        var start = request.EnsureStartedAsync();
        if (!start.IsCompletedSuccessfully)
        {
            return AwaitStartAndFlush(start, cancellationToken);
        }

        _unflushed = 0;
        var flush = exchange.FlushAsync(cancellationToken);
        return flush.IsCompletedSuccessfully ? new ValueTask<FlushResult>(TakeResult()) : AwaitFlush(flush);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        DemandWritable();
        cancellationToken.ThrowIfCancellationRequested();
        var start = request.EnsureStartedAsync();
        if (!start.IsCompletedSuccessfully)
        {
            return AwaitStartAndWrite(start, source, cancellationToken);
        }

        exchange.WriteContent(source.Span, isLast: false);
        return FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        if (!_isStopped)
        {
            _isFlushCanceled = true;
            exchange.CancelFlush();
        }
    }

    public override void Complete(Exception? exception = null)
    {
        if (_isCompleted || _isStopped)
        {
            return;
        }

        if (exception is not null)
        {
            request.FailResponse(exception);
            return;
        }

        var complete = request.CompleteResponseAsync();
        if (!complete.IsCompleted)
        {
            throw new InvalidOperationException("A callback of OnStarting is asynchronous: call CompleteAsync instead.");
        }

        complete.GetAwaiter().GetResult();
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        if (exception is null && !_isCompleted && !_isStopped)
        {
            return new ValueTask(request.CompleteResponseAsync());
        }

        Complete(exception);
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> AwaitFlush(ValueTask flush)
    {
        await flush.ConfigureAwait(false);
        return TakeResult();
    }

    private async ValueTask<FlushResult> AwaitStartAndFlush(ValueTask start, CancellationToken cancellationToken)
    {
        await start.ConfigureAwait(false);
        return await FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<FlushResult> AwaitStartAndWrite(
        ValueTask start, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        await start.ConfigureAwait(false);
        return await WriteAsync(source, cancellationToken).ConfigureAwait(false);
    }

    private FlushResult TakeResult()
    {
        var isCanceled = _isFlushCanceled;
        _isFlushCanceled = false;
        return new FlushResult(isCanceled, isCompleted: false);
    }

    /// <summary>Demands that the response is neither complete nor over.</summary>
    public void DemandWritable()
    {
        ObjectDisposedException.ThrowIf(_isStopped, typeof(PipeWriter));
        if (_isCompleted)
        {
            throw new InvalidOperationException("Writing is not allowed after writer was completed.");
        }
    }
}
