// Middleware's own pipe in the place of the connection's, kept away from the loop: two pumps carry its bytes to and from pipes that a
// PipeTransport may use. The pumps run where the middleware's code does.
using System.IO.Pipelines;

namespace Asgi.Server.Connections;

internal sealed class PumpedPipe : IDuplexPipe
{
    private readonly IDuplexPipe _applications;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly Action<Exception> _onFailed;
    private volatile bool _isOutputOver;
    private volatile Exception? _outputFailure;

    /// <param name="applications">The pipe that middleware has put in the place of the connection's.</param>
    /// <param name="connection">Whose loop and limits they are.</param>
    /// <param name="onFailed">Told what the pipe throws. Any thread.</param>
    public PumpedPipe(IDuplexPipe applications, Connection connection, Action<Exception> onFailed)
    {
        _applications = applications;
        _onFailed = onFailed;
        var loop = new LoopScheduler(connection.Loop, isLoops: true);

        // Little: the limits hold for the pipe behind, and what is here is on its way only.
        _input = new Pipe(new PipeOptions(
            readerScheduler: loop, writerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false));
        _output = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.ThreadPool, writerScheduler: loop, useSynchronizationContext: false));
    }

    /// <summary>The side for the loop.</summary>
    public IDuplexPipe LoopSide => this;

    PipeReader IDuplexPipe.Input => _input.Reader;

    PipeWriter IDuplexPipe.Output => _output.Writer;

    /// <summary>Pumps until both ways have ended; never fails.</summary>
    public Task RunAsync() => Task.WhenAll(PumpInputAsync(), PumpOutputAsync());

    private async Task PumpInputAsync()
    {
        Exception? failure = null;
        var reader = _applications.Input;
        try
        {
            var isOver = false;
            while (!isOver)
            {
                var read = await reader.ReadAsync().ConfigureAwait(false);
                foreach (var part in read.Buffer)
                {
                    isOver |= (await _input.Writer.WriteAsync(part).ConfigureAwait(false)).IsCompleted;
                }

                reader.AdvanceTo(read.Buffer.End);
                isOver |= read.IsCompleted || (read.IsCanceled && _isOutputOver);
            }
        }
        catch (Exception exception)
        {
            failure = exception;
            _onFailed(exception);
        }

        // HTTP must not take for an end what is none.
        await _input.Writer.CompleteAsync(failure ?? _outputFailure).ConfigureAwait(false);
        await CompleteAsync(reader.CompleteAsync).ConfigureAwait(false);
    }

    private async Task PumpOutputAsync()
    {
        var writer = _applications.Output;
        try
        {
            var isOver = false;
            while (!isOver)
            {
                var read = await _output.Reader.ReadAsync().ConfigureAwait(false);
                foreach (var part in read.Buffer)
                {
                    isOver |= (await writer.WriteAsync(part).ConfigureAwait(false)).IsCompleted;
                }

                _output.Reader.AdvanceTo(read.Buffer.End);
                isOver |= read.IsCompleted;
            }
        }
        catch (Exception exception)
        {
            _outputFailure = exception;
            _onFailed(exception);
        }

        await _output.Reader.CompleteAsync().ConfigureAwait(false);
        await CompleteAsync(writer.CompleteAsync).ConfigureAwait(false);

        // HTTP has said its last, or nobody takes it: it reads no more either.
        _isOutputOver = true;
        try
        {
            _applications.Input.CancelPendingRead();
        }
        catch (Exception exception)
        {
            _onFailed(exception);
        }
    }

    private async Task CompleteAsync(Func<Exception?, ValueTask> complete)
    {
        try
        {
            await complete(null).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _onFailed(exception);
        }
    }
}
