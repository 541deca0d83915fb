// What starts and what ends a response before its time: StartAsync, a flush, CompleteAsync.

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class ResponseStartTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    public static TheoryData<HostKind, string> Starters => Hosts.HttpTimes(
        ["StartAsync", "a flush of the stream", "a flush of the pipe", "an empty write", "CompleteAsync", "the pipe's CompleteAsync"]);

    [Theory]
    [MemberData(nameof(Starters))]
    public async Task OnStarting_runs_and_the_head_is_fixed(HostKind host, string starter)
    {
        var seen = "";
        var exchange = await hosts.GetAsync(host, async context =>
        {
            var response = context.Response;
            response.OnStarting(() =>
            {
                response.Headers["X-Starting"] = $"{response.HasStarted}";
                return Task.CompletedTask;
            });
            await StartAsync(response, starter);
            var status = Record.Exception(() => response.StatusCode = 500);
            var header = Record.Exception(() => response.Headers["X-Late"] = "late");
            var starting = Record.Exception(() => response.OnStarting(() => Task.CompletedTask));
            seen = $"{response.HasStarted} {status?.GetType().Name} {header?.GetType().Name} {starting?.GetType().Name}";
        });

        const string Refused = nameof(InvalidOperationException);
        Assert.Equal($"True {Refused} {Refused} {Refused}", seen);
        Assert.Equal("False", exchange.Answer.Field("X-Starting"));
        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal("", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_flush_sends_the_head(HostKind kind)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
            await context.Response.StartAsync();
            await context.Response.Body.FlushAsync();
            await seen.Task.WaitAsync(Hosts.Patience);
            await context.Response.WriteAsync("hello");
        });
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Wire.Get);

        var head = await client.ReadHeadAsync();
        seen.SetResult();

        Assert.Equal((200, "chunked"), (head?.Status, head?.Framing));
        Assert.Equal("hello", await client.ReadChunkAsync());
        Assert.Equal("", await client.ReadChunkAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task OnCompleted_may_be_registered_after_the_start(HostKind host)
    {
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await hosts.GetAsync(host, async context =>
        {
            await context.Response.CompleteAsync();
            context.Response.OnCompleted(() =>
            {
                called.SetResult();
                return Task.CompletedTask;
            });
        });

        await called.Task.WaitAsync(Hosts.Patience);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Memory_lent_before_CompleteAsync_is_dead_after_it(HostKind host)
    {
        Exception? dead = null;
        var exchange = await hosts.GetAsync(host, async context =>
        {
            context.Response.BodyWriter.GetMemory(5);
            await context.Response.CompleteAsync();
            dead = Record.Exception(() => context.Response.BodyWriter.Advance(5));
        });

        Assert.NotNull(dead);
        Assert.Equal("", exchange.Answer.Content);
        Assert.Equal("200 open", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task CompleteAsync_and_StartAsync_may_be_called_again(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, async context =>
        {
            await context.Response.StartAsync();
            await context.Response.StartAsync();
            await context.Response.WriteAsync("hello");
            await context.Response.CompleteAsync();
            await context.Response.CompleteAsync();
        });

        Assert.Equal("hello", exchange.Answer.Content);
        Assert.Equal("200 open", exchange.Outcome);
    }

    private static Task StartAsync(HttpResponse response, string starter) => starter switch
    {
        "StartAsync" => response.StartAsync(),
        "a flush of the stream" => response.Body.FlushAsync(),
        "a flush of the pipe" => response.BodyWriter.FlushAsync().AsTask(),
        "an empty write" => response.Body.WriteAsync(Array.Empty<byte>()).AsTask(),
        "CompleteAsync" => response.CompleteAsync(),
        _ => response.BodyWriter.CompleteAsync().AsTask(),
    };
}
