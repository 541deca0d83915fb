// What a stop means to a client: nobody new is let in, who waits is sent away, who is being served is served to the end.

using System.Net.Sockets;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Asgi.Server.Tests.Hosting;

public sealed class GracefulStopTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private readonly TaskCompletionSource _entered = new();
    private readonly TaskCompletionSource _leave = new();

    [Fact]
    public async Task A_request_in_flight_is_answered_with_close()
    {
        await using var host = await StartAsync(WaitAndAnswerAsync);
        await using var client = await EnterAsync(host);

        var stop = await BeginStopAsync(host);
        Assert.False(stop.IsCompleted);
        _leave.SetResult();
        var response = (await client.ReadResponseAsync())!;

        Assert.Equal("served", response.Content);
        Assert.Equal("close", response.Field("Connection"));
        Assert.Equal("", await client.ReadToEndAsync());
        await stop;
    }

    [Fact]
    public async Task A_response_that_had_begun_is_finished_and_the_connection_closed()
    {
        await using var host = await StartAsync(async context =>
        {
            await context.Response.WriteAsync("begun, ");
            await WaitAsync();
            await context.Response.WriteAsync("done");
        });
        await using var client = await EnterAsync(host);
        var head = (await client.ReadHeadAsync())!;
        Assert.Equal("begun, ", await client.ReadChunkAsync());

        var stop = await BeginStopAsync(host);
        _leave.SetResult();

        Assert.Equal("done", await client.ReadChunkAsync());
        Assert.Equal("", await client.ReadChunkAsync());
        Assert.Null(head.Field("Connection"));
        Assert.Equal("\r\n", await client.ReadToEndAsync());
        await stop;
    }

    [Fact]
    public async Task Idle_and_silent_connections_are_closed_at_once()
    {
        await using var host = await StartAsync(_ => Task.CompletedTask);
        await using var silent = await host.ConnectAsync();
        await using var idle = await host.ConnectAsync();
        Assert.True(await idle.ProbeAsync());

        await host.StopAsync();

        Assert.Equal("", await idle.ReadToEndAsync());
        Assert.Equal("", await silent.ReadToEndAsync());
    }

    [Fact]
    public async Task Nobody_new_is_let_in_while_a_request_is_served()
    {
        await using var host = await StartAsync(WaitAndAnswerAsync);
        await using var client = await EnterAsync(host);

        var stop = await BeginStopAsync(host);

        var error = await Assert.ThrowsAsync<SocketException>(host.ConnectAsync);
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        _leave.SetResult();
        await stop;
    }

    [Fact]
    public async Task Half_a_head_is_waited_for()
    {
        await using var host = await StartAsync(context => context.Response.WriteAsync("after all"));
        await using var client = await host.ConnectAsync();
        Assert.True(await client.ProbeAsync());
        await client.SendAsync("GET / HTTP/1.1\r\nHo");

        var stop = await BeginStopAsync(host);
        // The idle connection came later to the one loop and was answered: the half is read.
        await client.SendAsync("st: h\r\n\r\n");
        var response = (await client.ReadResponseAsync())!;

        Assert.Equal("after all", response.Content);
        Assert.Equal("close", response.Field("Connection"));
        await stop;
    }

    [Fact]
    public async Task What_is_pipelined_behind_the_request_in_flight_is_not_served()
    {
        await using var host = await StartAsync(WaitAndAnswerAsync);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Get + Get);
        await _entered.Task.WaitAsync(AppHost.Patience);

        var stop = await BeginStopAsync(host);
        _leave.SetResult();

        Assert.Equal("served", (await client.ReadResponseAsync())!.Content);
        Assert.Null(await client.ReadResponseAsync());
        await stop;
    }

    [Fact]
    public async Task A_cancelled_stop_aborts_what_is_left()
    {
        await using var host = await StartAsync(WaitForAbortAsync);
        await using var client = await EnterAsync(host);
        using var patience = new CancellationTokenSource();

        var stop = await BeginStopAsync(host, patience.Token);
        Assert.False(stop.IsCompleted);
        await patience.CancelAsync();

        Assert.Null(await client.ReadResponseAsync());
        await stop;
    }

    [Fact]
    public async Task The_hosts_shutdown_timeout_ends_the_patience()
    {
        await using var host = await StartAsync(WaitForAbortAsync, shutdownTimeout: TimeSpan.FromMilliseconds(1));
        await using var client = await EnterAsync(host);

        await host.StopAsync();

        Assert.Null(await client.ReadResponseAsync());
    }

    [Fact]
    public async Task An_application_that_never_ends_does_not_hold_up_a_cancelled_stop()
    {
        await using var host = await StartAsync(WaitAndAnswerAsync);
        await using var client = await EnterAsync(host);

        await host.StopAsync(new CancellationToken(canceled: true));

        Assert.Null(await client.ReadResponseAsync());
        _leave.SetResult();
    }

    [Fact]
    public async Task An_application_that_blocks_its_thread_does_not_hold_up_a_cancelled_stop()
    {
        using var leave = new ManualResetEventSlim();
        await using var host = await StartAsync(_ =>
        {
            _entered.SetResult();
            leave.Wait();
            return Task.CompletedTask;
        });
        await using var client = await EnterAsync(host);

        try
        {
            await host.StopAsync(new CancellationToken(canceled: true));
        }
        finally
        {
            leave.Set();
        }
    }

    [Fact]
    public async Task An_application_may_stop_its_own_host_and_still_answers()
    {
        AppHost host = null!;
        await using var _ = host = await StartAsync(context =>
        {
            host.Application.Lifetime.StopApplication();
            return context.Response.WriteAsync("bye");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Get);

        Assert.Equal("bye", (await client.ReadResponseAsync())!.Content);
        await host.Application.WaitForShutdownAsync().WaitAsync(AppHost.Patience);
    }

    private async Task WaitAndAnswerAsync(HttpContext context)
    {
        await WaitAsync();
        await context.Response.WriteAsync("served");
    }

    private async Task WaitForAbortAsync(HttpContext context)
    {
        var aborted = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(aborted.SetResult);
        _entered.SetResult();
        await aborted.Task;
    }

    private async Task WaitAsync()
    {
        _entered.TrySetResult();
        await _leave.Task;
    }

    private async Task<RawClient> EnterAsync(AppHost host)
    {
        var client = await host.ConnectAsync();
        await client.SendAsync(Get);
        await _entered.Task.WaitAsync(AppHost.Patience);
        return client;
    }

    // One loop: what one connection sees of the stop, all have heard.
    private static Task<AppHost> StartAsync(RequestDelegate app, TimeSpan? shutdownTimeout = null) =>
        AppHost.StartAsync(app, options => options.LoopCount = 1, shutdownTimeout: shutdownTimeout);

    // The stop has begun when an idle connection is closed.
    private static async Task<Task> BeginStopAsync(AppHost host, CancellationToken cancellationToken = default)
    {
        await using var idle = await host.ConnectAsync();
        Assert.True(await idle.ProbeAsync());
        var stop = host.StopAsync(cancellationToken);
        Assert.Equal("", await idle.ReadToEndAsync());
        return stop;
    }
}
