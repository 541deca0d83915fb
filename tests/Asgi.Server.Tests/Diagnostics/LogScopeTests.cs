// The scopes a handler's log lines stand in: ConnectionId from the server, RequestId and RequestPath from Hosting, on every thread.

using System.Collections.Concurrent;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class LogScopeTests
{
    [Theory]
    [InlineData(RequestDispatch.Adaptive)]
    [InlineData(RequestDispatch.Inline)]
    [InlineData(RequestDispatch.ThreadPool)]
    public async Task A_line_of_a_handler_carries_connection_and_request_on_every_thread(RequestDispatch dispatch)
    {
        using var logs = new ScopedLogs();
        await using var host = await AppHost.StartAsync(
            async context =>
            {
                Log(context, "at once");
                await Task.Yield();
                Log(context, "after an await");
                if (context.Request.Path == "/block")
                {
                    // The loop goes on without this thread, and the route starts on spare threads from the second time on.
                    new StreamReader(context.Request.Body).ReadToEnd();
                    Log(context, "after blocking");
                }

                context.Response.OnCompleted(() =>
                {
                    Log(context, "completed");
                    return Task.CompletedTask;
                });
            },
            options => (options.LoopCount, options.Dispatch, options.AllowSynchronousIO) = (1, dispatch, true),
            logs);

        await using var first = await host.ConnectAsync();
        await using var second = await host.ConnectAsync();
        for (var round = 0; round < 3; round++)
        {
            foreach (var client in (RawClient[])[first, second])
            {
                await client.SendAsync($"POST /block HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
                await client.SendAsync("x");
                await client.ReadResponseAsync("POST");
                await client.SendAsync($"GET /get HTTP/1.1\r\nHost: a\r\n\r\n");
                await client.ReadResponseAsync();
            }
        }

        await host.StopAsync();
        Assert.Equal((3 * 2) * (4 + 3), logs.Lines.Count);
        Assert.All(logs.Lines, line =>
        {
            Assert.Equal(line.Expected.Connection, line.Scopes["ConnectionId"]);
            Assert.Equal(line.Expected.Request, line.Scopes["RequestId"]);
            Assert.Equal(line.Expected.Path, line.Scopes["RequestPath"]);
            Assert.StartsWith(line.Expected.Connection, line.Expected.Request, StringComparison.Ordinal);
            Assert.Equal(["ConnectionId", "RequestId", "RequestPath"], line.Order);
        });
        Assert.Equal(2, logs.Lines.Select(line => line.Expected.Connection).Distinct().Count());
    }

    [Fact]
    public async Task Nothing_of_a_request_is_left_on_the_thread_of_its_loop()
    {
        var leaked = new AsyncLocal<string?>();
        var seen = new ConcurrentQueue<string?>();
        using var logs = new ScopedLogs();
        await using var host = await AppHost.StartAsync(
            context =>
            {
                seen.Enqueue(leaked.Value);
                leaked.Value = "of another request";
                return Task.CompletedTask;
            },
            options => options.LoopCount = 1,
            logs);
        await using var client = await host.ConnectAsync();
        for (var request = 0; request < 3; request++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadResponseAsync();
        }

        Assert.Equal([null, null, null], seen);
    }

    [Fact]
    public async Task Without_a_provider_that_keeps_scopes_no_context_flows()
    {
        var contexts = new ConcurrentQueue<ExecutionContext?>();
        var clean = ExecutionContext.Capture();
        await using var host = await NativeHost.StartAsync(exchange =>
        {
            contexts.Enqueue(ExecutionContext.Capture());
            exchange.Send(new ResponseStart(200));
            return exchange.SendAsync(default);
        });
        _ = await RawClient.ExchangeAsync(host.EndPoint, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.Same(DefaultContext(), Assert.Single(contexts));
    }

    private static ExecutionContext? DefaultContext()
    {
        ExecutionContext? context = null;
        var thread = new Thread(() => context = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return context;
    }

    private static void Log(HttpContext context, string stage)
    {
        var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Handler");
        if (logger.IsEnabled(LogLevel.Information))
        {
            var expected = new Expected(context.Connection.Id, context.TraceIdentifier, context.Request.Path);
            logger.Log(LogLevel.Information, default, expected, null, (_, _) => stage);
        }
    }

    private sealed record Expected(string Connection, string Request, string? Path);

    private sealed record Line(Expected Expected, Dictionary<string, object?> Scopes, string[] Order);

    private sealed class ScopedLogs : ILoggerProvider, ISupportExternalScope
    {
        private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

        public ConcurrentQueue<Line> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Logger(this);

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public void Dispose()
        {
        }

        private sealed class Logger(ScopedLogs logs) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => logs._scopes.Push(state);

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (state is Expected expected)
                {
                    var found = new List<KeyValuePair<string, object?>>();
                    logs._scopes.ForEachScope(
                        static (scope, found) => found.AddRange(scope as IEnumerable<KeyValuePair<string, object?>> ?? []), found);
                    logs.Lines.Enqueue(new Line(
                        expected, new Dictionary<string, object?>(found), [.. found.Select(value => value.Key)]));
                }
            }
        }
    }
}
