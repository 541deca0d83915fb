// Writing a response: pipe and stream, large and small, streaming while the app runs, completion, sync I/O.

using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class ResponseBodyTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    private const int Mebibyte = 1024 * 1024;

    private static readonly byte[] Large = [.. Enumerable.Range(0, Mebibyte).Select(i => (byte)(i * 31))];

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task GetMemory_and_Advance_then_flush(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            var writer = context.Response.BodyWriter;
            for (var i = 0; i < 3; i++)
            {
                "hello "u8.CopyTo(writer.GetMemory(6).Span);
                writer.Advance(6);
            }
            await writer.FlushAsync();
        });

        Assert.Equal("hello hello hello ", await host.Client.GetStringAsync("/"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task What_was_advanced_and_never_flushed_is_sent_at_the_end(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            Put(context.Response.BodyWriter, "hello");
            return Task.CompletedTask;
        });

        Assert.Equal("hello", await host.Client.GetStringAsync("/"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_mebibyte_in_one_write(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.Body.WriteAsync(Large).AsTask());

        Assert.Equal(Large, await host.Client.GetByteArrayAsync("/"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_mebibyte_in_one_advance(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            Large.CopyTo(context.Response.BodyWriter.GetSpan(Mebibyte));
            context.Response.BodyWriter.Advance(Mebibyte);
            await context.Response.BodyWriter.FlushAsync();
        });

        Assert.Equal(Large, await host.Client.GetByteArrayAsync("/"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_mebibyte_with_its_length(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            context.Response.ContentLength = Mebibyte;
            for (var i = 0; i < Mebibyte; i += 64 * 1024)
                await context.Response.Body.WriteAsync(Large.AsMemory(i, 64 * 1024));
        });

        using var response = await host.Client.GetAsync("/");

        Assert.Equal(Mebibyte, response.Content.Headers.ContentLength);
        Assert.Equal(Large, await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Many_small_writes_keep_their_order(HostKind kind)
    {
        var expected = string.Concat(Enumerable.Range(0, 2000).Select(i => $"{i},"));
        var host = await hosts.On(kind, async context =>
        {
            for (var i = 0; i < 2000; i++)
                await context.Response.WriteAsync($"{i},");
        });

        Assert.Equal(expected, await host.Client.GetStringAsync("/"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Pipe_and_stream_may_be_mixed(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            Put(context.Response.BodyWriter, "a");
            await context.Response.Body.WriteAsync("b"u8.ToArray());
            Put(context.Response.BodyWriter, "c");
            await context.Response.BodyWriter.FlushAsync();
            await context.Response.WriteAsync("d");
        });

        Assert.Equal("abcd", await host.Client.GetStringAsync("/"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_flushed_write_is_with_the_client_while_the_app_goes_on(HostKind kind)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            await context.Response.WriteAsync("one");
            await seen.Task.WaitAsync(Hosts.Patience);
            await context.Response.WriteAsync("two");
        });

        using var response = await host.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        var body = await response.Content.ReadAsStreamAsync();
        var first = new byte[3];
        await body.ReadExactlyAsync(first);
        seen.SetResult();

        Assert.Equal("one", Encoding.ASCII.GetString(first));
        Assert.Equal("two", await new StreamReader(body).ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Events_arrive_one_by_one(HostKind kind)
    {
        using var wanted = new SemaphoreSlim(0);
        var host = await hosts.On(kind, async context =>
        {
            context.Response.ContentType = "text/event-stream";
            context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
            for (var i = 1; i <= 3; i++)
            {
                await wanted.WaitAsync();
                await context.Response.WriteAsync($"data: {i}\n\n");
                await context.Response.Body.FlushAsync();
            }
        });

        wanted.Release();
        using var response = await host.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync());
            Assert.Equal("", await reader.ReadLineAsync());
            wanted.Release();
        }
        Assert.Null(await reader.ReadLineAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task CompleteAsync_ends_the_response_while_the_app_goes_on(HostKind kind)
    {
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var late = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
        {
            await context.Response.WriteAsync("hello");
            await context.Response.CompleteAsync();
            await received.Task.WaitAsync(Hosts.Patience);
            late.SetResult(await Record.ExceptionAsync(() => context.Response.WriteAsync("late")));
        });

        await using var client = await host.ConnectAsync();
        await client.SendAsync(Wire.Get);
        var response = await client.ReadResponseAsync();
        received.SetResult();

        Assert.Equal("hello", response!.Content);
        Assert.True(response.IsComplete);
        Assert.IsType<InvalidOperationException>(await late.Task);
        Assert.True(await client.ProbeAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task CompleteAsync_throws_when_the_length_is_not_reached(HostKind host)
    {
        Exception? shortfall = null;
        var exchange = await hosts.GetAsync(host, async context =>
        {
            context.Response.ContentLength = 6;
            await context.Response.WriteAsync("hello");
            shortfall = await Record.ExceptionAsync(() => context.Response.CompleteAsync());
        });

        Assert.IsType<InvalidOperationException>(shortfall);
        Assert.Equal("200 cut", exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Completing_the_pipe_ends_the_response(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            Put(context.Response.BodyWriter, "hello");
            context.Response.BodyWriter.Complete();
            return Task.CompletedTask;
        });

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal("hello", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Each_flush_is_a_chunk(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, async context =>
        {
            await context.Response.WriteAsync("one");
            Put(context.Response.BodyWriter, "tw");
            Put(context.Response.BodyWriter, "o");
            await context.Response.BodyWriter.FlushAsync();
        });

        Assert.Equal("onetwo", exchange.Answer.Content);
        Assert.Equal("one", exchange.Answer.Chunks[0]);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Memory_lent_before_StartAsync(HostKind host)
    {
        var content = "hello"u8.ToArray();
        Exception? dead = null;
        var exchange = await hosts.GetAsync(host, async context =>
        {
            content.CopyTo(context.Response.BodyWriter.GetMemory(5));
            await context.Response.StartAsync();
            dead = Record.Exception(() => context.Response.BodyWriter.Advance(5));
        });

        Assert.Equal(Differences.MemoryLentBeforeStart.On(host), dead is null ? exchange.Answer.Content : "dead");
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task SendFileAsync_sends_the_file_and_its_part(HostKind kind)
    {
        var path = Path.GetTempFileName();
        await File.WriteAllBytesAsync(path, Large);
        var host = await hosts.On(kind, context => context.Request.Path == "/part"
            ? context.Response.SendFileAsync(path, 1000, 70_000)
            : context.Response.SendFileAsync(path));

        Assert.Equal(Large, await host.Client.GetByteArrayAsync("/"));
        Assert.Equal(Large[1000..71_000], await host.Client.GetByteArrayAsync("/part"));
        File.Delete(path);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Synchronous_io_is_refused_until_allowed(HostKind kind)
    {
        Exception? write = null, flush = null, read = null, allowed = null;
        var host = await hosts.On(kind, context =>
        {
            var control = context.Features.Get<IHttpBodyControlFeature>()!;
            Assert.False(control.AllowSynchronousIO);
            write = Record.Exception(() => context.Response.Body.Write("no"u8));
            flush = Record.Exception(() => context.Response.Body.Flush());
            read = Record.Exception(() => context.Request.Body.ReadByte());
            control.AllowSynchronousIO = true;
            allowed = Record.Exception(() =>
            {
                context.Response.Body.Write("yes"u8);
                context.Response.Body.Flush();
            });
            return Task.CompletedTask;
        });

        using var response = await host.Client.PostAsync("/", new StringContent("body"));

        Assert.Null(allowed);
        Assert.Equal("yes", await response.Content.ReadAsStringAsync());
        Assert.IsType<InvalidOperationException>(write);
        Assert.IsType<InvalidOperationException>(flush);
        Assert.IsType<InvalidOperationException>(read);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Middleware_may_put_its_own_stream_over_the_body(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            var original = context.Response.Body;
            using var buffer = new MemoryStream();
            context.Response.Body = buffer;
            await context.Response.WriteAsync("hello");
            context.Response.Body = original;
            await original.WriteAsync(Encoding.ASCII.GetString(buffer.ToArray()).ToUpperInvariant().Ascii());
        });

        Assert.Equal("HELLO", await host.Client.GetStringAsync("/"));
    }

    private static void Put(PipeWriter writer, string text)
    {
        text.Ascii().CopyTo(writer.GetSpan(text.Length));
        writer.Advance(text.Length);
    }
}
