// Every way a connection with middleware ends, on the simulated loop: by its middleware, its client, HTTP, and the server's stop.

using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using static Asgi.Server.Tests.Connections.MiddlewareBed;

namespace Asgi.Server.Tests.Connections;

public sealed class MiddlewareEndTests
{
    private const int SeedCount = 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_middleware_throws_is_logged_and_aborts_the_connection(bool isLater)
    {
        using var server = Serve(
            _ => async context =>
            {
                if (isLater)
                    await context.Transport.Input.ReadAsync();
                throw new InvalidOperationException("thrown");
            },
            Apps.Path);
        var client = server.Connect("x");
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        var entry = Assert.Single(server.Told);
        Assert.Equal((114, LogLevel.Error, "thrown"), (entry.Id.Id, entry.Level, entry.Exception?.Message));
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_output_that_is_completed_with_an_error_is_not_passed_off_as_whole(bool isLater)
    {
        using var server = Serve(
            _ => async context =>
            {
                if (isLater)
                    await context.Transport.Input.ReadAsync();
                await context.Transport.Output.WriteAsync("half"u8.ToArray());
                await context.Transport.Output.CompleteAsync(new InvalidOperationException("the other half is missing"));
            },
            Apps.Path);
        var client = server.Connect("x");
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        DemandNothingLeft(server);
    }

    [Fact]
    public void An_input_that_is_completed_with_an_error_is_not_read_any_more()
    {
        using var server = Serve(
            _ => async context =>
            {
                await context.Transport.Input.CompleteAsync(new InvalidOperationException("enough"));
                await Task.Yield();
                await context.Transport.Output.WriteAsync("done"u8.ToArray());
            },
            Apps.Path);
        var client = server.Connect("some");
        client.Send(new byte[500_000]);
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal("done", client.Received);
        Assert.Empty(server.Told);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_transport_that_fails_is_logged_and_resets_the_connection(bool isOutput)
    {
        using var server = Serve(
            next => context =>
            {
                context.Transport = new FailingPipe(context.Transport, isOutput);
                return next(context);
            },
            Apps.Path);
        var client = server.Connect(Apps.Get);
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Contains(server.Told, entry => entry.Exception?.Message == "a transport that fails");
        DemandNothingLeft(server);
    }

    [Fact]
    public void An_abort_resets_the_connection_and_ends_the_reader_with_its_reason()
    {
        Exception? seen = null;
        var isClosed = false;
        using var server = Serve(
            _ => async context =>
            {
                context.Abort(new ConnectionAbortedException("enough"));
                seen = await Record.ExceptionAsync(async () =>
                {
                    while (true)
                        context.Transport.Input.AdvanceTo((await context.Transport.Input.ReadAsync()).Buffer.End);
                });
                isClosed = context.ConnectionClosed.IsCancellationRequested;
            },
            Apps.Path);
        var client = server.Connect("x");
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Equal("enough", Assert.IsType<ConnectionAbortedException>(seen).Message);
        Assert.True(isClosed);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_reset_ends_the_reader_with_an_error_and_is_not_logged_as_one()
    {
        Exception? seen = null;
        using var server = Serve(
            _ => async context =>
            {
                try
                {
                    while (true)
                        context.Transport.Input.AdvanceTo((await context.Transport.Input.ReadAsync()).Buffer.End);
                }
                catch (Exception exception)
                {
                    seen = exception;
                    throw;
                }
            },
            Apps.Path);
        var client = server.Connect("x");
        client.Reset();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.IsType<ConnectionResetException>(seen);
        Assert.DoesNotContain(server.Told, entry => entry.Level >= LogLevel.Warning);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reset_reaches_the_request_under_way(bool isReplaced)
    {
        var isAborted = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                context.RequestAborted.Register(isAborted.SetResult);
                await isAborted.Task;
            },
            before: Before(isReplaced ? Xor : PassOn));
        var client = server.Connect();

        // What waits behind the request must not hide the reset.
        client.Send(isReplaced ? XorOf(Apps.Get + Apps.Get) : Apps.Get + Apps.Get);
        server.Run();
        client.Reset();
        server.RunUntil(() => isAborted.Task.IsCompleted && server.ConnectionCount == 0);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FIN_behind_a_request_leaves_its_response_alone(bool isReplaced) => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(isReplaced ? Xor : PassOn, Apps.Path, seed);
        var client = server.Connect();
        client.Send(isReplaced ? XorOf(Apps.Get) : Apps.Get);
        client.ShutdownSend();
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.EndsWith("\r\n\r\n/", Text(client, isReplaced), StringComparison.Ordinal);
        DemandNothingLeft(server);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Deadlines_of_http_hold(bool isReplaced)
    {
        using var server = Serve(
            isReplaced ? Xor : PassOn, Apps.Path, limits: new ConnectionLimits { KeepAliveTimeoutMilliseconds = 10_000 });
        var client = server.Connect();
        client.Send(isReplaced ? XorOf(Apps.Get) : Apps.Get);
        server.RunUntil(() => client.ReceivedLength > 0);
        server.Run();

        server.Advance(9_000);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(2_000);
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stop_ends_idle_connections_and_lets_a_request_finish(bool isReplaced)
    {
        var answer = new TaskCompletionSource();
        using var server = Serve(
            isReplaced ? Xor : PassOn,
            async exchange =>
            {
                await answer.Task;
                await Apps.Path(exchange);
            });
        var idle = server.Connect("");
        var busy = server.Connect();
        busy.Send(isReplaced ? XorOf(Apps.Get) : Apps.Get);
        server.Run();
        server.Advance(1);

        var stopped = server.ShutDown();
        server.RunUntil(() => idle.End == ConnectionEnd.Fin);
        idle.ShutdownSend();
        Assert.Equal(ConnectionEnd.None, busy.End);
        answer.SetResult();
        server.RunUntil(() => busy.End == ConnectionEnd.Fin);
        busy.ShutdownSend();
        server.RunUntil(() => stopped.IsCompleted);

        Assert.Contains("Connection: close\r\n", Text(busy, isReplaced), StringComparison.Ordinal);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_stop_before_http_has_begun_ends_it_when_it_does()
    {
        var goOn = new TaskCompletionSource();
        using var server = Serve(
            next => async context =>
            {
                await goOn.Task;
                await next(context);
            },
            Apps.Path);
        var client = server.Connect("");

        var stopped = server.ShutDown();
        server.Run();
        Assert.False(stopped.IsCompleted);
        goOn.SetResult();
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        client.ShutdownSend();
        server.RunUntil(() => stopped.IsCompleted);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_stop_asks_what_is_no_http_by_its_token()
    {
        using var server = Serve(
            _ => async context =>
            {
                var asked = new TaskCompletionSource();
                var notification = context.Features.Get<IConnectionLifetimeNotificationFeature>()!;
                using var registration = notification.ConnectionClosedRequested.Register(asked.SetResult);
                await asked.Task;
                await context.Transport.Output.WriteAsync("bye"u8.ToArray());
            },
            Apps.Path);
        var client = server.Connect("x");
        server.Run();

        var stopped = server.ShutDown();
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        client.ShutdownSend();
        server.RunUntil(() => stopped.IsCompleted);

        Assert.Equal("bye", client.Received);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_connection_has_one_place_among_those_allowed()
    {
        var limit = new ConcurrencyLimit(1);
        using var server = Serve(PassOn, Apps.Path, limits: new ConnectionLimits { Connections = limit });
        var first = server.Connect(Apps.Get);
        server.RunUntil(() => first.ReceivedLength > 0);
        var second = server.Connect(Apps.Get);
        server.RunUntil(() => second.End != ConnectionEnd.None);
        first.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);

        var third = server.Connect(Apps.Get);
        server.RunUntil(() => third.ReceivedLength > 0);
        Assert.Equal("", second.Received);
        var fourth = server.Connect(Apps.Get);
        server.RunUntil(() => fourth.End != ConnectionEnd.None);
        Assert.Equal("", fourth.Received);
        DemandNothingLeft(server);
    }

    [Fact]
    public void Http_runs_once_on_a_connection()
    {
        using var server = Serve(
            next => async context =>
            {
                await next(context);
                await next(context);
            },
            Apps.Path);
        var client = server.Connect();
        client.Send(Apps.Get);
        client.ShutdownSend();
        server.RunUntil(() => server.Told.Any());

        Assert.IsType<InvalidOperationException>(Assert.Single(server.Told).Exception);
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        Assert.Single(Responses.Of(client));
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Callbacks_run_when_the_connection_is_over_last_added_first(bool hasMiddleware)
    {
        var called = new List<string>();
        using var server = HostedDelegate.Serve(
            context =>
            {
                var completion = context.Features.Get<IConnectionCompleteFeature>()!;
                completion.OnCompleted(
                    async state =>
                    {
                        await Task.Yield();
                        called.Add((string)state);
                    },
                    "first");
                completion.OnCompleted(_ => throw new InvalidOperationException("thrown"), "");
                completion.OnCompleted(
                    state =>
                    {
                        called.Add((string)state);
                        return Task.CompletedTask;
                    },
                    "last");
                return Task.CompletedTask;
            },
            before: hasMiddleware ? Before(PassOn) : null);
        var client = server.Connect(Apps.Get);
        server.RunUntil(() => client.ReceivedLength > 0);
        Assert.Empty(called);
        client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal(["last", "first"], called);
        Assert.Equal("thrown", Assert.Single(server.Told).Exception?.Message);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_proxys_header_comes_before_middleware()
    {
        var seen = "";
        var rules = new ProxyProtocolRules { TrustsAll = true };
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, exchange.Scope.Client!.ToString()!),
            before: http => connection => new ProxyProtocolDriver(connection, rules, Before(next => context =>
            {
                seen = $"{context.RemoteEndPoint} {context.Features.Get<Features.IProxyProtocolFeature>()!.Version}";
                return next(context);
            })(http)));
        var client = server.Connect("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n" + Apps.Get);
        server.RunUntil(() => Responses.Of(client) is [{ IsComplete: true }]);

        Assert.Equal("192.0.2.1:56324", Assert.Single(Responses.Of(client)).Content);
        Assert.Equal("192.0.2.1:56324 1", seen);
        DemandNothingLeft(server);
    }
}
