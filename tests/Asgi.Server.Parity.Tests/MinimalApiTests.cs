// Minimal APIs and middleware, as any client sees them.

using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public sealed class MinimalApiTests(MinimalApiTests.Api hosts) : IClassFixture<MinimalApiTests.Api>
{
    public sealed record Point(int X, int Y);

    public sealed class Api : ParityHosts
    {
        protected override void Pipeline(WebApplication application)
        {
            application.Use(Tag("first"));
            application.Use(Tag("second"));
            application.MapGet("/string", () => "Hello, Wörld!");
            application.MapGet("/json", () => new Point(1, 2));
            application.MapGet("/empty", () => Results.Empty);
            application.MapGet("/void", () => { });
            application.MapGet("/nocontent", () => Results.NoContent());
            application.MapGet("/accepted", () => Results.Accepted("/jobs/1"));
            application.MapGet("/notfound", () => Results.NotFound("no such thing"));
            application.MapGet("/redirect", () => Results.Redirect("/string"));
            application.MapGet("/status", () => Results.StatusCode(418));
            application.MapGet("/bytes", () => Results.File("0123456789"u8.ToArray(), "application/x-digits", "digits.bin"));
            application.MapGet("/ranged", () => Results.File("0123456789"u8.ToArray(), "text/plain", enableRangeProcessing: true));
            application.MapGet("/streamed", () => Results.Stream(new MemoryStream("from a stream"u8.ToArray()), "text/plain"));
            application.MapGet("/pushed", () => Results.Stream(async body => await body.WriteAsync("pushed"u8.ToArray()), "text/plain"));
            application.MapGet("/sequence", () => Numbers());
            application.MapGet("/sum/{a:int}", (int a, int b) => a + b);
            application.MapGet("/async", async () =>
            {
                await Task.Yield();
                return "later";
            });
            application.MapPost("/point", (Point point) => new Point(point.Y, point.X));
            application.MapPost("/form", async (HttpRequest request) => (await request.ReadFormAsync())["name"].ToString());
        }

        private static Func<HttpContext, RequestDelegate, Task> Tag(string name) => async (context, next) =>
        {
            context.Response.Headers.Append("Order", $"{name} in");
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.Append("Order", $"{name} starting");
                return Task.CompletedTask;
            });
            await next(context);
        };

        private static async IAsyncEnumerable<int> Numbers()
        {
            for (var number = 1; number <= 3; number++)
            {
                yield return number;
                await Task.Yield();
            }
        }
    }

    public static TheoryData<HostKind, string, int, string?, string> Gets
    {
        get
        {
            const string Text = "text/plain; charset=utf-8";
            const string Json = "application/json; charset=utf-8";
            (string Path, int Status, string? Type, string Body)[] rows =
            [
                ("/string", 200, Text, "Hello, Wörld!"),
                ("/json", 200, Json, """{"x":1,"y":2}"""),
                ("/empty", 200, null, ""),
                ("/void", 200, null, ""),
                ("/nocontent", 204, null, ""),
                ("/accepted", 202, null, ""),
                ("/notfound", 404, Json, "\"no such thing\""),
                ("/redirect", 302, null, ""),
                ("/status", 418, null, ""),
                ("/bytes", 200, "application/x-digits", "0123456789"),
                ("/streamed", 200, "text/plain", "from a stream"),
                ("/pushed", 200, "text/plain", "pushed"),
                ("/sequence", 200, Json, "[1,2,3]"),
                ("/sum/40?b=2", 200, Json, "42"),
                ("/sum/40?b=x", 400, null, ""),
                ("/async", 200, Text, "later"),
                ("/point", 405, null, ""),
            ];
            var data = new TheoryData<HostKind, string, int, string?, string>();
            foreach (var host in Hosts.Enabled)
                foreach (var (path, status, type, body) in rows)
                    data.Add(host, path, status, type, body);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Gets))]
    public async Task A_get_has_the_status_type_and_body_of_its_result(HostKind host, string path, int status, string? type, string body)
    {
        var client = (await hosts.On(host)).Client;

        using var response = await client.GetAsync(path);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType?.ToString());
        Assert.Equal(body, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Middleware_runs_inwards_in_order_and_starts_outwards(HostKind host)
    {
        var client = (await hosts.On(host)).Client;

        using var response = await client.GetAsync("/string");

        Assert.Equal(["first in", "second in", "second starting", "first starting"], response.Headers.GetValues("Order"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_result_sets_its_own_fields(HostKind host)
    {
        var client = (await hosts.On(host)).Client;

        using var accepted = await client.GetAsync("/accepted");
        using var redirect = await client.GetAsync("/redirect");
        using var download = await client.GetAsync("/bytes");
        using var wrongMethod = await client.GetAsync("/point");

        Assert.Equal("/jobs/1", accepted.Headers.Location?.ToString());
        Assert.Equal("/string", redirect.Headers.Location?.ToString());
        Assert.Equal(
            "attachment; filename=digits.bin; filename*=UTF-8''digits.bin", download.Content.Headers.ContentDisposition?.ToString());
        Assert.Equal(10, download.Content.Headers.ContentLength);
        Assert.Equal(["POST"], wrongMethod.Content.Headers.Allow);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_range_of_bytes_is_partial_content(HostKind host)
    {
        var client = (await hosts.On(host)).Client;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/ranged") { Headers = { { "Range", "bytes=2-4" } } };

        using var response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal("bytes 2-4/10", response.Content.Headers.ContentRange?.ToString());
        Assert.Equal("234", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_json_body_binds_and_a_broken_one_is_a_bad_request(HostKind host)
    {
        var client = (await hosts.On(host)).Client;

        using var good = await client.PostAsJsonAsync("/point", new Point(1, 2));
        using var broken = await client.PostAsync("/point", new StringContent("{\"x\":", Encoding.UTF8, "application/json"));
        using var untyped = await client.PostAsync("/point", new StringContent("1"));

        Assert.Equal(new Point(2, 1), await good.Content.ReadFromJsonAsync<Point>());
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, untyped.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_form_is_read_from_the_body(HostKind host)
    {
        var client = (await hosts.On(host)).Client;
        using var form = new FormUrlEncodedContent([new("name", "Ada Lovelace")]);

        using var response = await client.PostAsync("/form", form);

        Assert.Equal("Ada Lovelace", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task A_head_request_to_a_get_route_is_refused_by_routing_with_no_content(HostKind host)
    {
        var exchange = await (await hosts.On(host)).ExchangeAsync("HEAD /string HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal("405 open", exchange.Outcome);
    }
}
