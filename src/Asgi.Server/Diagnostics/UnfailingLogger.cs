// A logger that does not fail, whatever its providers do: the framework's throws what they throw, and on a loop's thread nobody could catch
// it without ending a connection, a loop or the process. Made by ServerLog; any thread.
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Diagnostics;

internal sealed class UnfailingLogger(ILogger logger) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        try
        {
            return logger.BeginScope(state);
        }
        catch (Exception)
        {
            // Where a log fails there is no place to tell of it.
            return null;
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // The other providers have been told: the framework throws after the last.
        }
    }
}
