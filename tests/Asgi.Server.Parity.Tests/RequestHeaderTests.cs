// Request fields as the app sees them (RFC 9110, section 5; RFC 9112, section 5).

using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public sealed class RequestHeaderTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    public static TheoryData<HostKind, string, string> Values => Hosts.SocketsTimes(
    [
        ("X: a", "a"),
        ("X:a", "a"),
        ("X:   a  b   ", "a  b"),
        ("X:\ta\t", "a"),
        ("X: a\tb", "a\tb"),
        ("X:", ""),
        ("X:   ", ""),
        ("X: :", ":"),
        ("X: caf\u00c3\u00a9", "caf\u00e9"),
        ("x: a", "a"),
        ("X: a\r\nx: b", "a|b"),
        ("X: a, b\r\nX: c", "a, b|c"),
        ("X: a\r\nX:", "a|"),
    ]);

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_value_is_trimmed_and_repeated_names_keep_their_lines(HostKind host, string lines, string expected)
    {
        var seen = await SeeAsync(host, lines, context => string.Join('|', context.Request.Headers["X"].ToArray()));

        Assert.Equal(expected, seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Cookie_lines_stay_apart_and_parse_together(HostKind host)
    {
        var seen = await SeeAsync(host, "Cookie: a=1; b=2\r\nCookie: c=3", context =>
        {
            var cookies = context.Request.Cookies;
            return $"{context.Request.Headers.Cookie.Count} {cookies["a"]}{cookies["b"]}{cookies["c"]}";
        });

        // HTTP/2 lets a client send the pairs apart, and the server puts them together (RFC 9113, section 8.2.3).
        Assert.Equal(host.IsHttp2() ? "1 123" : "2 123", seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Known_fields_are_typed(HostKind host)
    {
        var seen = await SeeAsync(host, "Content-Type: text/x\r\nContent-Length: 5\r\nAccept: a/b\r\nUser-Agent: me", context =>
        {
            var request = context.Request;
            return $"{request.ContentType} {request.ContentLength} {request.Headers.Accept} {request.Headers.UserAgent}";
        }, "hello");

        Assert.Equal("text/x 5 a/b me", seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task All_fields_are_enumerated_and_counted(HostKind host)
    {
        var seen = await SeeAsync(host, "X-A: 1\r\nAccept: a/b\r\nX-B: 2\r\nX-A: 3", context =>
        {
            var fields = context.Request.Headers.OrderBy(field => field.Key, StringComparer.Ordinal)
                .Select(field => $"{field.Key}={field.Value}");
            return $"{context.Request.Headers.Count} {string.Join(';', fields)}";
        });

        Assert.Equal("4 Accept=a/b;Host=h;X-A=1,3;X-B=2", seen);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Middleware_may_change_them(HostKind host)
    {
        var seen = await SeeAsync(host, "X-A: 1\r\nAuthorization: secret", context =>
        {
            var fields = context.Request.Headers;
            fields["X-A"] = "2";
            fields["X-New"] = "3";
            fields.Remove("Authorization");
            return $"{fields["X-A"]}{fields["X-New"]}{fields.Authorization.Count}";
        });

        Assert.Equal("230", seen);
    }

    public static TheoryData<HostKind, string> GoodHosts => Hosts.SocketsTimes(
        ["h", "h:80", "EXAMPLE.com", "a-b_c.~d", "127.0.0.1:8080", "[::1]", "[::1]:80", "!$&'()-._~", ""]);

    [Theory]
    [MemberData(nameof(GoodHosts))]
    public async Task Host_is_what_the_client_sent(HostKind kind, string value)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync($"<{context.Request.Host.Value}>"));

        var exchange = await host.ExchangeAsync($"GET / HTTP/1.1\r\nHost: {value}\r\n\r\n");

        Assert.Equal($"<{value}>", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_hundred_fields_are_allowed(HostKind host)
    {
        var lines = string.Join("\r\n", Enumerable.Range(1, 99).Select(i => $"X-{i}: {i}"));

        var seen = await SeeAsync(host, lines, context => $"{context.Request.Headers.Count} {context.Request.Headers["X-99"]}");

        Assert.Equal("100 99", seen);
    }

    private async Task<string> SeeAsync(HostKind host, string lines, Func<HttpContext, string> see, string content = "")
    {
        string? seen = null;
        await hosts.ExchangeAsync(host, $"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n{content}", context =>
        {
            seen = see(context);
            return Task.CompletedTask;
        });
        return Assert.IsType<string>(seen);
    }
}
