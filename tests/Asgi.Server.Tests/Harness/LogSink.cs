// A logger that remembers, for tests of what an operator is told. Any thread.

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests;

internal sealed record LogLine(string Category, LogLevel Level, EventId Id, string Message);

internal sealed class LogSink : ILoggerProvider
{
    public ConcurrentQueue<LogLine> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogSink sink, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            sink.Lines.Enqueue(new LogLine(category, logLevel, eventId, formatter(state, exception)));
    }
}
