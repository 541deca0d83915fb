// Response fields: what the server adds, what it refuses, how values become lines (RFC 9110, section 5).

using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Asgi.Server.Parity.Tests;

public sealed class ResponseHeaderTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Date_and_server_are_added(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, _ => Task.CompletedTask);

        var date = exchange.Answer.Field("Date");
        Assert.True(DateTimeOffset.TryParseExact(date, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _), date);
        Assert.NotNull(exchange.Answer.Field("Server"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Date_and_server_may_be_the_apps(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.Headers.Date = "Thu, 01 Jan 1970 00:00:00 GMT";
            context.Response.Headers.Server = "app";
            return Task.CompletedTask;
        });

        Assert.Equal("Thu, 01 Jan 1970 00:00:00 GMT", exchange.Answer.Field("Date"));
        Assert.Equal("app", exchange.Answer.Field("Server"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Each_value_is_a_line_and_a_null_one_is_none(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.Headers["X-Many"] = new StringValues(["one", null, "two"]);
            context.Response.Headers["X-Empty"] = "";
            context.Response.Headers["X-Removed"] = "1";
            context.Response.Headers.Remove("X-Removed");
            context.Response.Headers["X-Default"] = default;
            return Task.CompletedTask;
        });

        if (host.IsHttp2() && Differences.NullValueOverHttp2.On(host) == "none")
        {
            Assert.Equal("none", exchange.Outcome);
            return;
        }
        Assert.Equal(["one", "two"], exchange.Answer.Values("X-Many"));
        Assert.Equal("", exchange.Answer.Field("X-Empty"));
        Assert.Null(exchange.Answer.Field("X-Removed"));
        Assert.Null(exchange.Answer.Field("X-Default"));
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Unknown_names_keep_their_case_and_order(HostKind host)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.Headers["x-b"] = "1";
            context.Response.Headers["X-A"] = "2";
            context.Response.Headers["X-B"] = "3";
            return Task.CompletedTask;
        });

        var fields = exchange.Answer.Fields.Where(field => field.Key.StartsWith("x-", StringComparison.OrdinalIgnoreCase));
        Assert.Equal([new("x-b", "3"), new("X-A", "2")], fields);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Cookies_are_lines_of_their_own(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.Cookies.Append("a", "1");
            context.Response.Cookies.Append("b", "2", new CookieOptions { HttpOnly = true, Path = "/x", SameSite = SameSiteMode.Lax });
            context.Response.Cookies.Delete("c");
            return Task.CompletedTask;
        });

        using var response = await host.Client.GetAsync("/");

        Assert.Equal(
            ["a=1; path=/", "b=2; path=/x; samesite=lax; httponly", "c=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/"],
            response.Headers.GetValues("Set-Cookie"));
    }

    public static TheoryData<HostKind, string, string> Refused => Hosts.HttpTimes<string, string>(
    [
        ("X-Value", "a\r\nb"),
        ("X-Value", "a\rb"),
        ("X-Value", "a\nb"),
        ("X-Value", "a\0b"),
        ("X-Value", "a\u0001b"),
        ("X-Value", "a\u007fb"),
        ("X-Value", "caf\u00e9"),
        ("Content-Type", "text/plain\r\nX: y"),
        ("X\r\nY", "1"),
        ("X Y", "1"),
        ("X:Y", "1"),
        ("X(Y)", "1"),
        ("X\u00e9", "1"),
        ("", "1"),
        ("Content-Length", "five"),
        ("Content-Length", "-1"),
    ]);

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_field_that_would_break_the_message_is_refused_when_set(HostKind host, string name, string value)
    {
        Exception? refusal = null;
        var exchange = await hosts.GetAsync(host, context =>
        {
            refusal = Record.Exception(() => context.Response.Headers[name] = value);
            return Task.CompletedTask;
        });

        Assert.IsType<InvalidOperationException>(refusal);
        Assert.Equal("200 open", exchange.Outcome);
    }

    public static TheoryData<HostKind, string, string> Allowed => Hosts.HttpTimes<string, string>(
    [
        ("X-Value", "a\tb"),
        ("X-Value", " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".Trim()),
        ("!#$%&'*+-.^_`|~09Az", "1"),
    ]);

    [Theory]
    [MemberData(nameof(Allowed))]
    public async Task Every_character_the_grammar_has_is_allowed(HostKind host, string name, string value)
    {
        var exchange = await hosts.GetAsync(host, context =>
        {
            context.Response.Headers[name] = value;
            return Task.CompletedTask;
        });

        Assert.Equal(value, exchange.Answer.Field(name));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Fields_are_looked_up_without_regard_to_case(HostKind kind)
    {
        (string?, long?, int, bool) seen = default;
        var host = await hosts.On(kind, context =>
        {
            var fields = context.Response.Headers;
            fields["content-type"] = "text/x";
            fields["CONTENT-LENGTH"] = "0";
            fields.Append("x-a", "1");
            fields.Append("X-A", "2");
            seen = (context.Response.ContentType, context.Response.ContentLength, fields["X-a"].Count, fields.ContainsKey("X-A"));
            return Task.CompletedTask;
        });

        using var response = await host.Client.GetAsync("/");

        Assert.Equal(("text/x", 0L, 2, true), seen);
    }
}
