// The request's content as a PipeReader: a thin cover over the exchange's receive. The application's, one call at a time.
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Application;

/// <param name="exchange">Whose content it is.</param>
/// <param name="request">The request it belongs to.</param>
/// <param name="isStopped">Whether the request is over already.</param>
internal sealed class RequestBodyReader(HttpExchange exchange, HostedRequest request, bool isStopped) : PipeReader
{
    private bool _isCompleted;
    private bool _isStopped = isStopped;

    public void Reset()
    {
        _isCompleted = false;
        _isStopped = false;
    }

    /// <summary>The request is over.</summary>
    public void Stop() => _isStopped = true;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        DemandReadable();
        var receive = exchange.ReceiveAsync(cancellationToken);
        return receive.IsCompletedSuccessfully ? new ValueTask<ReadResult>(ToResult(receive.Result)) : AwaitRead(receive);
    }

    public override bool TryRead(out ReadResult result)
    {
        DemandReadable();
        if (!exchange.TryReceive(out var body))
        {
            result = default;
            return false;
        }

        result = ToResult(body);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_isStopped)
        {
            exchange.AdvanceTo(consumed, examined);
        }
    }

    public override void CancelPendingRead()
    {
        if (!_isStopped)
        {
            exchange.CancelReceive();
        }
    }

    public override void Complete(Exception? exception = null) => _isCompleted = true;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> AwaitRead(ValueTask<RequestBody> receive) => ToResult(await receive.ConfigureAwait(false));

    private ReadResult ToResult(in RequestBody body)
    {
        if (body.IsDisconnect)
        {
            if (body.Fault is not { } fault)
            {
                throw new ConnectionResetException("The client has disconnected.");
            }

            throw request.BadRequestError = new BadHttpRequestException(fault.Message, fault.Status);
        }

        return new ReadResult(body.Body, body.IsCanceled, isCompleted: !body.MoreBody);
    }

    private void DemandReadable()
    {
        ObjectDisposedException.ThrowIf(_isStopped, this);
        if (_isCompleted)
        {
            throw new InvalidOperationException("Reading is not allowed after reader was completed.");
        }
    }
}
