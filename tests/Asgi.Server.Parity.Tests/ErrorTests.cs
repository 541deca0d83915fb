// What the client sees when the app fails, and what a handler may still do.

using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public sealed class ErrorTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    private static readonly Dictionary<string, Shape> Shapes = new()
    {
        ["a throw before the start"] = new(_ => throw new TimeoutException(), "500 open", "length 0"),
        ["a throw later, before the start"] = new(async _ =>
        {
            await Task.Yield();
            throw new TimeoutException();
        }, "500 open", "length 0"),
        ["a throw before the start, close asked"] = new(_ => throw new TimeoutException(), "500 closed", "length 0")
        { Request = Wire.GetAndClose },
        ["a throw to HEAD"] = new(_ => throw new TimeoutException(), "500 open") { Request = Wire.Head },
        ["a throw after the start, chunked"] = new(async c =>
        {
            await c.Response.WriteAsync("hello");
            throw new TimeoutException();
        }, "200 cut", "chunked", "hello"),
        ["a throw after the start, with a length"] = new(async c =>
        {
            c.Response.ContentLength = 10;
            await c.Response.WriteAsync("hello");
            throw new TimeoutException();
        }, "200 cut", "length 10", "hello"),
        ["a cancellation nobody asked for"] = new(_ => throw new OperationCanceledException(), "500 open", "length 0"),
        ["an unread body, then a throw"] = new(_ => throw new TimeoutException(), "500 open", "length 0") { Request = Wire.Post("hello") },
        ["Content-Length over in the first write"] = new(c =>
        {
            c.Response.ContentLength = 4;
            return c.Response.Body.WriteAsync("hello"u8.ToArray()).AsTask();
        }, "500 closed", "length 0"),
        // WriteAsync(string) calls StartAsync before it writes, so the head is committed.
        ["Content-Length over in the first write of a string"] = new(c =>
        {
            c.Response.ContentLength = 4;
            return c.Response.WriteAsync("hello");
        }, "200 cut", "length 4"),
        ["Content-Length over in the second write"] = new(async c =>
        {
            c.Response.ContentLength = 6;
            await c.Response.WriteAsync("hello");
            await c.Response.WriteAsync("world");
        }, "200 cut", "length 6", "hello"),
        ["Content-Length under, something written"] = new(c =>
        {
            c.Response.ContentLength = 6;
            return c.Response.WriteAsync("hello");
        }, "200 cut", "length 6", "hello"),
        ["Content-Length under, nothing written"] = new(c =>
        {
            c.Response.ContentLength = 6;
            return Task.CompletedTask;
        }, "500 open", "length 0"),
        ["BadHttpRequestException, its own status"] = new(_ => throw new BadHttpRequestException("tea", 418), "418 closed", "length 0"),
        ["BadHttpRequestException, 400"] = new(_ => throw new BadHttpRequestException("no"), "400 closed", "length 0"),
        ["BadHttpRequestException after the start"] = new(async c =>
        {
            await c.Response.WriteAsync("hello");
            throw new BadHttpRequestException("no");
        }, "200 cut", "chunked", "hello"),
        ["a write with 204"] = new(WriteWith(204), "204 closed", "none") { Http2Outcome = Differences.WriteWith204OverHttp2 },
        ["a write with 304"] = new(WriteWith(304), "304 closed", "none") { Http2Outcome = Differences.WriteWith304OverHttp2 },
        ["a throw in OnStarting"] = new(c =>
        {
            c.Response.OnStarting(() => throw new TimeoutException());
            return Task.CompletedTask;
        }, "500 open", "length 0"),
        ["a throw in OnCompleted"] = new(c =>
        {
            c.Response.OnCompleted(() => throw new TimeoutException());
            return Task.CompletedTask;
        }, "200 open", "length 0"),
        ["an error the app handled"] = new(async c =>
        {
            try
            {
                throw new TimeoutException();
            }
            catch (TimeoutException)
            {
                c.Response.Clear();
                c.Response.StatusCode = 504;
                await c.Response.WriteAsync("late");
            }
        }, "504 open", "chunked", "late"),
    };

    public static TheoryData<HostKind, string> Rows => Shape.Rows(Shapes);

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task The_client_sees(HostKind host, string shape) => await Shapes[shape].AssertAsync(await hosts.On(host));

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task An_error_before_the_start_takes_the_apps_fields_with_it(HostKind host)
    {
        var started = false;
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.Headers["X-App"] = "1";
            context.Response.Headers.CacheControl = "public";
            context.Response.OnStarting(() =>
            {
                started = true;
                return Task.CompletedTask;
            });
            throw new TimeoutException();
        });

        Assert.Equal(host.IsHttp2() ? "HTTP/2 500" : "HTTP/1.1 500 Internal Server Error", exchange.Answer.StatusLine);
        Assert.Null(exchange.Answer.Field("X-App"));
        Assert.Null(exchange.Answer.Field("Cache-Control"));
        Assert.NotNull(exchange.Answer.Field("Date"));
        Assert.False(started);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Too_many_or_forbidden_bytes_throw_at_the_write(HostKind host)
    {
        Exception? over = null, forbidden = null;
        await hosts.GetAsync(host, async context =>
        {
            context.Response.ContentLength = 1;
            over = await Record.ExceptionAsync(() => context.Response.WriteAsync("hello"));
        });
        await hosts.GetAsync(host, async context =>
        {
            context.Response.StatusCode = 204;
            forbidden = await Record.ExceptionAsync(() => context.Response.WriteAsync("hello"));
        });

        Assert.IsType<InvalidOperationException>(over);
        Assert.IsType<InvalidOperationException>(forbidden);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task A_write_after_the_request_throws_ObjectDisposedException(HostKind host)
    {
        HttpResponse? response = null;
        Stream? body = null;
        var completed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await hosts.GetAsync(host, context =>
        {
            response = context.Response;
            body = context.Response.Body;
            context.Response.OnCompleted(() =>
            {
                completed.SetResult();
                return Task.CompletedTask;
            });
            return body.WriteAsync("hello"u8.ToArray()).AsTask();
        });
        await completed.Task.WaitAsync(Hosts.Patience);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => body!.WriteAsync("late"u8.ToArray()).AsTask());
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task A_read_after_the_request_throws_ObjectDisposedException(HostKind host)
    {
        Stream? body = null;
        await hosts.ExchangeAsync(host, Wire.Post("hello"), context =>
        {
            body = context.Request.Body;
            return Task.CompletedTask;
        });

        await Assert.ThrowsAsync<ObjectDisposedException>(() => body!.ReadAsync(new byte[1]).AsTask());
    }

    private static RequestDelegate WriteWith(int status) => context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync("hello");
    };
}
