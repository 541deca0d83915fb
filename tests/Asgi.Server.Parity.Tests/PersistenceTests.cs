// Several requests on one connection: pipelining, unread content, state that must not cross (RFC 9112, section 9.3).

using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public sealed class PersistenceTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    private static readonly AsyncLocal<string?> Local = new();

    public static TheoryData<HostKind, int> Depths => Hosts.SocketsTimes([2, 3, 16]);

    [Theory]
    [MemberData(nameof(Depths))]
    public async Task Pipelined_requests_are_answered_in_order(HostKind kind, int depth)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync(context.Request.Path));
        await using var client = await host.ConnectAsync();

        await client.SendAsync(string.Concat(Enumerable.Range(0, depth).Select(i => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n")));

        for (var i = 0; i < depth; i++)
            Assert.Equal($"/{i}", (await client.ReadResponseAsync())!.Content);
        Assert.True(await client.ProbeAsync());
    }

    [Theory]
    [MemberData(nameof(Depths))]
    public async Task Pipelined_contents_stay_with_their_requests(HostKind kind, int depth)
    {
        var host = await hosts.On(kind, Echo);
        await using var client = await host.ConnectAsync();

        await client.SendAsync(string.Concat(Enumerable.Range(0, depth).Select(i =>
            i % 2 == 0 ? Wire.Post($"body {i}") : Wire.PostChunked(Wire.Chunk("bo") + Wire.Chunk($"dy {i}") + Wire.LastChunk))));

        for (var i = 0; i < depth; i++)
            Assert.Equal($"body {i}", (await client.ReadResponseAsync())!.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task One_request_runs_at_a_time(HostKind kind)
    {
        var running = 0;
        var most = 0;
        var host = await hosts.On(kind, async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            await context.Response.WriteAsync(context.Request.Path);
            Interlocked.Decrement(ref running);
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal("/a", (await client.ReadResponseAsync())!.Content);
        Assert.Equal("/b", (await client.ReadResponseAsync())!.Content);
        Assert.Equal(1, most);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task What_is_pipelined_after_a_closing_request_is_not_answered(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync("last"));
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.GetAndClose + Wire.Get);

        Assert.Equal("last", (await client.ReadResponseAsync())!.Content);
        Assert.Null(await client.ReadResponseAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Empty_lines_before_a_request_are_skipped(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync(context.Request.Path));
        await using var client = await host.ConnectAsync();

        await client.SendAsync("\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal("/a", (await client.ReadResponseAsync())!.Content);
        Assert.Equal("/b", (await client.ReadResponseAsync())!.Content);
    }

    public static TheoryData<HostKind, string> Unread => Hosts.SocketsTimes(
    [
        Wire.Post("unread"),
        Wire.Post(new string('x', 200_000)),
        Wire.PostChunked(Wire.Chunk("unread") + Wire.LastChunk),
        Wire.PostChunked(string.Concat(Enumerable.Repeat(Wire.Chunk(new string('x', 1000)), 100)) + "0\r\nX-Trailer: 1\r\n\r\n"),
    ]);

    [Theory]
    [MemberData(nameof(Unread))]
    public async Task Unread_content_is_skipped_before_the_next_request(HostKind host, string request)
    {
        var exchange = await hosts.ExchangeAsync(host, request, context => context.Response.WriteAsync("not read"));

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal("not read", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Unread))]
    public async Task Half_read_content_is_skipped_before_the_next_request(HostKind host, string request)
    {
        var exchange = await hosts.ExchangeAsync(host, request, async context =>
        {
            var read = await context.Request.Body.ReadAsync(new byte[2]);
            await context.Response.WriteAsync(read.ToString(CultureInfo.InvariantCulture));
        });

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal("2", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Nothing_of_a_request_is_seen_by_the_next(HostKind kind)
    {
        // Not an async lambda: the compiler would restore the execution context itself, and the AsyncLocal could not leak.
        var host = await hosts.On(kind, context =>
        {
            var seen = new StringBuilder()
                .Append(context.Request.Headers["X-Mine"]).Append('|')
                .Append(context.Items.Count).Append('|')
                .Append(context.Features.Get<Mine>()?.Name).Append('|')
                .Append(Local.Value).Append('|')
                .Append(context.Response.StatusCode).Append('|')
                .Append(context.Response.Headers.ContainsKey("X-Mine")).Append('|')
                .Append(context.User.Identity?.Name).ToString();
            Local.Value = "mine";
            context.Items["mine"] = 1;
            context.Features.Set(new Mine("mine"));
            context.User = new(new System.Security.Claims.ClaimsIdentity([new(System.Security.Claims.ClaimTypes.Name, "me")], "test"));
            context.Response.StatusCode = 202;
            context.Response.Headers["X-Mine"] = "1";
            return context.Response.WriteAsync(seen);
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nX-Mine: first\r\n\r\n");
        var first = await client.ReadResponseAsync();
        await client.SendAsync(Wire.Get);
        var second = await client.ReadResponseAsync();

        Assert.Equal("first|0|||200|False|", first!.Content);
        Assert.Equal("|0|||200|False|", second!.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Persistent_state_lives_as_long_as_the_connection(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            var state = context.Features.Get<IPersistentStateFeature>()!.State;
            var count = state.TryGetValue("count", out var last) ? (int)last! + 1 : 1;
            state["count"] = count;
            return context.Response.WriteAsync($"{count}");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get + Wire.Get);

        Assert.Equal("1", (await client.ReadResponseAsync())!.Content);
        Assert.Equal("2", (await client.ReadResponseAsync())!.Content);
        Assert.Equal("1", (await host.GetAsync()).Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_head_sent_byte_by_byte_is_a_request(HostKind kind)
    {
        var host = await hosts.On(kind, Echo);
        await using var client = await host.ConnectAsync();

        foreach (var part in Wire.Post("hello"))
            await client.SendAsync(part.ToString());

        Assert.Equal("hello", (await client.ReadResponseAsync())!.Content);
    }

    private sealed record Mine(string Name);

    private static Task Echo(HttpContext context) => context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter);
}
