// The end of a request from outside: the client goes, the app aborts, the server stops.

using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public sealed class LifetimeTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task RequestAborted_fires_when_the_client_resets(HostKind kind)
    {
        var (started, aborted) = (Signal(), Signal());
        var host = await hosts.On(kind, async context =>
        {
            using var registration = context.RequestAborted.Register(aborted.SetResult);
            started.SetResult();
            await aborted.Task.WaitAsync(Hosts.Patience);
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        await started.Task.WaitAsync(Hosts.Patience);
        client.Reset();

        await aborted.Task.WaitAsync(Hosts.Patience);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task RequestAborted_fires_when_the_client_resets_amid_the_response(HostKind kind)
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            await context.Response.WriteAsync("hello");
            ended.SetResult(await Record.ExceptionAsync(context.UntilAbortedAsync));
        });

        await using var client = await host.ConnectAsync();
        await client.SendAsync(Wire.Get);
        await client.ReadHeadAsync();
        client.Reset();

        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_read_fails_when_the_client_resets(HostKind kind)
    {
        var started = Signal();
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            started.SetResult();
            ended.SetResult(await Record.ExceptionAsync(() => context.Request.Body.CopyToAsync(Stream.Null)));
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
        await started.Task.WaitAsync(Hosts.Patience);
        client.Reset();

        // An IOException, or a cancellation where the reader waited already (and BadHttpRequestException is an IOException too).
        Assert.True(await ended.Task is IOException or OperationCanceledException);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task RequestAborted_does_not_fire_for_a_finished_request(HostKind kind)
    {
        var token = CancellationToken.None;
        var host = await hosts.On(kind, context =>
        {
            token = context.RequestAborted;
            return context.Response.WriteAsync("hello");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        await client.ReadResponseAsync();
        var answered = await client.ProbeAsync();

        Assert.True(answered);
        Assert.False(token.IsCancellationRequested);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Abort_ends_the_connection_without_an_answer_and_fires_RequestAborted(HostKind kind)
    {
        var aborted = Signal();
        var host = await hosts.On(kind, async context =>
        {
            using var registration = context.RequestAborted.Register(aborted.SetResult);
            context.Abort();
            await aborted.Task.WaitAsync(Hosts.Patience);
            await context.Response.WriteAsync("into the void");
        });

        var exchange = await host.GetAsync();

        Assert.Equal("none", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Abort_amid_the_response_cuts_it(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, async context =>
        {
            context.Response.ContentLength = 10;
            await context.Response.WriteAsync("hello");
            context.Abort();
        });

        Assert.True(exchange.Outcome is "200 cut" or "none", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task OnCompleted_runs_when_the_client_has_gone(HostKind kind)
    {
        var (started, completed) = (Signal(), Signal());
        var host = await hosts.On(kind, async context =>
        {
            context.Response.OnCompleted(() =>
            {
                completed.SetResult();
                return Task.CompletedTask;
            });
            started.SetResult();
            await context.UntilAbortedAsync();
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        await started.Task.WaitAsync(Hosts.Patience);
        client.Reset();

        await completed.Task.WaitAsync(Hosts.Patience);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Stopping_lets_a_running_request_finish_and_says_close(HostKind kind)
    {
        var (started, stopping) = (Signal(), Signal());
        await using var host = await ParityHost.StartAsync(kind, _ => { }, _ => { });
        host.With(async context =>
        {
            started.SetResult();
            await stopping.Task.WaitAsync(Hosts.Patience);
            await context.Response.WriteAsync("finished");
        });
        await using var idle = await host.ConnectAsync();
        await idle.ProbeAsync();
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get);
        await started.Task.WaitAsync(Hosts.Patience);
        var stopped = host.StopAsync();
        // The idle connection's end is how a client sees that stopping has begun.
        Assert.Equal("", await idle.ReadToEndAsync());
        stopping.SetResult();
        var response = await client.ReadResponseAsync();
        await stopped;

        Assert.Equal("finished", response!.Content);
        Assert.Equal("close", response.Field("Connection"));
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(host.ConnectAsync);
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
