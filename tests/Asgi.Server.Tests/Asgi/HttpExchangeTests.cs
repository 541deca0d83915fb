// The exchange as a native application uses it: the order of messages, content and its length, statuses and methods without content
// (RFC 9110, sections 6.4, 8.6 and 9.3.2), and what the server does when the application breaks a rule.

using System.Buffers;
using System.Text;
using Asgi.Server.Testing;

namespace Asgi.Server.Tests.Waist;

public sealed class HttpExchangeTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string Head = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static readonly ResponseBody Four = new("four"u8.ToArray());
    private static readonly ResponseBody FourOfMore = Four with { MoreBody = true };

    [Fact]
    public async Task One_body_gives_a_length()
    {
        var exchange = await NativeHost.ExchangeAsync(Get, Respond(200, null, Four));

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal("length 4", exchange.Answer.Framing);
        Assert.Equal("four", exchange.Answer.Content);
    }

    [Fact]
    public async Task Several_bodies_without_a_length_are_chunked()
    {
        var exchange = await NativeHost.ExchangeAsync(Get, Respond(200, null, FourOfMore, FourOfMore, default));

        Assert.Equal("chunked", exchange.Answer.Framing);
        Assert.Equal(["four", "four"], exchange.Answer.Chunks);
        Assert.Equal("200 open", exchange.Outcome);
    }

    [Fact]
    public async Task Several_bodies_of_the_length_announced_are_raw()
    {
        var exchange = await NativeHost.ExchangeAsync(Get, Respond(200, new FieldList().Add("Content-Length", "8"), FourOfMore, Four));

        Assert.Equal("length 8", exchange.Answer.Framing);
        Assert.Equal("fourfour", exchange.Answer.Content);
        Assert.Equal("200 open", exchange.Outcome);
    }

    [Fact]
    public async Task Content_may_be_written_into_the_servers_memory()
    {
        var exchange = await NativeHost.ExchangeAsync(Get, async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            exchange.Write("one "u8);
            await exchange.FlushAsync();
            "two"u8.CopyTo(exchange.GetSpan(3));
            exchange.Advance(3);
            await exchange.SendAsync(default);
        });

        Assert.Equal(["one ", "two"], exchange.Answer.Chunks);
    }

    [Fact]
    public async Task The_reason_phrase_is_the_applications()
    {
        var exchange = await NativeHost.ExchangeAsync(Get, exchange =>
        {
            exchange.Send(new ResponseStart(299) { ReasonPhrase = "Quite Fine" });
            return exchange.SendAsync(default);
        });

        Assert.Equal("HTTP/1.1 299 Quite Fine", exchange.Answer.StatusLine);
        Assert.Equal("length 0", exchange.Answer.Framing);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(999)]
    public async Task A_final_status_is_sent_as_it_is(int status)
    {
        var exchange = await NativeHost.ExchangeAsync(Get, Respond(status, null, Four));

        Assert.Equal($"{status} open", exchange.Outcome);
    }

    [Fact]
    public async Task The_scope_is_what_the_client_asked()
    {
        var seen = "";
        await NativeHost.ExchangeAsync("PUT /a%20b?c=d%20 HTTP/1.0\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n", exchange =>
        {
            var scope = exchange.Scope;
            seen = $"{scope.HttpVersion} {scope.Scheme} {scope.Method} [{scope.Path}] {Encoding.ASCII.GetString(scope.RawPath)} "
                + $"{Encoding.ASCII.GetString(scope.QueryString)} {scope.RawTarget} {scope.Headers.Count}";
            Assert.NotNull(scope.Client);
            Assert.NotNull(scope.Server);
            exchange.Send(new ResponseStart(200));
            return exchange.SendAsync(default);
        });

        Assert.Equal("1.0 http PUT [/a b] /a%20b c=d%20 /a%20b?c=d%20 2", seen);
    }

    public static TheoryData<string, Func<HttpExchange, ValueTask>> Disorders => new()
    {
        { "start twice", Respond(exchange => exchange.Send(new ResponseStart(201))) },
        { "start after the head", Respond(async exchange => { await exchange.FlushAsync(); exchange.Send(new ResponseStart(201)); }) },
        { "start after the end", Respond(async exchange => { await exchange.SendAsync(Four); exchange.Send(new ResponseStart(201)); }) },
        { "body after the end", Respond(async exchange => { await exchange.SendAsync(Four); await exchange.SendAsync(Four); }) },
        { "flush after the end", Respond(async exchange => { await exchange.SendAsync(Four); await exchange.FlushAsync(); }) },
        { "advance after the end", Respond(async exchange => { await exchange.SendAsync(Four); exchange.Advance(1); }) },
        { "body before the start", async exchange => await exchange.SendAsync(Four) },
        { "flush before the start", async exchange => await exchange.FlushAsync() },
        { "release of nothing", exchange => { exchange.AdvanceTo(default, default); return default; } },
        { "receive twice", async exchange => { await exchange.ReceiveAsync(); await exchange.ReceiveAsync(); } },
    };

    [Theory]
    [MemberData(nameof(Disorders))]
    public async Task A_message_out_of_order_is_an_InvalidOperationException(string name, Func<HttpExchange, ValueTask> app)
    {
        Exception? error = null;
        var exchange = await NativeHost.ExchangeAsync(
            Get, async exchange => error = await Record.ExceptionAsync(() => app(exchange).AsTask()));

        Assert.True(error is InvalidOperationException, $"{name}: {error}");
        Assert.Contains(exchange.Answer.Status, new[] { 200, 500 });
    }

    [Theory]
    [InlineData(199)]
    [InlineData(1000)]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_status_that_is_no_final_one_is_refused(int status)
    {
        Exception? error = null;
        var exchange = await NativeHost.ExchangeAsync(Get, exchange =>
        {
            error = Record.Exception(() => exchange.Send(new ResponseStart(status)));
            exchange.Send(new ResponseStart(200));
            return exchange.SendAsync(default);
        });

        Assert.IsAssignableFrom<ArgumentException>(error);
        Assert.Equal("200 open", exchange.Outcome);
    }

    public static TheoryData<string, Func<HttpExchange, ValueTask>, string> Failures => new()
    {
        { "throws before the start", _ => throw new NotSupportedException(), "500 open" },
        { "throws while the start is held", Respond(_ => throw new NotSupportedException()), "500 open" },
        { "fails later", async _ => { await Task.Yield(); throw new NotSupportedException(); }, "500 open" },
        { "returns without a start", _ => default, "500 open" },
        { "returns without a body", Respond(_ => { }), "500 open" },
        { "throws after the head", Respond(ThrowAfterTheHeadAsync), "200 cut" },
        { "returns without the end", Respond(200, null, FourOfMore), "200 cut" },
        { "too many at once", Respond(200, new FieldList().Add("Content-Length", "3"), Four), "500 closed" },
        { "too many later", Respond(200, new FieldList().Add("Content-Length", "7"), FourOfMore, Four), "200 cut" },
        { "too few at once", Respond(200, new FieldList().Add("Content-Length", "5"), Four), "500 closed" },
        { "too few later", Respond(200, new FieldList().Add("Content-Length", "9"), FourOfMore, Four), "200 cut" },
        { "none of those announced", Respond(200, new FieldList().Add("Content-Length", "1"), default(ResponseBody)), "500 open" },
        { "aborts", exchange => { exchange.Abort(); return default; }, "none" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failure_is_500_before_the_head_and_a_cut_after_it(string name, Func<HttpExchange, ValueTask> app, string outcome)
    {
        var exchange = await NativeHost.ExchangeAsync(Get, app);

        Assert.Equal($"{name}: {outcome}", $"{name}: {exchange.Outcome}");
    }

    [Theory]
    [InlineData(null, "none")]
    [InlineData("4", "length 4")]
    [InlineData("9", "length 9")]
    public async Task Head_sends_no_content_and_the_length_it_is_told(string? length, string framing)
    {
        var fields = length is null ? null : new FieldList().Add("Content-Length", length);

        var exchange = await NativeHost.ExchangeAsync(Head, Respond(200, fields, FourOfMore, default));

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal(framing, exchange.Answer.Framing);
        Assert.Equal("", exchange.Answer.Content);
    }

    [Theory]
    [InlineData(204, null, "204 open", "none")]
    [InlineData(204, "0", "204 open", "none")]
    [InlineData(204, "1", "500 open", "length 0")]
    [InlineData(205, null, "205 open", "length 0")]
    [InlineData(205, "1", "500 open", "length 0")]
    [InlineData(304, null, "304 open", "none")]
    [InlineData(304, "9", "304 open", "length 9")]
    public async Task Statuses_without_content(int status, string? length, string outcome, string framing)
    {
        var fields = length is null ? null : new FieldList().Add("Content-Length", length);

        var exchange = await NativeHost.ExchangeAsync(Get, Respond(status, fields, default(ResponseBody)));

        Assert.Equal(outcome, exchange.Outcome);
        Assert.Equal(framing, exchange.Answer.Framing);
    }

    [Theory]
    [InlineData(204)]
    [InlineData(205)]
    [InlineData(304)]
    public async Task Content_where_there_must_be_none_is_an_error_and_never_sent(int status)
    {
        Exception? error = null;
        var exchange = await NativeHost.ExchangeAsync(Get, async exchange =>
        {
            exchange.Send(new ResponseStart(status));
            error = await Record.ExceptionAsync(() => exchange.SendAsync(Four).AsTask());
        });

        Assert.IsType<InvalidOperationException>(error);
        Assert.Equal(500, exchange.Answer.Status);
    }

    [Theory]
    [InlineData("Connection", "close", "200 closed")]
    [InlineData("Connection", "keep-alive", "200 open")]
    [InlineData("Date", "today", "200 open")]
    [InlineData("Server", "mine", "200 open")]
    [InlineData("Transfer-Encoding", "gzip", "200 open")]
    public async Task Fields_of_the_applications_own(string name, string value, string outcome)
    {
        var exchange = await NativeHost.ExchangeAsync(Get, Respond(200, new FieldList().Add(name, value), Four));

        Assert.Equal(outcome, exchange.Outcome);
        Assert.Equal(name == "Transfer-Encoding" ? null : value, exchange.Answer.Field(name));
        Assert.Equal("four", exchange.Answer.Content);
    }

    [Fact]
    public async Task Content_is_received_as_it_arrives()
    {
        await using var host = await NativeHost.StartAsync(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            while (true)
            {
                var message = await exchange.ReceiveAsync();
                exchange.Write(message.Body.ToArray());
                exchange.AdvanceTo(message.Body.End, message.Body.End);
                if (!message.MoreBody)
                    break;
                await exchange.FlushAsync();
            }
            await exchange.SendAsync(default);
        });
        await using var client = await RawClient.ConnectAsync(host.EndPoint);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\none");
        Assert.Equal(200, (await client.ReadHeadAsync())!.Status);
        Assert.Equal("one", await client.ReadChunkAsync());
        await client.SendAsync("two");

        Assert.Equal("two", await client.ReadChunkAsync());
        Assert.Equal("", await client.ReadChunkAsync());
    }

    [Fact]
    public async Task What_was_examined_and_not_consumed_comes_again_with_more()
    {
        List<string> seen = [];
        var examined = new TaskCompletionSource();
        await using var host = await NativeHost.StartAsync(async exchange =>
        {
            var message = await exchange.ReceiveAsync();
            seen.Add(Encoding.ASCII.GetString(message.Body));
            exchange.AdvanceTo(message.Body.GetPosition(1), message.Body.End);
            examined.SetResult();
            message = await exchange.ReceiveAsync();
            seen.Add(Encoding.ASCII.GetString(message.Body));
            exchange.AdvanceTo(message.Body.End, message.Body.End);
            exchange.Send(new ResponseStart(200));
            await exchange.SendAsync(default);
        });
        await using var client = await RawClient.ConnectAsync(host.EndPoint);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
        await examined.Task.WaitAsync(AppHost.Patience);
        await client.SendAsync("def");

        Assert.Equal(200, (await client.ReadResponseAsync())!.Status);
        Assert.Equal(["abc", "bcdef"], seen);
    }

    [Fact]
    public async Task A_client_that_leaves_is_a_disconnect()
    {
        var entered = new TaskCompletionSource();
        var message = new TaskCompletionSource<RequestBody>();
        await using var host = await NativeHost.StartAsync(async exchange =>
        {
            var disconnected = new TaskCompletionSource();
            await using var registration = exchange.Disconnected.Register(disconnected.SetResult);
            var first = await exchange.ReceiveAsync();
            exchange.AdvanceTo(first.Body.End, first.Body.End);
            entered.SetResult();
            var last = await exchange.ReceiveAsync();
            await disconnected.Task;
            message.SetResult(last);
        });
        await using (var client = await RawClient.ConnectAsync(host.EndPoint))
        {
            await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
            await entered.Task.WaitAsync(AppHost.Patience);
            client.Reset();
        }

        Assert.True((await message.Task.WaitAsync(AppHost.Patience)).IsDisconnect);
    }

    [Fact]
    public async Task A_receive_may_be_cancelled_and_goes_on()
    {
        await using var host = await NativeHost.StartAsync(async exchange =>
        {
            using var cancel = new CancellationTokenSource();
            var receive = exchange.ReceiveAsync(cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receive);

            exchange.Send(new ResponseStart(200));
            await exchange.SendAsync(FourOfMore);
            var message = await exchange.ReceiveAsync();
            exchange.AdvanceTo(message.Body.End, message.Body.End);
            await exchange.SendAsync(new ResponseBody("end"u8.ToArray()));
        });
        await using var client = await RawClient.ConnectAsync(host.EndPoint);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
        Assert.Equal(200, (await client.ReadHeadAsync())!.Status);
        Assert.Equal("four", await client.ReadChunkAsync());
        await client.SendAsync("abc");

        Assert.Equal("end", await client.ReadChunkAsync());
    }

    private static async Task ThrowAfterTheHeadAsync(HttpExchange exchange)
    {
        await exchange.SendAsync(FourOfMore);
        throw new NotSupportedException();
    }

    private static Func<HttpExchange, ValueTask> Respond(int status, FieldList? fields, params ResponseBody[] bodies) => async exchange =>
    {
        exchange.Send(new ResponseStart(status, fields));
        foreach (var body in bodies)
            await exchange.SendAsync(body);
    };

    private static Func<HttpExchange, ValueTask> Respond(Action<HttpExchange> rest) => Respond(exchange =>
    {
        rest(exchange);
        return Task.CompletedTask;
    });

    private static Func<HttpExchange, ValueTask> Respond(Func<HttpExchange, Task> rest) => async exchange =>
    {
        exchange.Send(new ResponseStart(200));
        await rest(exchange);
    };
}
