// HttpClient over HTTP/2, in the clear and over TLS, and over TLS by HTTP/1.1.

using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Asgi.Server.Clients.Tests.Http2;

public sealed class HttpClientTests
{
    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task The_app_sees_the_version_and_the_scheme(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);

        var seen = await client.GetAsync("/protocol");

        Assert.Equal($"{(offer.IsHttp2() ? "HTTP/2" : "HTTP/1.1")} {server.Address.Scheme} {server.Address.Authority}", seen);
    }

    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Many_at_once_are_all_answered(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);

        var answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => client.GetAsync("/plaintext")));

        Assert.All(answers, answer => Assert.Equal("Hello, World!", answer));
        if (offer.IsHttp2())
            Assert.Equal(1, client.Connections);
    }

    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Large_downloads_at_once_are_whole(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);

        var downloads = Enumerable.Range(1, 8).Select(async part =>
        {
            using var response = await client.SendAsync(HttpMethod.Get, $"/bytes?n={part * 1_000_003}");
            return SHA256.HashData(await response.Content.ReadAsStreamAsync());
        }).ToArray();
        var small = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.GetAsync("/plaintext")));

        Assert.All(small, answer => Assert.Equal("Hello, World!", answer));
        for (var part = 1; part <= downloads.Length; part++)
            Assert.Equal(SHA256.HashData(WebRoutes.Bytes(part * 1_000_003)), await downloads[part - 1]);
    }

    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Uploads_at_once_do_not_mix(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        var uploads = Enumerable.Range(0, 32).Select(number => RandomNumberGenerator.GetBytes(number * 49_999)).ToArray();

        var hashes = await Task.WhenAll(uploads.Select(async (upload, number) =>
        {
            // Every other without a length.
            HttpContent content = number % 2 == 0 ? new ByteArrayContent(upload) : new StreamContent(new Unseekable(upload));
            using var response = await client.SendAsync(HttpMethod.Post, "/hash", content);
            return await response.Content.ReadAsStringAsync();
        }));

        Assert.Equal(uploads.Select(upload => Convert.ToHexStringLower(SHA256.HashData(upload))), hashes);
    }

    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task An_echo_larger_than_all_windows_is_what_was_sent(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        var sent = RandomNumberGenerator.GetBytes(5_000_000);

        // Other contents of HttpClient are sent whole before it looks at the response.
        using var response = await client.SendAsync(HttpMethod.Post, "/echo", new PipedContent(PipeReader.Create(new(sent))));

        Assert.Equal(sent, await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Expect_continue_lets_the_content_through(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        client.Http.DefaultRequestHeaders.ExpectContinue = true;

        using var response = await client.SendAsync(HttpMethod.Post, "/echo", new StringContent("expected"));

        Assert.Equal("expected", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task Both_ways_are_open_at_once(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        var pipe = new Pipe();
        using var response = await client.SendAsync(HttpMethod.Post, "/echo", new PipedContent(pipe.Reader));
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());

        for (var number = 0; number < 100; number++)
        {
            await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes($"line {number}\n"));
            Assert.Equal($"line {number}", await lines.ReadLineAsync().WaitAsync(ClientProcess.Patience));
        }
        await pipe.Writer.CompleteAsync();

        Assert.Null(await lines.ReadLineAsync().WaitAsync(ClientProcess.Patience));
    }

    [Theory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task Trailers_come_behind_the_content(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);

        using var response = await client.SendAsync(HttpMethod.Post, "/trailers", new StringContent("content"));

        Assert.Equal("X-Length", Assert.Single(response.Headers.Trailer));
        Assert.Equal("content", await response.Content.ReadAsStringAsync());
        Assert.Equal("7", Assert.Single(response.TrailingHeaders.GetValues("X-Length")));
    }

    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Many_fields_repeated_and_changing_are_what_was_sent(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);

        for (var round = 0; round < 40; round++)
        {
            var fields = Enumerable.Range(0, 60).ToDictionary(
                number => $"X-FIELD-{number}",
                number => number % 3 == 0 ? $"same-{number}" : $"{round}-{new string((char)('a' + number % 26), number * 5)}");
            using var request = new HttpRequestMessage(HttpMethod.Get, "/fields")
            {
                Version = client.Http.DefaultRequestVersion,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            foreach (var (name, value) in fields)
                request.Headers.Add(name, value);

            using var response = await client.Http.SendAsync(request);

            Assert.Equal(fields.Select(field => $"{field.Key}: {field.Value}").Order(),
                (await response.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n').Order());
            Assert.Equal(fields.Values, fields.Keys.Select(name => Assert.Single(response.Headers.GetValues(name))));
        }
    }

    [Theory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task A_cancelled_request_is_aborted_and_its_connection_goes_on(ServerKind kind, Offer offer)
    {
        const int Count = 50;
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        using var cancel = new CancellationTokenSource();
        var heard = server.Get<WebRoutes.Heard>();
        var requests = Enumerable.Range(0, Count).Select(_ => client.SendAsync(HttpMethod.Get, "/wait", cancel: cancel.Token)).ToArray();
        await heard.WaitAsync("waits", Count);

        await cancel.CancelAsync();

        foreach (var request in requests)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await heard.WaitAsync("aborted", Count);
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));
        Assert.Equal(1, client.Connections);
    }

    [Theory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task A_response_given_up_in_the_middle_is_aborted(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);

        using (var response = await client.SendAsync(HttpMethod.Get, "/half"))
        {
            var buffer = new byte[4];
            await (await response.Content.ReadAsStreamAsync()).ReadExactlyAsync(buffer);
            Assert.Equal("half", Encoding.ASCII.GetString(buffer));
        }

        await server.Get<WebRoutes.Heard>().WaitAsync("aborted");
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));
        Assert.Equal(1, client.Connections);
    }

    [Theory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task The_app_resets_its_stream_with_a_code_of_its_own(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/reset?code=11")); // ENHANCE_YOUR_CALM

        Assert.Equal(11, Assert.IsType<HttpProtocolException>(error.InnerException).ErrorCode);
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));
        Assert.Equal(1, client.Connections);
    }

    [Theory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task An_app_that_aborts_ends_its_stream_and_no_other(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/abort"));

        Assert.IsType<HttpProtocolException>(error.InnerException);
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));
        Assert.Equal(1, client.Connections);
    }

    [Theory]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task At_the_stop_what_runs_is_answered(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        var heard = server.Get<WebRoutes.Heard>();
        var requests = Enumerable.Range(0, 10).Select(_ => client.GetAsync("/release")).ToArray();
        await heard.WaitAsync("release asked", 10);

        var stop = server.StopAsync();
        heard.Release();

        Assert.All(await Task.WhenAll(requests), answer => Assert.Equal("released", answer));
        await stop;
    }

    [Theory]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task A_web_socket_echoes(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var client = new WebClient(server, offer);
        // With HTTP/2 an extended CONNECT (RFC 8441), beside requests on the same connection.
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = client.Http.DefaultRequestVersion;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var invoker = new HttpMessageInvoker(client.Handler, disposeHandler: false);
        var address = new Uri(server.WebSocketAddress, "/ws");
        await socket.ConnectAsync(address, invoker, CancellationToken.None).WaitAsync(ClientProcess.Patience);

        foreach (var text in new[] { "hello", new string('x', 100_000), "" })
        {
            await socket.SendTextAsync(text);
            Assert.Equal(text, await socket.ReceiveTextAsync());
        }
        Assert.Equal("Hello, World!", await client.GetAsync("/plaintext"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", CancellationToken.None).WaitAsync(ClientProcess.Patience);

        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        if (offer.IsHttp2())
            Assert.Equal(1, client.Connections);
    }

    // What a stream is that does not say how long it is.
    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }

    private sealed class PipedContent(PipeReader reader) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancel)
        {
            await stream.FlushAsync(cancel); // the head goes out before there is content
            while (true)
            {
                var read = await reader.ReadAsync(cancel);
                foreach (var block in read.Buffer)
                    await stream.WriteAsync(block, cancel);
                await stream.FlushAsync(cancel);
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
