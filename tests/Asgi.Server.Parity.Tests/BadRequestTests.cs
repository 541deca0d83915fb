// Requests the server refuses before the app sees them, and limits at their edge (RFC 9112, sections 2.2, 3 and 6.3; RFC 6585, section 5).

using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Parity.Tests;

public sealed class BadRequestTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_preface_of_HTTP_2_where_only_HTTP_1_is_spoken_gets_a_frame(HostKind kind)
    {
        var host = await hosts.On(kind, _ => Task.CompletedTask);
        await using var client = await host.ConnectAsync();

        await client.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

        // GOAWAY with HTTP_1_1_REQUIRED and nothing else (RFC 9113, sections 6.8 and 7).
        Assert.Equal("\0\0\b\u0007\0\0\0\0\0\0\0\0\0\0\0\0\r", await client.ReadToEndAsync());
    }

    /// <summary>The name of the case, the request, the status.</summary>
    private static readonly (string Case, string Request, int Status)[] Heads =
    [
        ("no method", " / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("method alone", "GET\r\nHost: h\r\n\r\n", 400),
        ("no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("no version", "GET /\r\nHost: h\r\n\r\n", 400),
        ("method is no token", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("method with a colon", "GET: / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("space after the version", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
        ("short version", "GET / HTTP/1\r\nHost: h\r\n\r\n", 400),
        ("long version", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400),
        ("TLS on a cleartext port", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n", 400),
        ("version 1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505),
        ("version 2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("version in lower case", "GET / http/1.1\r\nHost: h\r\n\r\n", 505),
        ("encoded NUL in the path", "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("non-ASCII byte in the target", "GET /\u00e9 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("authority of the target is not the host", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400),
        ("authority-form with GET", "GET h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405),
        ("relative target", "GET foo HTTP/1.1\r\nHost: h\r\n\r\n", 405),
        ("asterisk-form with GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 405),
        ("CONNECT to another than the host", "CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", 400),

        ("no host", "GET / HTTP/1.1\r\n\r\n", 400),
        ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("two equal hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("host with user information", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
        ("host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400),
        ("host with a port of letters", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
        ("host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        ("host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),

        ("field without a colon", "GET / HTTP/1.1\r\nHost: h\r\nFoo\r\n\r\n", 400),
        ("field without a name", "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", 400),
        ("space before the colon", "GET / HTTP/1.1\r\nHost: h\r\nFoo : a\r\n\r\n", 400),
        ("tab before the colon", "GET / HTTP/1.1\r\nHost: h\r\nFoo\t: a\r\n\r\n", 400),
        ("space in a name", "GET / HTTP/1.1\r\nHost: h\r\nFoo Bar: a\r\n\r\n", 400),
        ("folded line", "GET / HTTP/1.1\r\nHost: h\r\nFoo: a\r\n b\r\n\r\n", 400),
        ("space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400),
        ("bare CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nFoo: a\rb\r\n\r\n", 400),
        ("NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nFoo: a\0b\r\n\r\n", 400),
        ("non-ASCII name", "GET / HTTP/1.1\r\nHost: h\r\nF\u00e9: a\r\n\r\n", 400),
        ("value that is not UTF-8", "GET / HTTP/1.1\r\nHost: h\r\nFoo: caf\u00e9\r\n\r\n", 400),

        ("Content-Length twice", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        ("equal Content-Length twice", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
        ("Content-Length list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello", 400),
        ("Content-Length negative", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\nhello", 400),
        ("Content-Length hexadecimal", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nhello", 400),
        ("Content-Length with a parameter", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5;\r\n\r\nhello", 400),
        ("Content-Length empty", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\nhello", 400),
        ("Content-Length beyond 64 bits", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\nhello", 400),
        ("POST on 1.0 without a length", "POST / HTTP/1.0\r\n\r\n", 400),
        ("PUT on 1.0 without a length", "PUT / HTTP/1.0\r\n\r\n", 400),
        ("gzip is not chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        ("identity", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", 400),
        ("xchunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        ("chunked in quotes", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", 400),
        ("chunked with a parameter", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked;a=b\r\n\r\n", 400),
        ("chunked is not last", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
        ("Transfer-Encoding empty", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \r\n\r\n", 400),
    ];

    public static TheoryData<HostKind, string> HeadRows => Hosts.SocketsTimes(Heads.Select(row => row.Case));

    [Theory]
    [MemberData(nameof(HeadRows))]
    public async Task A_bad_head_is_refused_and_the_connection_closed(HostKind host, string name)
    {
        var (_, request, status) = Heads.Single(row => row.Case == name);
        var called = false;

        var exchange = await hosts.ExchangeAsync(host, request, _ =>
        {
            called = true;
            return Task.CompletedTask;
        });

        Assert.Equal($"{status} closed", exchange.Outcome);
        Assert.Equal("length 0", exchange.Answer.Framing);
        Assert.Equal("close", exchange.Answer.Field("Connection"));
        Assert.NotNull(exchange.Answer.Field("Date"));
        Assert.False(called);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_405_names_the_method_the_target_is_for(HostKind kind)
    {
        var host = await hosts.On(kind, _ => Task.CompletedTask);

        Assert.Equal("CONNECT", (await host.GetAsync("h:443")).Answer.Field("Allow"));
        Assert.Equal("OPTIONS", (await host.GetAsync("*")).Answer.Field("Allow"));
    }

    public static TheoryData<HostKind, string> BadChunks => Hosts.SocketsTimes(
    [
        "x\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhelloworld\r\n0\r\n\r\n",
        "000000005\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nbad trailer\r\n\r\n",
        "5\r\nhello\r\n0\r\nA : b\r\n\r\n",
    ]);

    [Theory]
    [MemberData(nameof(BadChunks))]
    public async Task A_bad_chunk_is_a_bad_request_to_its_reader(HostKind host, string coded)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.PostChunked(coded), context => context.Request.Body.CopyToAsync(Stream.Null));

        Assert.Equal("400 closed", exchange.Outcome);
        Assert.Equal("length 0", exchange.Answer.Framing);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_bad_chunk_nobody_reads_ends_the_connection_after_the_response(HostKind host)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.PostChunked("x\r\n"), context => context.Response.WriteAsync("mine"));

        Assert.Equal("200 closed", exchange.Outcome);
        Assert.Equal("mine", exchange.Answer.Content);
    }

    /// <summary>The line's length includes its CRLF.</summary>
    public static TheoryData<HostKind, int, string> LineSizes => Limits((8192, "200 open"), (8193, "414 closed"));

    [Theory]
    [MemberData(nameof(LineSizes))]
    public async Task A_request_line_may_have_8192_bytes(HostKind host, int size, string outcome)
    {
        var target = "/" + new string('a', size - "GET / HTTP/1.1\r\n".Length);

        var exchange = await hosts.ExchangeAsync(host, $"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", _ => Task.CompletedTask);

        Assert.Equal(outcome, exchange.Outcome);
    }

    /// <summary>The field section's length is that of its lines, CRLF included.</summary>
    public static TheoryData<HostKind, int, string> SectionSizes =>
        Limits((32_768, "200 open"), (32_771, "431 closed"), (40_000, "431 closed"));

    [Theory]
    [MemberData(nameof(SectionSizes))]
    public async Task A_field_section_may_have_32768_bytes(HostKind host, int size, string outcome)
    {
        // The empty line that ends the section is not counted by every server, so its two bytes are left to either reading.
        var value = new string('a', size - "Host: h\r\nX: \r\n\r\n".Length);

        var exchange = await hosts.ExchangeAsync(host, $"GET / HTTP/1.1\r\nHost: h\r\nX: {value}\r\n\r\n", _ => Task.CompletedTask);

        Assert.Equal(outcome, exchange.Outcome);
    }

    public static TheoryData<HostKind, int, string> Counts => Limits((100, "200 open"), (101, "431 closed"));

    [Theory]
    [MemberData(nameof(Counts))]
    public async Task A_field_section_may_have_100_lines(HostKind host, int count, string outcome)
    {
        var lines = string.Concat(Enumerable.Repeat("X: 1\r\n", count - 1));

        var exchange = await hosts.ExchangeAsync(host, $"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n", _ => Task.CompletedTask);

        Assert.Equal(outcome, exchange.Outcome);
    }

    public static TheoryData<HostKind, string> Halves =>
        Hosts.SocketsTimes(["", "\r\n", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: h\r\n"]);

    [Theory]
    [MemberData(nameof(Halves))]
    public async Task Half_a_head_and_the_end_is_no_request(HostKind kind, string half)
    {
        var called = false;
        var host = await hosts.On(kind, _ =>
        {
            called = true;
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync(half);
        client.ShutdownSend();

        // Kestrel says 400 or nothing, as the end came with the last bytes or after them: both are right, an answer of the app is not.
        Assert.True(await client.ReadResponseAsync() is null or { Status: 400 });
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.False(called);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task A_bad_request_after_a_good_one_leaves_the_good_answer(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync("good"));
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Wire.Get + "BAD\r\n\r\n");

        Assert.Equal("good", (await client.ReadResponseAsync())!.Content);
        Assert.Equal(400, (await client.ReadResponseAsync())!.Status);
        Assert.Equal("", await client.ReadToEndAsync());
    }

    private static TheoryData<HostKind, int, string> Limits(params (int, string)[] rows) => Hosts.SocketsTimes(rows);
}
