// A logger factory that keeps what was logged. Any thread.

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Testing.Simulation;

internal sealed record LogEntry(string Category, LogLevel Level, EventId Id, string Message, Exception? Exception);

/// <param name="minimum">The least level that is kept; below it nothing is logged.</param>
internal sealed class RecordingLog(LogLevel minimum = LogLevel.Trace) : ILoggerFactory
{
    private readonly ConcurrentQueue<LogEntry> _entries = new();

    public IEnumerable<LogEntry> Entries => _entries;

    public ILogger CreateLogger(string categoryName) => new Category(categoryName, minimum, _entries);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("What is logged is kept here.");

    public void Dispose()
    {
    }

    private sealed class Category(string name, LogLevel minimum, ConcurrentQueue<LogEntry> entries) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            entries.Enqueue(new LogEntry(name, logLevel, eventId, formatter(state, exception), exception));
    }
}
