// Logging providers that fail: whoever hears badly, the server goes on.

using Asgi.Server.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class FailingLogTests
{
    // A full disk, a provider disposed before the last connection has gone: on a loop's thread nobody would catch what it throws.
    [Fact]
    public async Task Requests_are_served_and_the_server_stops()
    {
        using var provider = new FailingProvider();
        using var logging = LoggerFactory.Create(logging => logging.AddProvider(provider).SetMinimumLevel(LogLevel.Trace));
        using var server = new AsgiServer(Options.Create(new AsgiServerOptions { LoopCount = 1, AccessLog = true }), logging);
        server.GetAddresses().Addresses.Add(Addresses.Loopback);
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);
        var endPoint = Addresses.EndPointOf(server.GetAddresses().Addresses.Single());

        Assert.Equal("200 open", (await RawClient.ExchangeAsync(endPoint, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")).Outcome);
        Assert.Equal("400 closed", (await RawClient.ExchangeAsync(endPoint, "nonsense\r\n\r\n")).Outcome);

        await server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);
        Assert.True(provider.FailureCount > 0);
    }

    private sealed class FailingProvider : ILoggerProvider, ILogger
    {
        private int _failureCount;

        public int FailureCount => Volatile.Read(ref _failureCount);

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw Failure();

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw Failure();

        public void Dispose()
        {
        }

        private IOException Failure()
        {
            Interlocked.Increment(ref _failureCount);
            return new IOException("No space left on device.");
        }
    }
}
