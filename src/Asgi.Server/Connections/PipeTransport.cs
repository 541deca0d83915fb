// A transport over a pipe instead of a socket, for HTTP behind connection middleware: receives and sends never block, and readiness comes
// as from a backend, edge-triggered. The pipe's own continuations are posted to the loop (LoopScheduler), so everything is on its thread.
using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Asgi.Server.Loops;
using Asgi.Server.Loops.Interop;

namespace Asgi.Server.Connections;

internal sealed class PipeTransport : Transport
{
    /// <summary>Bytes of one send at most: the pipe says only afterwards that it is full.</summary>
    public const int SendLengthMax = 64 * 1024;

    private readonly PipedDriver _driver;
    private readonly IDuplexPipe _pipe;
    private readonly Action _onRead;
    private readonly Action _onFlushed;
    private readonly ReadAtOnce _readAtOnce;
    private ITransportHandler? _handler;
    private PipeWait<ReadResult> _read;
    private PipeWait<FlushResult> _flush;
    private bool _isReading;
    private bool _isFlushing;
    private bool _isFailed;
    private bool _isClosed;

    public PipeTransport(PipedDriver driver, IDuplexPipe pipe, EndPoint? remoteEndPoint, EndPoint? localEndPoint)
    {
        _driver = driver;
        _pipe = pipe;
        RemoteEndPoint = remoteEndPoint;
        LocalEndPoint = localEndPoint;
        _onRead = OnRead;
        _onFlushed = OnFlushed;
        _readAtOnce = new ReadAtOnce(this);
    }

    public override EndPoint? RemoteEndPoint { get; }

    public override EndPoint? LocalEndPoint { get; }

    public override long UnacknowledgedLength => _driver.UnacknowledgedLength;

    public void Attach(ITransportHandler handler)
    {
        _handler = handler;
        AwaitRead();
    }

    public override TransportResult Receive(Span<byte> buffer)
    {
        if (_isReading)
        {
            return TransportResult.WouldBlock;
        }

        try
        {
            if (!_pipe.Input.TryRead(out var result))
            {
                AwaitRead();
                return TransportResult.WouldBlock;
            }

            var bytes = result.Buffer;
            var length = (int)Math.Min(bytes.Length, buffer.Length);
            bytes.Slice(0, length).CopyTo(buffer);
            _pipe.Input.AdvanceTo(bytes.GetPosition(length));
            if (length < buffer.Length && (length > 0 || !result.IsCompleted))
            {
                // A short receive is the last until there is a new edge, be it the end; one without a byte is a read that somebody has
                // cancelled.
                AwaitRead();
            }

            return length > 0 || result.IsCompleted ? TransportResult.Done(length) : TransportResult.WouldBlock;
        }
        catch (Exception)
        {
            // Whoever writes the pipe has completed it with an error, or middleware has ended before HTTP.
            return TransportResult.Broken;
        }
    }

    public override unsafe TransportResult Send(ReadOnlySpan<IoVector> vectors, bool isMoreFollowing = false)
    {
        if (_isFlushing)
        {
            return TransportResult.WouldBlock;
        }

        try
        {
            var sent = 0;
            foreach (var vector in vectors)
            {
                var part = vector.Span[..Math.Min(vector.Span.Length, SendLengthMax - sent)];
                _pipe.Output.Write(part);
                sent += part.Length;
            }

            _flush = new PipeWait<FlushResult>(_pipe.Output.FlushAsync());
            if (!_flush.IsCompleted)
            {
                _isFlushing = true;
                _flush.OnCompleted(_onFlushed);
                return TransportResult.Done(sent);
            }

            return _flush.Take().IsCompleted ? TransportResult.Broken : TransportResult.Done(sent);
        }
        catch (Exception)
        {
            // Middleware has completed the pipe, or ended, before HTTP.
            return TransportResult.Broken;
        }
    }

    public override void ShutdownSend() => _pipe.Output.Complete();

    /// <summary>The client has sent FIN, whatever of its bytes is still on the way here.</summary>
    public void OnPeerShutdown()
    {
        if (!_isClosed)
        {
            _handler!.OnPeerShutdown();
        }
    }

    /// <summary>The connection below is gone.</summary>
    public void OnBroken()
    {
        if (!_isClosed)
        {
            _handler!.OnBroken();
        }
    }

    public override void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _pipe.Output.Complete();
            _pipe.Input.Complete();
        }
    }

    public override void Abort()
    {
        if (!_isClosed)
        {
            _driver.AbortByHttp();
            Close();
        }
    }

    // Waits for the next edge. What is there already, or the end, is one too, but not inside the caller.
    private void AwaitRead()
    {
        _isReading = true;
        try
        {
            _read = new PipeWait<ReadResult>(_pipe.Input.ReadAsync());
        }
        catch (Exception)
        {
            // Whoever writes the pipe has completed it with an error.
            _isFailed = true;
        }

        if (_isFailed || _read.IsCompleted)
        {
            _driver.Connection.Loop.Post(_readAtOnce);
        }
        else
        {
            _read.OnCompleted(_onRead);
        }
    }

    private void OnRead()
    {
        if (_isClosed)
        {
            return;
        }

        _isReading = false;
        if (_isFailed || !TryLookAtRead(out var isEnd))
        {
            _handler!.OnBroken();
            return;
        }

        if (isEnd)
        {
            _handler!.OnPeerShutdown();
        }

        if (!_isClosed)
        {
            _handler!.OnReadable();
        }
    }

    // False when there is no more to read: the pipe was completed with an error, or middleware has ended before HTTP. Nothing may be thrown
    // here, in the loop's own turn: that would be the end of the loop.
    private bool TryLookAtRead(out bool isEnd)
    {
        isEnd = false;
        try
        {
            // Looked at by nobody yet: the next receive finds it.
            var result = _read.Take();
            _pipe.Input.AdvanceTo(result.Buffer.Start, result.Buffer.Start);
            isEnd = result.IsCompleted;
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private bool TryTakeFlush()
    {
        try
        {
            return !_flush.Take().IsCompleted;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private void OnFlushed()
    {
        _isFlushing = false;
        if (_isClosed)
        {
            return;
        }

        if (TryTakeFlush())
        {
            _handler!.OnWritable();
        }
        else
        {
            _handler!.OnBroken();
        }
    }

    private sealed class ReadAtOnce(PipeTransport transport) : WorkItem
    {
        public override void Run() => transport.OnRead();
    }
}
