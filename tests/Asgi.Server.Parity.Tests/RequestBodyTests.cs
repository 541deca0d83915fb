// Reading a request: stream and pipe, both framings, trailers, detection, 100-continue, the size limit (RFC 9110, 10.1.1; RFC 9112, 7).

using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Parity.Tests;

public sealed class RequestBodyTests(ParityHosts hosts) : IClassFixture<ParityHosts>
{
    private static readonly byte[] Large = [.. Enumerable.Range(0, 1024 * 1024).Select(i => (byte)(i * 17))];

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Content_is_read_from_the_stream(HostKind kind)
    {
        var host = await hosts.On(kind, StreamEcho);

        using var response = await host.Client.PostAsync("/", new StringContent("hello"));

        Assert.Equal("hello", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Content_is_read_from_the_pipe(HostKind kind)
    {
        var host = await hosts.On(kind, PipeEcho);

        using var response = await host.Client.PostAsync("/", new StringContent("hello"));

        Assert.Equal("hello", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task A_mebibyte_is_echoed_by_length_and_by_chunks(HostKind kind)
    {
        var host = await hosts.On(kind, StreamEcho);
        using var byLength = new DuplexContent(Large, hasLength: true);
        using var byChunks = new DuplexContent(Large, hasLength: false);

        using var first = await host.Client.PostAsync("/", byLength);
        using var second = await host.Client.PostAsync("/", byChunks);

        Assert.Equal(Large, await first.Content.ReadAsByteArrayAsync());
        Assert.Equal(Large, await second.Content.ReadAsByteArrayAsync());
    }

    // As gRPC reads a message: nothing is consumed before all of it is there, whatever windows and buffers the server has.
    [Theory]
    [MemberData(nameof(Hosts.All), MemberType = typeof(Hosts))]
    public async Task Content_looked_at_and_not_consumed_goes_on_arriving(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            var reader = context.Request.BodyReader;
            var read = await reader.ReadAsync();
            while (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await reader.ReadAsync();
            }
            await context.Response.WriteAsync($"{read.Buffer.Length}");
            reader.AdvanceTo(read.Buffer.End);
        });

        using var response = await host.Client.PostAsync("/", new DuplexContent([.. Large, .. Large, .. Large], hasLength: true));

        Assert.Equal($"{3 * Large.Length}", await response.Content.ReadAsStringAsync());
    }

    public static TheoryData<HostKind, string, string> Chunked => Hosts.SocketsTimes(
    [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello"),
        ("00000005\r\nhello\r\n0\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij"),
        ("5;name=value\r\nhello\r\n0;last\r\n\r\n", "hello"),
        ("5;name=\"quoted;\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n", "hello"),
        ("000\r\n\r\n", ""),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
    ]);

    [Theory]
    [MemberData(nameof(Chunked))]
    public async Task Chunks_are_joined(HostKind host, string coded, string content)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.PostChunked(coded), StreamEcho);

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal(content, exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task The_pipe_shows_what_was_not_consumed_again(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            var reader = context.Request.BodyReader;
            var read = await reader.ReadAtLeastAsync(5);
            reader.AdvanceTo(read.Buffer.GetPosition(2), read.Buffer.End);
            read = await reader.ReadAtLeastAsync(8);
            var rest = Encoding.ASCII.GetString(read.Buffer.ToArray());
            reader.AdvanceTo(read.Buffer.End);
            read = await reader.ReadAsync();
            await context.Response.WriteAsync($"{rest} {read.Buffer.Length} {read.IsCompleted}");
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
        await client.SendAsync("world");

        Assert.Equal("lloworld 0 True", (await client.ReadResponseAsync())!.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Content_is_read_as_it_arrives(HostKind kind)
    {
        var host = await hosts.On(kind, async context =>
        {
            var buffer = new byte[10];
            for (int read; (read = await context.Request.Body.ReadAsync(buffer)) > 0;)
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
        var head = await client.ReadHeadAsync();
        Assert.Equal("one", await client.ReadChunkAsync());
        await client.SendAsync("3\r\ntwo\r\n");
        Assert.Equal("two", await client.ReadChunkAsync());
        await client.SendAsync(Wire.LastChunk);

        Assert.Equal(200, head!.Status);
        Assert.Equal("", await client.ReadChunkAsync());
    }

    public static TheoryData<HostKind, string, bool> Detection
    {
        get
        {
            var data = new TheoryData<HostKind, string, bool>();
            foreach (var host in Hosts.WithSockets)
            {
                data.Add(host, Wire.Get, false);
                data.Add(host, Wire.Post(""), false);
                data.Add(host, "POST / HTTP/1.1\r\nHost: h\r\n\r\n", false);
                data.Add(host, Wire.Post("a"), true);
                data.Add(host, Wire.PostChunked(Wire.LastChunk), true);
                data.Add(host, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", false);
            }
            // A stream that ends with its head.
            foreach (var host in Hosts.WithHttp.Where(host => host.IsHttp2()))
            {
                data.Add(host, Wire.Get, false);
                data.Add(host, Wire.Post("a"), true);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Detection))]
    public async Task Whether_a_body_can_be_there_is_known_from_the_head(HostKind host, string request, bool expected)
    {
        bool? detected = null;
        await hosts.ExchangeAsync(host, request, context =>
        {
            detected = context.Features.Get<IHttpRequestBodyDetectionFeature>()!.CanHaveBody;
            return Task.CompletedTask;
        });

        Assert.Equal(expected, detected);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Trailers_are_there_once_the_content_was_read(HostKind host)
    {
        var before = true;
        var after = false;
        Exception? early = null;
        string? trailer = null;
        var merged = true;
        await hosts.ExchangeAsync(host, Wire.PostChunked("5\r\nhello\r\n0\r\nX-Sum: abc\r\n\r\n"), async context =>
        {
            before = context.Request.CheckTrailersAvailable();
            early = Record.Exception(() => context.Request.GetTrailer("X-Sum"));
            await context.Request.Body.CopyToAsync(Stream.Null);
            after = context.Request.CheckTrailersAvailable();
            trailer = context.Request.GetTrailer("X-Sum");
            merged = context.Request.Headers.ContainsKey("X-Sum");
        });

        Assert.False(before);
        Assert.IsType<InvalidOperationException>(early);
        Assert.True(after);
        Assert.Equal("abc", trailer);
        Assert.False(merged);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Without_a_body_trailers_are_there_at_once_and_empty(HostKind host)
    {
        var available = false;
        var count = -1;
        await hosts.GetAsync(host, context =>
        {
            var trailers = context.Features.Get<IHttpRequestTrailersFeature>()!;
            (available, count) = (trailers.Available, trailers.Trailers.Count);
            return Task.CompletedTask;
        });

        Assert.True(available);
        Assert.Equal(0, count);
    }

    public static TheoryData<HostKind, string> ChunkExtensions => Hosts.SocketsTimes(
        [";a", ";a=b", ";a=\"b c\"", ";a;b=c", ";a=\t\u00E9", ";" + new string('a', Differences.ChunkExtensionSizeMax - 1)]);

    // RFC 9112, section 7.1.1: a recipient ignores extensions it does not know.
    [Theory]
    [MemberData(nameof(ChunkExtensions))]
    public async Task Chunk_extensions_are_skipped(HostKind host, string extension)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.PostChunked($"5{extension}\r\nhello\r\n" + Wire.LastChunk), StreamEcho);

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal("hello", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Expect_100_continue_is_answered_when_the_app_reads(HostKind kind)
    {
        var host = await hosts.On(kind, StreamEcho);
        await using var client = await host.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        var interim = await client.ReadHeadAsync();
        await client.SendAsync("hello");
        var final = await client.ReadResponseAsync();

        Assert.Equal("HTTP/1.1 100 Continue", interim!.StatusLine);
        Assert.Empty(interim.Fields);
        Assert.Equal("hello", final!.Content);
        Assert.True(await client.ProbeAsync());
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Expect_100_continue_is_not_answered_when_the_content_is_there(HostKind host)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.Post("hello", "Expect: 100-continue"), StreamEcho);

        Assert.Empty(exchange.Answer.Interim);
        Assert.Equal("hello", exchange.Answer.Content);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Expect_100_continue_is_not_answered_when_the_app_does_not_read(HostKind kind)
    {
        var host = await hosts.On(kind, context =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        await using var client = await host.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        var response = await client.ReadResponseAsync();

        Assert.Equal(403, response!.Status);
        Assert.Empty(response.Interim);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task An_unknown_expectation_is_ignored(HostKind host)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.Post("hello", "Expect: 200-ok"), StreamEcho);

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Empty(exchange.Answer.Interim);
    }

    public static TheoryData<HostKind, int> Sizes => Hosts.HttpTimes([9, 10, 11]);

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Content_up_to_the_limit_is_read_and_one_byte_more_is_413(HostKind host, int length)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.Post(new string('x', length)), async context =>
        {
            context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = 10;
            await StreamEcho(context);
        });

        Assert.Equal(host.Outcome(length <= 10 ? "200 open" : "413 closed"), exchange.Outcome);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task Chunks_beyond_the_limit_are_413(HostKind host)
    {
        var exchange = await hosts.ExchangeAsync(host, Wire.PostChunked(Wire.Chunk(new string('x', 100)) + Wire.LastChunk), async context =>
        {
            context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = 99;
            await context.Request.Body.CopyToAsync(Stream.Null);
        });

        Assert.Equal(host.Outcome("413 closed"), exchange.Outcome);
        Assert.Equal("length 0", exchange.Answer.Framing);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Too_large_content_nobody_reads_leaves_the_apps_response(HostKind kind)
    {
        var host = await hosts.On(kind, context => context.Response.WriteAsync("mine"));
        await using var client = await host.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30000001\r\n\r\n");
        var response = await client.ReadResponseAsync();

        Assert.Equal("mine", response!.Content);
    }

    public static TheoryData<HostKind, long, string> DefaultLimit
    {
        get
        {
            var data = new TheoryData<HostKind, long, string>();
            foreach (var host in Hosts.WithSockets)
            {
                data.Add(host, 30_000_000, "HTTP/1.1 100 Continue");
                data.Add(host, 30_000_001, "HTTP/1.1 413 Payload Too Large");
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(DefaultLimit))]
    public async Task The_default_limit_is_thirty_million_bytes(HostKind kind, long length, string statusLine)
    {
        var host = await hosts.On(kind, context => context.Request.Body.CopyToAsync(Stream.Null));
        await using var client = await host.ConnectAsync();

        await client.SendAsync(string.Create(CultureInfo.InvariantCulture,
            $"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"));

        Assert.Equal(statusLine, (await client.ReadHeadAsync())!.StatusLine);
    }

    [Theory]
    [MemberData(nameof(Hosts.Http), MemberType = typeof(Hosts))]
    public async Task The_limit_is_fixed_once_reading_began(HostKind host)
    {
        var (before, after) = (true, false);
        Exception? set = null;
        await hosts.ExchangeAsync(host, Wire.Post("hello"), async context =>
        {
            var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>()!;
            Assert.Equal(30_000_000, limit.MaxRequestBodySize);
            before = limit.IsReadOnly;
            limit.MaxRequestBodySize = null;
            await context.Request.Body.ReadExactlyAsync(new byte[1]);
            after = limit.IsReadOnly;
            set = Record.Exception(() => limit.MaxRequestBodySize = 1);
        });

        Assert.False(before);
        Assert.True(after);
        Assert.IsType<InvalidOperationException>(set);
    }

    [Theory]
    [MemberData(nameof(Hosts.Sockets), MemberType = typeof(Hosts))]
    public async Task Content_that_ends_early_is_a_bad_request_to_its_reader(HostKind kind)
    {
        var failure = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = await hosts.On(kind, async context =>
            failure.SetResult(await Record.ExceptionAsync(() => context.Request.Body.CopyToAsync(Stream.Null))));
        await using var client = await host.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
        client.ShutdownSend();

        var bad = Assert.IsAssignableFrom<BadHttpRequestException>(await failure.Task);
        Assert.Equal(400, bad.StatusCode);
    }

    private static Task StreamEcho(HttpContext context) => context.Request.Body.CopyToAsync(context.Response.Body);

    private static Task PipeEcho(HttpContext context) => context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter);
}
