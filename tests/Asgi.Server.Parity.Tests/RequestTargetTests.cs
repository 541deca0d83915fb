// The request line and what of it the app sees: method, path, query, raw target (RFC 9112, section 3; RFC 3986).

using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class RequestTargetTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    /// <summary>Target, path, query string.</summary>
    private static readonly (string Target, string Path, string Query)[] Origin =
    [
        ("/", "/", ""),
        ("/a/b", "/a/b", ""),
        ("/a/b/", "/a/b/", ""),
        ("/a?b=c", "/a", "?b=c"),
        ("/a?", "/a", "?"),
        ("/a?b?c=/../d", "/a", "?b?c=/../d"),
        ("/a?x=%41%2f", "/a", "?x=%41%2f"),
        ("/%41%20b", "/A b", ""),
        ("/caf%C3%A9", "/café", ""),
        ("/%E2%82%AC", "/€", ""),
        ("/%F0%9F%98%80", "/😀", ""),
        ("/a%2Fb", "/a%2Fb", ""),
        ("/a%2fb", "/a%2fb", ""),
        ("/a%252Fb", "/a%2Fb", ""),
        ("/%25", "/%", ""),
        ("/100%", "/100%", ""),
        ("/%zz", "/%zz", ""),
        ("/%4", "/%4", ""),
        ("/%ff", "/%ff", ""),
        ("/%C3", "/%C3", ""),
        ("/%C0%AF", "/%C0%AF", ""),
        ("/%ED%A0%80", "/%ED%A0%80", ""),
        ("/a+b", "/a+b", ""),
        ("/a\\b", "/a\\b", ""),
        ("/a%5Cb", "/a\\b", ""),
        ("/a//b", "/a//b", ""),
        ("/a/./b", "/a/b", ""),
        ("/a/../b", "/b", ""),
        ("/a/b/..", "/a/", ""),
        ("/a/b/.", "/a/b/", ""),
        ("/../../a", "/a", ""),
        ("/a/%2e%2e/b", "/b", ""),
        ("/a/%2E/b", "/a/b", ""),
        ("/a/..;/b", "/a/..;/b", ""),
        ("/a/...", "/a/...", ""),
        ("/.well-known", "/.well-known", ""),
        ("/%0d%0aX", "/\r\nX", ""),
        ("/~:@!$&'()*,;=", "/~:@!$&'()*,;=", ""),
        ("/[]{}|^`\"<>", "/[]{}|^`\"<>", ""),
    ];

    public static TheoryData<HostKind, int> Rows => Hosts.SocketsTimes(Enumerable.Range(0, Origin.Length));

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task An_origin_form_target_is_decoded_once(HostKind host, int row)
    {
        var (target, path, query) = Origin[row];

        var seen = await SeeAsync(host, $"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal(new Seen("GET", "http", "", path, query, target, "HTTP/1.1", "h"), seen);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_target_split_over_two_segments_is_the_same(HostKind kind, int row)
    {
        var (target, path, query) = Origin[row];
        Seen? seen = null;
        var host = await hosts.On(kind, context =>
        {
            seen = See(context);
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync($"GET {target[..(target.Length / 2)]}");
        await client.SendAsync($"{target[(target.Length / 2)..]} HTTP/1.1\r\nHost: h\r\n\r\n");
        await client.ReadResponseAsync();

        Assert.Equal((path, query), (seen!.Path, seen.Query));
    }

    public static TheoryData<HostKind, string, string> Absolute => Hosts.SocketsTimes(
    [
        ("http://h/a/b?c=d", "/a/b?c=d"),
        ("http://h", "/"),
        ("http://h/", "/"),
        ("http://h?q", "/?q"),
        ("http://h/a/../b", "/b"),
        ("http://h/%41", "/A"),
    ]);

    [Theory]
    [MemberData(nameof(Absolute))]
    public async Task An_absolute_form_target_gives_its_path_and_query(HostKind host, string target, string pathAndQuery)
    {
        var seen = await SeeAsync(host, $"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal(pathAndQuery, seen.Path + seen.Query);
        Assert.Equal(target, seen.RawTarget);
        Assert.Equal("http", seen.Scheme);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_scheme_is_the_transports_and_not_the_targets(HostKind host)
    {
        var seen = await SeeAsync(host, "GET https://h/a HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal("http", seen.Scheme);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Asterisk_form_is_for_options(HostKind host)
    {
        var seen = await SeeAsync(host, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.Equal(new Seen("OPTIONS", "http", "", "", "", "*", "HTTP/1.1", "h"), seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Authority_form_is_for_connect(HostKind host)
    {
        var seen = await SeeAsync(host, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n");

        Assert.Equal(new Seen("CONNECT", "http", "", "", "", "h:443", "HTTP/1.1", "h:443"), seen);
    }

    public static TheoryData<HostKind, string> Methods => Hosts.SocketsTimes(
        ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "QUERY", "M-SEARCH", "X!#$%&'*+.^_`|~9"]);

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task A_method_is_any_token_and_case_matters(HostKind host, string method)
    {
        var seen = await SeeAsync(host, $"{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal(method, seen.Method);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_old_version_needs_no_host(HostKind host)
    {
        var seen = await SeeAsync(host, "GET /a HTTP/1.0\r\n\r\n");

        Assert.Equal(new Seen("GET", "http", "", "/a", "", "/a", "HTTP/1.0", ""), seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_query_is_parsed_by_the_framework(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync(
            $"{context.Request.Query["a"]}|{context.Request.Query["b"]}|{context.Request.Query["c"].Count}|{context.Request.QueryString}"));

        Assert.Equal("1,2|x y|0|?a=1&b=x%20y&a=2", await host.Client.GetStringAsync("/?a=1&b=x%20y&a=2"));
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Middleware_may_rewrite_the_request(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            var request = context.Features.Get<IHttpRequestFeature>()!;
            request.Path = "/other";
            request.QueryString = "?x=1";
            request.Method = "PUT";
            request.Scheme = "https";
            request.PathBase = "/base";
            var path = context.Request.PathBase + context.Request.Path;
            return context.Response.WriteAsync($"{context.Request.Method} {context.Request.Scheme} {path} {context.Request.Query["x"]}");
        });

        Assert.Equal("PUT https /base/other 1", await host.Client.GetStringAsync("/a"));
    }

    private sealed record Seen(
        string Method, string Scheme, string PathBase, string Path, string Query, string RawTarget, string Protocol, string Host);

    private static Seen See(HttpContext context)
    {
        var request = context.Features.Get<IHttpRequestFeature>()!;
        return new(request.Method, request.Scheme, request.PathBase, request.Path, request.QueryString, request.RawTarget, request.Protocol,
            context.Request.Host.Value ?? "");
    }

    private async Task<Seen> SeeAsync(HostKind host, string request)
    {
        Seen? seen = null;
        await hosts.ExchangeAsync(host, request, context =>
        {
            seen = See(context);
            return Task.CompletedTask;
        });
        return Assert.IsType<Seen>(seen);
    }
}
