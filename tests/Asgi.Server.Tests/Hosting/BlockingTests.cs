// Handlers that block their thread, on real threads: the loop they started on goes on without them. One loop, so that nothing is served
// elsewhere by chance.

using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Asgi.Server.Loops;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting;

public sealed class BlockingTests : IDisposable
{
    private readonly ManualResetEventSlim _gate = new();
    private readonly SemaphoreSlim _entered = new(0);

    // Opened and left to the garbage collector: a handler may still wait at it.
    public void Dispose() => _gate.Set();

    [Fact]
    public async Task A_handler_that_blocks_does_not_hold_up_the_other_connections_of_its_loop()
    {
        await using var host = await StartAsync();
        await using var blocked = await BlockAsync(host, "/block");

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("fast", (await GetAsync(host, "/fast")).Content);
        }

        _gate.Set();
        Assert.Equal("blocked", (await blocked.ReadResponseAsync())!.Content);
        Assert.True(await blocked.ProbeAsync());
    }

    [Fact]
    public async Task A_handler_that_waits_synchronously_for_its_own_content_gets_it()
    {
        await using var host = await StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync("POST /result HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234");
        await EnteredAsync();

        Assert.Equal("fast", (await GetAsync(host, "/fast")).Content);
        await client.SendAsync("56789");

        Assert.Equal("0123456789", (await client.ReadResponseAsync())!.Content);
    }

    [Theory]
    [InlineData(RequestDispatch.Adaptive)]
    [InlineData(RequestDispatch.Inline)]
    [InlineData(RequestDispatch.ThreadPool)]
    public async Task Synchronous_reads_and_writes_wait_for_their_client_and_for_nobody_else(RequestDispatch dispatch)
    {
        // What the sockets and the server hold is less than this, so the write has to wait for the client.
        const int Length = 20_000_000;
        await using var host = await StartAsync(options =>
        {
            options.Dispatch = dispatch;
            options.AllowSynchronousIO = true;
            options.HandOffThreshold = TimeSpan.FromMinutes(1);
        });
        await using var client = await host.ConnectAsync();
        await client.SendAsync($"POST /synchronous?{Length} HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
        await EnteredAsync();
        Assert.Equal("fast", (await GetAsync(host, "/fast")).Content);

        await client.SendAsync("0123456789");
        await EnteredAsync();
        Assert.Equal("fast", (await GetAsync(host, "/fast")).Content);

        var response = (await client.ReadResponseAsync())!;
        Assert.Equal(Length, response.Content.Length);
        Assert.Equal(Length, response.Content.Count(c => c == 'x'));
        Assert.True(await client.ProbeAsync());
    }

    [Fact]
    public async Task As_many_handlers_block_at_the_same_time_as_there_are_clients()
    {
        const int Clients = 64;
        await using var host = await StartAsync();
        var clients = new List<RawClient>();
        for (var i = 0; i < Clients; i++)
        {
            clients.Add(await host.ConnectAsync());
        }

        await Task.WhenAll(clients.Select(client => client.SendAsync(Request("/block"))));
        for (var i = 0; i < Clients; i++)
        {
            await EnteredAsync();
        }

        Assert.Equal("fast", (await GetAsync(host, "/fast")).Content);
        _gate.Set();
        foreach (var client in clients)
        {
            Assert.Equal("blocked", (await client.ReadResponseAsync())!.Content);
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_finds_no_thread_waits_and_what_finds_no_place_to_wait_is_answered_503()
    {
        var logs = new LogSink();
        await using var host = await StartAsync(
            options =>
            {
                options.AllowSynchronousIO = true;
                options.MaxSpareThreads = 1;
                options.MaxQueuedRequests = 2;
                options.Limits.RetryAfter = TimeSpan.FromSeconds(7);
            },
            logs);

        // One teaches, one has the only thread; two wait, whichever they are, and one is too many.
        List<RawClient> clients = [];
        for (var i = 0; i < 5; i++)
        {
            clients.Add(await host.ConnectAsync());
            await clients[i].SendAsync("POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n");
            if (i < 2)
            {
                await EnteredAsync();
            }
        }

        var refused = await Task.WhenAny(clients[2].ReadResponseAsync(), clients[3].ReadResponseAsync(), clients[4].ReadResponseAsync());
        var response = (await refused)!;
        Assert.Equal(503, response.Status);
        Assert.Equal("7", response.Field("Retry-After"));
        Assert.False(response.EndsWithClose);

        Assert.Equal("fast", (await GetAsync(host, "/fast")).Content);
        Assert.Equal(LogLevel.Warning, Assert.Single(logs.Lines, line => line.Id.Name == "RequestsRejected").Level);
        foreach (var client in clients[..2])
        {
            await client.SendAsync("!");
            Assert.Equal("!", (await client.ReadResponseAsync("POST"))!.Content);
        }

        clients.ForEach(client => client.Reset());
    }

    [Fact]
    public async Task One_log_line_names_the_route_and_the_meter_counts()
    {
        var logs = new LogSink();
        long handOffs = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: "Asgi.Server", Name: "asgi.server.hand_offs" })
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref handOffs, count));
        listener.Start();
        await using var host = await StartAsync(logs: logs);

        List<RawClient> clients = [];
        for (var i = 0; i < 10; i++)
        {
            clients.Add(await BlockAsync(host, $"/block/{i}?x={i}"));
        }

        var line = Assert.Single(logs.Lines, line => line.Id.Name == "RouteBlocks");
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("the blocking route", line.Message, StringComparison.Ordinal);
        Assert.Contains("GET /block/", line.Message, StringComparison.Ordinal);
        Assert.InRange(Interlocked.Read(ref handOffs), 2, 100);
        _gate.Set();
        foreach (var client in clients)
        {
            Assert.Equal("blocked", (await client.ReadResponseAsync())!.Content);
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_stop_waits_for_handlers_that_block_and_their_answers_are_delivered()
    {
        await using var host = await StartAsync();
        await using var blocked = await BlockAsync(host, "/block");

        var stop = host.StopAsync();
        Assert.False(stop.IsCompleted);
        _gate.Set();

        Assert.Equal("blocked", (await blocked.ReadResponseAsync())!.Content);
        await stop;
    }

    [Fact]
    public async Task A_forced_stop_does_not_wait_for_a_handler_that_blocks()
    {
        await using var host = await StartAsync();
        await using var blocked = await BlockAsync(host, "/block");

        await host.StopAsync(new CancellationToken(canceled: true));

        Assert.False(_gate.IsSet);
    }

    [Theory]
    [InlineData(RequestDispatch.Adaptive, "asgi loop 0", false)]
    [InlineData(RequestDispatch.Inline, "asgi loop 0", false)]
    [InlineData(RequestDispatch.ThreadPool, null, true)]
    public async Task Requests_start_where_the_option_says(RequestDispatch dispatch, string? thread, bool isPool)
    {
        (string? Name, bool IsPool) seen = default;
        await using var host = await AppHost.StartAsync(
            context =>
            {
                seen = (Thread.CurrentThread.Name, Thread.CurrentThread.IsThreadPoolThread);
                return Task.CompletedTask;
            },
            options => (options.LoopCount, options.Dispatch, options.HandOffThreshold) = (1, dispatch, TimeSpan.FromMinutes(1)));

        await using var client = await host.ConnectAsync();
        await client.SendAsync(Request("/"));
        Assert.Equal(200, (await client.ReadResponseAsync())!.Status);

        Assert.Equal(isPool, seen.IsPool);
        if (thread is not null)
        {
            Assert.Equal(thread, seen.Name);
        }
    }

    // Every kind of blocking at once, with a threshold so small that hand-offs meet returns, writes and ends: each answer is the one its
    // request asked for.
    [Theory]
    [InlineData(RequestDispatch.Adaptive, 1)]
    [InlineData(RequestDispatch.Adaptive, 2)]
    [InlineData(RequestDispatch.ThreadPool, 2)]
    public async Task Under_a_mixed_load_every_answer_is_right(RequestDispatch dispatch, int loopCount)
    {
        var failures = new ConcurrentQueue<string>();
        await using var host = await AppHost.StartAsync(
            MixedAsync,
            options =>
            {
                options.LoopCount = loopCount;
                options.Dispatch = dispatch;
                options.HandOffThreshold = TimeSpan.FromMilliseconds(1);
                options.MaxSpareThreads = 8;
                options.AllowSynchronousIO = true;
            });

        await Task.WhenAll(Enumerable.Range(0, 24).Select(client => Task.Run(async () =>
        {
            var random = new Random(client);
            for (var connection = 0; connection < 4; connection++)
            {
                await using var raw = await host.ConnectAsync();
                for (var request = 0; request < 25; request++)
                {
                    var content = new string((char)('a' + client), random.Next(1, 30_000));
                    var kind = random.Next(8);
                    await raw.SendAsync($"POST /{kind}?{client}.{request} HTTP/1.1\r\nHost: h\r\nContent-Length: {content.Length}\r\n\r\n");
                    await raw.SendAsync(content);
                    var response = await raw.ReadResponseAsync("POST");
                    if (response is not { Status: 200, IsComplete: true } || response.Content != $"{client}.{request} {content}")
                    {
                        failures.Enqueue($"client {client}, connection {connection}, request {request} of kind {kind}: {response?.Status}");
                        return;
                    }
                }

                if (random.Next(2) == 0)
                {
                    raw.Reset();
                }
            }
        })));

        Assert.Empty(failures);
    }

    private static async Task MixedAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var prefix = $"{request.QueryString.Value![1..]} ";
        switch (request.Path.Value)
        {
            case "/0":
                await response.WriteAsync(prefix + await new StreamReader(request.Body).ReadToEndAsync());
                break;
            case "/1":
                var text = new StreamReader(request.Body).ReadToEnd();
                response.Body.Write(System.Text.Encoding.ASCII.GetBytes(prefix + text));
                break;
            case "/2":
                text = new StreamReader(request.Body).ReadToEndAsync().Result;
                response.WriteAsync(prefix + text).Wait();
                break;
            case "/3":
                Spin();
                text = await new StreamReader(request.Body).ReadToEndAsync();
                Spin();
                response.ContentLength = prefix.Length + text.Length;
                await response.WriteAsync(prefix);
                Spin();
                await response.WriteAsync(text);
                break;
            case "/4":
                await response.WriteAsync(prefix);
                Wait();
                await request.Body.CopyToAsync(response.Body);
                Wait();
                break;
            case "/5":
                response.OnStarting(() =>
                {
                    Wait();
                    return Task.CompletedTask;
                });
                response.OnCompleted(() =>
                {
                    Spin();
                    return Task.CompletedTask;
                });
                text = await new StreamReader(request.Body).ReadToEndAsync();
                await response.WriteAsync(prefix + text);
                await response.CompleteAsync();
                Spin();
                break;
            case "/6":
                await Task.Yield();
                text = await new StreamReader(request.Body).ReadToEndAsync();
                Wait();
                response.Body.Write(System.Text.Encoding.ASCII.GetBytes(prefix + text));
                response.Body.Flush();
                break;
            default:
                lock (typeof(BlockingTests))
                {
                    Spin();
                }

                response.BodyWriter.Write(System.Text.Encoding.ASCII.GetBytes(prefix));
                await request.BodyReader.CopyToAsync(response.BodyWriter);
                break;
        }

        // Blocks its loop until the loop is handed off. A thread of the pool need not; it may have had a simulated one in another test.
        static void Wait() => Assert.True(
            Thread.CurrentThread.IsThreadPoolThread || SpinWait.SpinUntil(() => Loop.Current is null, AppHost.Patience));

        static void Spin() => Thread.SpinWait(30_000);
    }

    private static string Request(string path) => $"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n";

    private static async Task<RawResponse> GetAsync(AppHost host, string path)
    {
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Request(path));
        return (await client.ReadResponseAsync())!;
    }

    private async Task EnteredAsync() => Assert.True(await _entered.WaitAsync(AppHost.Patience));

    private async Task<RawClient> BlockAsync(AppHost host, string path)
    {
        var client = await host.ConnectAsync();
        await client.SendAsync(Request(path));
        await EnteredAsync();
        return client;
    }

    private Task<AppHost> StartAsync(Action<AsgiServerOptions>? configure = null, LogSink? logs = null) => AppHost.StartAsync(
        context =>
        {
            var path = context.Request.Path.Value!;
            if (path == "/fast")
            {
                return context.Response.WriteAsync("fast");
            }

            if (path == "/result")
            {
                _entered.Release();
                return context.Response.WriteAsync(new StreamReader(context.Request.Body).ReadToEndAsync().Result);
            }

            if (path == "/read")
            {
                _entered.Release();
                return context.Response.WriteAsync(((char)context.Request.Body.ReadByte()).ToString());
            }

            if (path == "/synchronous")
            {
                _entered.Release();
                var text = new StreamReader(context.Request.Body).ReadToEnd();
                Assert.Equal("0123456789", text);
                _entered.Release();
                context.Response.Body.Write(Enumerable.Repeat((byte)'x', 20_000_000).ToArray());
                return Task.CompletedTask;
            }

            context.Features.Get<IEndpointFeature>()!.Endpoint = new Endpoint(null, null, "the blocking route");
            _entered.Release();
            _gate.Wait();
            return context.Response.WriteAsync("blocked");
        },
        options =>
        {
            options.LoopCount = 1;
            configure?.Invoke(options);
        },
        logs);
}
