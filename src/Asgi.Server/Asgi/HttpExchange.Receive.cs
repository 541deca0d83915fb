// The receiving half of an exchange: content lent to the application, and the wait for more. Called by the application, on any thread;
// waits are completed from the ready list.
using System.Buffers;

namespace Asgi;

public sealed partial class HttpExchange
{
    private Promise<RequestBody>? _receive;
    private CancellationTokenRegistration _receiveCancellation;
    private ReadOnlySequence<byte> _lent;
    private bool _isLent;

    /// <summary>
    /// Receives content: ASGI's <c>receive</c>. Completes when there is content that was not examined yet, at its end, or on disconnect.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait with <see cref="OperationCanceledException"/>; the content is not lost.</param>
    /// <exception cref="InvalidOperationException">
    /// The last content received was not released by <see cref="AdvanceTo(SequencePosition, SequencePosition)"/>.
    /// </exception>
    public ValueTask<RequestBody> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        if (_isLent)
        {
            throw new InvalidOperationException("The content received last must be released by AdvanceTo before more is received.");
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (_stream.TryReceive(out var body))
        {
            Lend(body);
            return new ValueTask<RequestBody>(body);
        }

        // The wait is armed last: once it is, another thread may complete it.
        _receive ??= new Promise<RequestBody>();
        var receive = new ValueTask<RequestBody>(_receive, _receive.Begin());
        if (cancellationToken.CanBeCanceled)
        {
            _receiveCancellation = cancellationToken.UnsafeRegister(
                static stream => ((HttpStream)stream!).EndCanceledWait(), _stream);
        }

        _stream.AwaitContent(cancellationToken);
        return receive;
    }

    /// <summary>Releases received content: it is consumed up to one position and was examined up to another.</summary>
    /// <param name="consumed">What lies before is not received again.</param>
    /// <param name="examined">A receive waits for content behind this position.</param>
    /// <exception cref="InvalidOperationException">Nothing was received.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A position lies outside the content received, or consumed behind examined.</exception>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_isLent)
        {
            throw new InvalidOperationException("There is no received content to release.");
        }

        var length = _lent.Length;
        var consumedLength = consumed.Equals(_lent.End) ? length : LengthTo(consumed);
        var examinedLength = examined.Equals(_lent.End) ? length : LengthTo(examined);
        ArgumentOutOfRangeException.ThrowIfLessThan(examinedLength, consumedLength, nameof(examined));
        _isLent = false;
        _lent = default;
        _stream.AdvanceTo(consumedLength, examinedLength);
    }

    /// <summary>Ends a receive under way, or the next one. Any thread.</summary>
    internal void CancelReceive() => _stream.CancelReceive();

    /// <summary>What a receive would complete with at once.</summary>
    internal bool TryReceive(out RequestBody body)
    {
        if (_isLent || !_stream.TryReceive(out body))
        {
            body = default;
            return false;
        }

        Lend(body);
        return true;
    }

    /// <summary>Ends the receive that waits. From the ready list.</summary>
    internal void CompleteReceive(in RequestBody body)
    {
        var token = _receiveCancellation.Token;
        _receiveCancellation.Unregister();
        _receiveCancellation = default;
        if (body.IsCanceled && token.IsCancellationRequested)
        {
            _receive!.SetException(new OperationCanceledException(token));
            return;
        }

        Lend(body);
        _receive!.SetResult(body);
    }

    private void Lend(in RequestBody body)
    {
        _isLent = !body.IsDisconnect;
        _lent = body.Body;
    }

    private long LengthTo(SequencePosition position) => _lent.GetOffset(position) - _lent.GetOffset(_lent.Start);

    private void ResetReceive()
    {
        _isLent = false;
        _lent = default;
    }
}
