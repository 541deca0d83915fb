// A connection as a pair of pipes, for connection middleware: what the client sends goes into one, what the middleware writes comes out of
// the other. HTTP, when the middleware asks for it, is a connection of its own over the pipe (PipedDriver.Http.cs). On the thread of the
// connection's loop; the application's side is in PipedDriver.Application.cs.
using System.Buffers;
using System.IO.Pipelines;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Asgi.Server.Connections;

internal sealed partial class PipedDriver : ConnectionDriver
{
    private readonly Connection _connection;
    private readonly IPipedApplication _application;
    private readonly Func<Connection, ConnectionDriver> _createHttp;
    private readonly LoopScheduler _applicationSide;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly Action _onInputFlushed;
    private readonly Action _onOutputRead;
    private readonly long _unsentMax;
    private PipeWait<FlushResult> _inputFlush;
    private PipeWait<ReadResult> _outputRead;
    private bool _isInputFull;
    private bool _isInputEnded;
    private bool _isAwaitingOutput;
    private bool _isApplicationOver;

    /// <param name="connection">The connection, which has a socket.</param>
    /// <param name="application">The middleware.</param>
    /// <param name="createHttp">What runs when the middleware asks for HTTP.</param>
    public PipedDriver(Connection connection, IPipedApplication application, Func<Connection, ConnectionDriver> createHttp)
    {
        _connection = connection;
        _application = application;
        _createHttp = createHttp;
        _applicationSide = new LoopScheduler(connection.Loop, isLoops: false);
        var loopSide = new LoopScheduler(connection.Loop, isLoops: true);
        _input = new Pipe(Options(connection.Limits.RequestBufferSizeMax, reader: _applicationSide, writer: loopSide));
        _output = new Pipe(Options(connection.Limits.ResponseBufferSizeMax, reader: loopSide, writer: _applicationSide));
        _unsentMax = Math.Max(connection.Limits.ResponseBufferSizeMax ?? long.MaxValue, 1);
        _onInputFlushed = OnInputFlushed;
        _onOutputRead = OnOutputRead;
        Pipe = new DuplexPipe(_input.Reader, _output.Writer);
    }

    public Connection Connection => _connection;

    public override bool WantsInput => !_isInputFull && !_isInputEnded;

    public override bool UsesInput => false;

    /// <summary>Bytes that HTTP has written and the client has not acknowledged, as far as they are known of.</summary>
    public long UnacknowledgedLength => _connection.Output.Length
        + (_connection.State < ConnectionState.Closed ? _connection.Transport.UnacknowledgedLength : 0);

    public override void OnStarted()
    {
        new ConnectionCall(_connection, () => _application.RunAsync(this), OnApplicationEnded).Begin();
        TakeOutput();
    }

    public override void OnReceived()
    {
        var input = _connection.Input;
        _input.Writer.Write(input.Raw);
        input.SkipRaw(input.RawLength);
        input.ReleaseIfUnused();
        if (!TryFlushInput())
        {
            _isInputFull = true;
            _inputFlush.OnCompleted(_onInputFlushed);
        }
    }

    public override void OnEndOfInput() => EndInput(null);

    public override void OnPeerShutdown() => _http?.OnPeerShutdown();

    public override void OnSent()
    {
        if (!_isAwaitingOutput && _connection.Output.Length <= _unsentMax / 2)
        {
            TakeOutput();
        }
    }

    public override void OnDeadline(long nowMilliseconds)
    {
    }

    /// <summary>Its token has said so already; HTTP is told by the call.</summary>
    public override void ShutDown() => _httpConnection?.ShutDown(_connection.ShutDownReason);

    public override void OnClosed()
    {
        // FIN may have come already while bytes before it have not: without its end the input is cut.
        EndInput(_isInputEnded ? null : _reason ?? new ConnectionResetException(ResetMessage));
        _output.Reader.Complete();
        _http?.OnBroken();
        if (_isApplicationOver)
        {
            _connection.Release();
        }
    }

    private const string ResetMessage = "The client reset the connection, or the server closed it.";

    private static PipeOptions Options(long? bytesMax, PipeScheduler reader, PipeScheduler writer)
    {
        // Pipes know "no limit" as 0; a limit of 0 means the least.
        var max = bytesMax is { } limit ? Math.Max(limit, 1) : 0;
        return new PipeOptions(
            readerScheduler: reader,
            writerScheduler: writer,
            pauseWriterThreshold: max,
            resumeWriterThreshold: Math.Max(max / 2, 1),
            useSynchronizationContext: false);
    }

    private void EndInput(Exception? reason)
    {
        _isInputEnded = true;
        _input.Writer.Complete(reason);
    }

    private void OnInputFlushed() => _connection.Guard(this, static driver =>
    {
        driver.TakeInputFlush();
        driver._connection.ReceiveLater();
    });

    // False when so much waits for the application that it has to read first.
    private bool TryFlushInput()
    {
        try
        {
            _inputFlush = new PipeWait<FlushResult>(_input.Writer.FlushAsync());
            if (!_inputFlush.IsCompleted)
            {
                return false;
            }

            _isInputEnded |= _inputFlush.Take().IsCompleted;
        }
        catch (Exception)
        {
            // The application has completed its input, and given a reason.
            _isInputEnded = true;
        }

        return true;
    }

    private void TakeInputFlush()
    {
        _isInputFull = false;
        try
        {
            _isInputEnded |= _inputFlush.Take().IsCompleted;
        }
        catch (Exception)
        {
            // As above, while the loop waited.
            _isInputEnded = true;
        }
    }

    private void OnOutputRead() => _connection.Guard(this, static driver =>
    {
        driver._isAwaitingOutput = false;
        if (driver._connection.State == ConnectionState.Open && driver.TryTake())
        {
            driver.TakeOutput();
        }
    });

    // Moves what the application has written to the connection, until it is as much as may wait there.
    private void TakeOutput()
    {
        while (_connection.State == ConnectionState.Open && _connection.Output.Length < _unsentMax)
        {
            try
            {
                _outputRead = new PipeWait<ReadResult>(_output.Reader.ReadAsync());
            }
            catch (Exception exception)
            {
                FailOutput(exception);
                return;
            }

            if (!_outputRead.IsCompleted)
            {
                _isAwaitingOutput = true;
                _outputRead.OnCompleted(_onOutputRead);
                return;
            }

            if (!TryTake())
            {
                return;
            }
        }
    }

    // False when nothing more is to come.
    private bool TryTake()
    {
        ReadResult result;
        try
        {
            result = _outputRead.Take();
        }
        catch (Exception exception)
        {
            FailOutput(exception);
            return false;
        }

        var taken = Take(result.Buffer);
        var isEnd = result.IsCompleted && taken.Equals(result.Buffer.End);
        _output.Reader.AdvanceTo(taken);
        if (isEnd)
        {
            EndOutput();
        }

        return !isEnd;
    }

    // The application has completed its output with an error: what is cut must not look whole.
    private void FailOutput(Exception exception)
    {
        _reason ??= exception;
        _connection.Abort(ConnectionEndReason.AbortedByApp);
    }

    private SequencePosition Take(ReadOnlySequence<byte> bytes)
    {
        var rest = bytes;
        while (rest.Length > 0 && _connection.Output.Length < _unsentMax)
        {
            var block = _connection.Loop.Blocks.Rent();
            var length = (int)Math.Min(rest.Length, block.Size);
            rest.Slice(0, length).CopyTo(block.Array);
            _connection.Output.Append(new OutputRange(block, 0, length, Give: true));
            rest = rest.Slice(length);
        }

        if (rest.Length < bytes.Length)
        {
            _connection.FlushLater();
        }

        return rest.Start;
    }

    // No more is written: FIN, behind what was. What the client still sends is thrown away, as its reader is told.
    private void EndOutput()
    {
        _hasEndedOutput = true;
        EndInput(null);

        // HTTP watched how its client takes what is left, and does not any more.
        _connection.SendRateMin = _httpConnection is { } http ? http.SendRateMin : _connection.Limits.ResponseRateMin;
        _connection.CloseAfterSend(mustLinger: true, ConnectionEndReason.ResponseNoKeepAlive);
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
