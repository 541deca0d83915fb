// The life of a stream of HTTP/2 from outside and from the app: the client resets it, the app aborts or resets it, the server stops; the
// others on the connection go on (RFC 9113, sections 5.4.2 and 8.1).

using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class Http2LifetimeTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    private const int InternalError = 2;
    private const int EnhanceYourCalm = 11;

    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task RequestAborted_fires_when_the_client_resets(HostKind kind)
    {
        var (started, aborted) = (Signal(), Signal());
        var host = await hosts.On(kind, async context =>
        {
            using var registration = context.RequestAborted.Register(aborted.SetResult);
            started.SetResult();
            await aborted.Task.WaitAsync(Hosts.Patience);
        });
        using var cancel = new CancellationTokenSource();

        var request = host.Client.GetAsync("/", cancel.Token);
        await started.Task.WaitAsync(Hosts.Patience);
        await cancel.CancelAsync();

        await aborted.Task.WaitAsync(Hosts.Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task RequestAborted_fires_when_the_client_resets_amid_the_response(HostKind kind)
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            await context.Response.WriteAsync("hello");
            ended.SetResult(await Record.ExceptionAsync(context.UntilAbortedAsync));
        });

        using (await host.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead))
        {
            // The client has the head, and does not read on.
        }

        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task.WaitAsync(Hosts.Patience));
    }

    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task A_read_fails_when_the_client_resets(HostKind kind)
    {
        var started = Signal();
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            await context.Request.Body.ReadExactlyAsync(new byte[5]);
            started.SetResult();
            ended.SetResult(await Record.ExceptionAsync(() => context.Request.Body.CopyToAsync(Stream.Null)));
        });
        using var cancel = new CancellationTokenSource();

        var request = host.Client.PostAsync("/", new EndlessContent(), cancel.Token);
        await started.Task.WaitAsync(Hosts.Patience);
        await cancel.CancelAsync();

        Assert.True(await ended.Task.WaitAsync(Hosts.Patience) is IOException or OperationCanceledException);
        await Assert.ThrowsAnyAsync<Exception>(() => request);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
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
        using var cancel = new CancellationTokenSource();

        var request = host.Client.GetAsync("/", cancel.Token);
        await started.Task.WaitAsync(Hosts.Patience);
        await cancel.CancelAsync();

        await completed.Task.WaitAsync(Hosts.Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task RequestAborted_does_not_fire_for_a_finished_request(HostKind kind)
    {
        var token = CancellationToken.None;
        var host = await hosts.On(kind, context =>
        {
            token = context.RequestAborted;
            return context.Response.WriteAsync("hello");
        });

        var exchange = await host.GetAsync();

        Assert.Equal("200 open", exchange.Outcome);
        Assert.False(token.IsCancellationRequested);
    }

    // The code of each way an app can break its stream off, before and after its head is out.
    public static TheoryData<HostKind, string, bool, int> Ends
    {
        get
        {
            var data = new TheoryData<HostKind, string, bool, int>();
            foreach (var host in Hosts.WithHttp.Where(host => host.IsHttp2()))
            {
                foreach (var hasStarted in new[] { false, true })
                {
                    data.Add(host, "abort", hasStarted, InternalError);
                    data.Add(host, "reset", hasStarted, EnhanceYourCalm);
                }
                data.Add(host, "throw", true, InternalError);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_stream_the_app_breaks_off_is_reset_by_its_code_and_no_other(HostKind host, string end, bool hasStarted, int code)
    {
        var exchange = await hosts.GetAsync(host, async context =>
        {
            if (hasStarted)
                await context.Response.WriteAsync("hello");
            switch (end)
            {
                case "abort":
                    context.Abort();
                    break;
                case "reset":
                    context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);
                    break;
                default:
                    throw new TimeoutException();
            }
        });

        // Where the head and the reset come at once, HttpClient may tell of the reset alone.
        Assert.True(exchange.Outcome is "none" or "200 cut", exchange.Outcome);
        Assert.Equal(code, exchange.ErrorCode);
        var again = await (await hosts.On(host, context => context.Response.WriteAsync("again"))).GetAsync();
        Assert.Equal("200 open", again.Outcome);
    }

    // The response is whole before the request is: the client is told to stop by NO_ERROR (RFC 9113, section 8.1).
    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task A_response_without_the_content_ends_the_upload(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync("enough"));

        using var response = await host.Client.PostAsync("/", new EndlessContent());

        Assert.Equal("enough", await response.Content.ReadAsStringAsync());
        Assert.Equal("200 open", (await host.GetAsync()).Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task Stopping_lets_running_requests_finish(HostKind kind)
    {
        const int Count = 10;
        var (started, stopping) = (new SemaphoreSlim(0), Signal());
        await using var host = await ParityHost.StartAsync(kind, _ => { }, _ => { });
        host.With(async context =>
        {
            started.Release();
            await stopping.Task.WaitAsync(Hosts.Patience);
            await context.Response.WriteAsync("finished");
        });

        var requests = Enumerable.Range(0, Count).Select(_ => host.Client.GetStringAsync("/")).ToArray();
        for (var request = 0; request < Count; request++)
            Assert.True(await started.WaitAsync(Hosts.Patience));
        var stopped = host.StopAsync();
        stopping.SetResult();

        Assert.All(await Task.WhenAll(requests), answer => Assert.Equal("finished", answer));
        await stopped;
    }

    [Theory]
    [MemberData(nameof(Hosts.Http2), MemberType = typeof(Hosts))]
    public async Task Streams_of_a_connection_have_a_context_and_an_identifier_each(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync($"{context.Connection.Id} {context.TraceIdentifier}"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.Client.GetStringAsync("/")));

        Assert.Single(answers.Select(answer => answer.Split(' ')[0]).Distinct());
        Assert.Equal(answers.Length, answers.Distinct().Count());
        Assert.All(answers, answer => Assert.Matches("^([0-9A-Z]+) \\1:[0-9A-F]{8}$", answer));
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Goes on until the stream ends.
    private sealed class EndlessContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream, System.Net.TransportContext? context, CancellationToken cancellationToken)
        {
            while (true)
                await stream.WriteAsync(Encoding.ASCII.GetBytes(new string('x', 1000)), cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
