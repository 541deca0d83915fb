// Response headers from the application to the bytes: when they freeze, what replaces them, and what is refused at the last moment.

using Asgi.Server.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server.Tests.Application;

public sealed class ResponseHeadersOnTheWireTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Fact]
    public async Task Each_value_is_a_line_null_is_none_and_empty_is_one()
    {
        var answer = await AnswerAsync(context =>
        {
            context.Response.Headers["X-A"] = new StringValues(["1", null, "", "2"]);
            context.Response.Headers["X-Null"] = new StringValues([null, null]);
            return Task.CompletedTask;
        });

        Assert.Equal(["1", "", "2"], answer.Values("X-A"));
        Assert.Empty(answer.Values("X-Null"));
    }

    [Fact]
    public async Task Headers_are_read_only_once_the_response_has_started()
    {
        await AnswerAsync(async context =>
        {
            var headers = context.Response.Headers;
            headers["X-A"] = "1";
            Assert.False(headers.IsReadOnly);

            await context.Response.StartAsync();

            Assert.True(headers.IsReadOnly);
            Assert.Equal("1", headers["X-A"]);
            Assert.Throws<InvalidOperationException>(() => headers["X-A"] = "2");
            Assert.Throws<InvalidOperationException>(() => headers.Append("X-B", "2"));
            Assert.Throws<InvalidOperationException>(() => headers.Remove("X-A"));
            Assert.Throws<InvalidOperationException>(() => headers.Remove("X-None"));
            Assert.Throws<InvalidOperationException>(headers.Clear);
            Assert.Throws<InvalidOperationException>(() => headers.ContentLength = 1);
        });
    }

    [Fact]
    public async Task A_replaced_dictionary_is_what_is_sent()
    {
        var answer = await AnswerAsync(context =>
        {
            context.Response.Headers["X-Old"] = "old";
            context.Features.Get<IHttpResponseFeature>()!.Headers = new HeaderDictionary
            {
                ["X-New"] = "new",
                ["Content-Length"] = "2",
                ["Server"] = "other",
            };
            return context.Response.WriteAsync("ok");
        });

        Assert.Null(answer.Field("X-Old"));
        Assert.Equal("new", answer.Field("X-New"));
        Assert.Equal("length 2", answer.Framing);
        Assert.Equal("other", answer.Field("Server"));
    }

    [Fact]
    public async Task A_replaced_dictionary_lasts_one_request()
    {
        var requests = 0;
        await using var host = await AppHost.StartAsync(context =>
        {
            if (requests++ == 0)
                context.Features.Get<IHttpResponseFeature>()!.Headers = new HeaderDictionary { ["X-New"] = "new" };
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Get + Get);

        Assert.Equal("new", (await client.ReadResponseAsync())!.Field("X-New"));
        Assert.Null((await client.ReadResponseAsync())!.Field("X-New"));
    }

    [Theory]
    [InlineData("X A", "v")]
    [InlineData("X", "a\r\nB: c")]
    [InlineData("Content-Length", "-1")]
    public async Task A_replaced_dictionary_is_checked_like_the_servers_own(string name, string value)
    {
        var answer = await AnswerAsync(
            context =>
            {
                context.Features.Get<IHttpResponseFeature>()!.Headers = new HeaderDictionary { [name] = value };
                return context.Response.WriteAsync("never sent");
            },
            status: 500);

        Assert.Equal("", answer.Content);
    }

    // A StringValues is a view of the array it was made of: what was checked when it was set may have changed since.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_value_changed_behind_the_dictionary_splits_no_response(bool isWritten)
    {
        var answer = await AnswerAsync(
            context =>
            {
                string[] values = ["innocent"];
                context.Response.Headers["X-A"] = new StringValues(values);
                values[0] = "a\r\nX-Injected: b";
                return isWritten ? context.Response.WriteAsync("never sent") : Task.CompletedTask;
            },
            status: 500);

        Assert.Equal("", answer.Content);
        Assert.Empty(answer.Values("X-A"));
        Assert.Empty(answer.Values("X-Injected"));
    }

    [Theory]
    [InlineData("a\r\nX-Injected: b")]
    [InlineData("a\nb")]
    [InlineData("ä")]
    public async Task A_reason_phrase_splits_no_response(string phrase)
    {
        var answer = await AnswerAsync(
            context =>
            {
                context.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = phrase;
                return context.Response.WriteAsync("never sent");
            },
            status: 500);

        Assert.Equal("HTTP/1.1 500 Internal Server Error", answer.StatusLine);
        Assert.Empty(answer.Values("X-Injected"));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5_000)]
    [InlineData(100_000)]
    public async Task A_head_of_any_size_is_sent_whole(int size)
    {
        var answer = await AnswerAsync(context =>
        {
            context.Response.Headers["X-Large"] = new string('x', size);
            return context.Response.WriteAsync("content");
        });

        Assert.Equal(size, answer.Field("X-Large")!.Length);
        Assert.Equal("content", answer.Content);
    }

    [Fact]
    public async Task Date_and_Server_of_the_application_win()
    {
        var answer = await AnswerAsync(context =>
        {
            context.Response.Headers.Date = "Thu, 01 Jan 1970 00:00:00 GMT";
            context.Response.Headers.Server = "mine";
            return Task.CompletedTask;
        });

        Assert.Equal("Thu, 01 Jan 1970 00:00:00 GMT", answer.Field("Date"));
        Assert.Equal("mine", answer.Field("Server"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_Server_field_is_an_option(bool add)
    {
        var exchange = await AppHost.ExchangeAsync(Get, _ => Task.CompletedTask, options => options.AddServerHeader = add);

        Assert.Equal(add ? "Asgi.Server" : null, exchange.Answer.Field("Server"));
        Assert.NotNull(exchange.Answer.Field("Date"));
    }

    [Fact]
    public async Task A_refused_request_carries_no_Server_field_either()
    {
        var exchange = await AppHost.ExchangeAsync(
            "GET / HTTP/1.1\r\n\r\n", _ => Task.CompletedTask, options => options.AddServerHeader = false);

        Assert.Equal(400, exchange.Answer.Status);
        Assert.Null(exchange.Answer.Field("Server"));
    }

    private static async Task<RawResponse> AnswerAsync(RequestDelegate app, int status = 200)
    {
        Exception? failure = null;
        var exchange = await AppHost.ExchangeAsync(Get, async context =>
        {
            try
            {
                await app(context);
            }
            catch (Xunit.Sdk.XunitException exception)
            {
                failure = exception;
                throw;
            }
        });

        Assert.Null(failure);
        Assert.Equal(status, exchange.Answer.Status);
        return exchange.Answer;
    }
}
