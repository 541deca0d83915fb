// OnStarting and OnCompleted: their order, what they may change, when they run.

using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public sealed class CallbackTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task OnStarting_runs_last_registered_first_and_may_change_status_and_fields(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.OnStarting(() => Add(context, "registered first"));
            context.Response.OnStarting(() =>
            {
                context.Response.StatusCode = 202;
                return Add(context, $"registered second, started {context.Response.HasStarted}");
            });
            return Task.CompletedTask;
        });

        using var response = await host.Client.GetAsync("/");

        Assert.Equal(202, (int)response.StatusCode);
        Assert.Equal(["registered second, started False", "registered first"], response.Headers.GetValues("Trace"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task OnStarting_runs_before_the_first_write_and_once(HostKind kind)
    {
        var calls = 0;
        var host = await hosts.On(kind, async context =>
        {
            context.Response.OnStarting(() => Add(context, $"call {++calls}"));
            await context.Response.WriteAsync("a");
            await context.Response.WriteAsync("b");
        });

        using var response = await host.Client.GetAsync("/");

        Assert.Equal(["call 1"], response.Headers.GetValues("Trace"));
        Assert.Equal("ab", await response.Content.ReadAsStringAsync());
        Assert.Equal(1, calls);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task OnStarting_may_be_asynchronous(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.OnStarting(async () =>
            {
                await Task.Yield();
                await Add(context, "later");
            });
            return context.Response.WriteAsync("a");
        });

        using var response = await host.Client.GetAsync("/");

        Assert.Equal(["later"], response.Headers.GetValues("Trace"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task OnStarting_registered_while_starting_runs_next(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.OnStarting(() => Add(context, "outer"));
            context.Response.OnStarting(() =>
            {
                context.Response.OnStarting(() => Add(context, "nested"));
                return Add(context, "inner");
            });
            return Task.CompletedTask;
        });

        Assert.Equal(["inner", "nested", "outer"], exchange.Answer.Values("Trace"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task After_the_start_OnStarting_and_the_head_are_closed(HostKind kind)
    {
        Exception? starting = null, status = null, field = null;
        var started = false;
        var readOnly = false;
        var host = await hosts.On(kind, async context =>
        {
            await context.Response.StartAsync();
            started = context.Response.HasStarted;
            readOnly = context.Response.Headers.IsReadOnly;
            starting = Record.Exception(() => context.Response.OnStarting(() => Task.CompletedTask));
            status = Record.Exception(() => context.Response.StatusCode = 201);
            field = Record.Exception(() => context.Response.Headers["X-Late"] = "1");
        });

        using var response = await host.Client.GetAsync("/");

        Assert.True(started);
        Assert.True(readOnly);
        Assert.IsType<InvalidOperationException>(starting);
        Assert.IsType<InvalidOperationException>(status);
        Assert.IsType<InvalidOperationException>(field);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task OnCompleted_runs_last_registered_first_after_the_app_returned(HostKind kind)
    {
        var trace = new List<string>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            context.Response.OnCompleted(() =>
            {
                trace.Add("registered first");
                done.SetResult();
                return Task.CompletedTask;
            });
            await context.Response.WriteAsync("hello");
            context.Response.OnCompleted(() =>
            {
                trace.Add("registered second");
                return Task.CompletedTask;
            });
            trace.Add("app");
        });

        using var response = await host.Client.GetAsync("/");
        await done.Task.WaitAsync(Hosts.Patience);

        Assert.Equal(["app", "registered second", "registered first"], trace);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task OnCompleted_runs_after_an_error_and_past_a_failing_one(HostKind host)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.OnCompleted(() =>
            {
                done.SetResult();
                return Task.CompletedTask;
            });
            context.Response.OnCompleted(() => throw new TimeoutException());
            throw new TimeoutException();
        });
        await done.Task.WaitAsync(Hosts.Patience);

        Assert.Equal("500 open", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task A_failing_OnStarting_is_an_error_and_its_writes_are_lost(HostKind host)
    {
        Exception? first = null, second = null;
        var exchange = await hosts.GetAsync(host, async context =>
        {
            context.Response.OnStarting(() => throw new TimeoutException());
            first = await Record.ExceptionAsync(() => context.Response.WriteAsync("hello"));
            second = await Record.ExceptionAsync(() => context.Response.WriteAsync("hello"));
        });

        Assert.Equal("500 open", exchange.Outcome);
        Assert.NotNull(first);
        Assert.IsType<ObjectDisposedException>(second);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task RegisterForDispose_disposes_after_the_response(HostKind kind)
    {
        var resource = new Resource();
        var early = true;
        var host = await hosts.On(kind, async context =>
        {
            context.Response.RegisterForDispose(resource);
            await context.Response.WriteAsync("hello");
            early = resource.Disposed.Task.IsCompleted;
        });

        using var response = await host.Client.GetAsync("/");
        await resource.Disposed.Task;

        Assert.False(early);
    }

    private sealed class Resource : IDisposable
    {
        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose() => Disposed.SetResult();
    }

    private static Task Add(HttpContext context, string step)
    {
        context.Response.Headers.Append("Trace", step);
        return Task.CompletedTask;
    }
}
