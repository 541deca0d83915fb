// Connection middleware that logs what passes. Runs for each connection of an endpoint that asks for it, where middleware runs.
using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Application;

internal sealed partial class ConnectionLogging(ILogger logger, ConnectionDelegate next)
{
    public const string Category = "Asgi.Server.ConnectionLogging";

    private const int BytesPerLine = 16;

    public async Task RunAsync(ConnectionContext connection)
    {
        if (!logger.IsEnabled(LogLevel.Debug))
        {
            await next(connection).ConfigureAwait(false);
            return;
        }

        var transport = connection.Transport;
        try
        {
            connection.Transport = new LoggedPipe(
                new LoggedReader(transport.Input, logger, connection.ConnectionId),
                new LoggedWriter(transport.Output, logger, connection.ConnectionId));
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = transport;
        }
    }

    /// <summary>
    /// Sixteen bytes a line, as numbers and as text with a gap in the middle; a byte that is no visible ASCII is a dot.
    /// </summary>
    internal static string Dump(string operation, ReadOnlySequence<byte> bytes)
    {
        var dump = new StringBuilder();
        dump.Append(CultureInfo.InvariantCulture, $"{operation}[{bytes.Length}]");
        Span<byte> line = stackalloc byte[BytesPerLine];
        for (var rest = bytes; rest.Length > 0; rest = rest.Slice(Math.Min(rest.Length, BytesPerLine)))
        {
            var part = line[..(int)Math.Min(rest.Length, BytesPerLine)];
            rest.Slice(0, part.Length).CopyTo(part);
            AppendLine(dump.Append('\n'), part);
        }

        return dump.ToString();
    }

    private static void AppendLine(StringBuilder dump, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < BytesPerLine; i++)
        {
            dump.Append(i == BytesPerLine / 2 ? " " : "");
            dump.Append(i < bytes.Length ? bytes[i].ToString("X2", CultureInfo.InvariantCulture) : "  ").Append(' ');
        }

        dump.Append("  ");
        for (var i = 0; i < bytes.Length; i++)
        {
            dump.Append(i == BytesPerLine / 2 ? " " : "").Append(bytes[i] is >= 0x20 and < 0x7F ? (char)bytes[i] : '.');
        }
    }

    [LoggerMessage(115, LogLevel.Debug, "Connection id \"{ConnectionId}\": {Bytes}", EventName = "ConnectionBytes")]
    private static partial void Log(ILogger logger, string connectionId, string bytes);

    private sealed class LoggedPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }

    private sealed class LoggedReader(PipeReader inner, ILogger logger, string connectionId) : PipeReader
    {
        private ReadOnlySequence<byte> _buffer;

        // Of what the next read begins with: seen, and left by the reader.
        private long _loggedLength;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            See(await inner.ReadAsync(cancellationToken).ConfigureAwait(false), nameof(ReadAsync));

        public override bool TryRead(out ReadResult result)
        {
            var hasRead = inner.TryRead(out result);
            if (hasRead)
            {
                See(result, nameof(ReadAsync));
            }

            return hasRead;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            _loggedLength = _buffer.Slice(consumed).Length;
            _buffer = default;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        private ReadResult See(ReadResult result, string operation)
        {
            _buffer = result.Buffer;
            if (_buffer.Length > _loggedLength)
            {
                Log(logger, connectionId, Dump(operation, _buffer.Slice(_loggedLength)));
            }

            return result;
        }
    }

    private sealed class LoggedWriter(PipeWriter inner, ILogger logger, string connectionId) : PipeWriter
    {
        private Memory<byte> _lent;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override Memory<byte> GetMemory(int sizeHint = 0) => _lent = inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes)
        {
            if (bytes > 0)
            {
                Log(logger, connectionId, Dump(nameof(WriteAsync), new ReadOnlySequence<byte>(_lent[..bytes])));
            }

            // Several pieces may go to what was lent once.
            _lent = _lent[bytes..];
            inner.Advance(bytes);
        }

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            Log(logger, connectionId, Dump(nameof(WriteAsync), new ReadOnlySequence<byte>(source)));
            return inner.WriteAsync(source, cancellationToken);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            inner.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }
}
