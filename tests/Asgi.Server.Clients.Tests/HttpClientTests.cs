// HttpClient and raw pipelining against the sample.

using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Asgi.Server.Testing;

namespace Asgi.Server.Clients.Tests;

public sealed class HttpClientTests(SampleProcess sample) : IClassFixture<SampleProcess>, IDisposable
{
    private const int Concurrency = 64;

    private readonly HttpClient _client = new() { BaseAddress = sample.Address, Timeout = ClientProcess.Patience };

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData("/plaintext")]
    [InlineData("/async")]
    [InlineData("/delay?milliseconds=20")]
    public async Task Many_at_once_are_all_answered(string path)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, Concurrency * 4).Select(_ => _client.GetStringAsync(Relative(path))));

        Assert.Single(answers.Distinct());
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(5_000_000, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(5_000_000, true)]
    public async Task An_echo_is_what_was_sent(int size, bool isChunked)
    {
        var sent = RandomNumberGenerator.GetBytes(size);
        using var request = new HttpRequestMessage(HttpMethod.Post, Relative("/echo")) { Content = new ByteArrayContent(sent) };
        request.Headers.TransferEncodingChunked = isChunked;
        request.Headers.ExpectContinue = isChunked;

        using var response = await _client.SendAsync(request);

        Assert.Equal(isChunked && size > 0, response.Headers.TransferEncodingChunked == true);
        Assert.Equal(sent, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Uploads_at_once_do_not_mix()
    {
        var uploads = Enumerable.Range(0, Concurrency).Select(i => RandomNumberGenerator.GetBytes(10_000 + i * 997)).ToArray();

        var hashes = await Task.WhenAll(uploads.Select(async upload =>
        {
            using var response = await _client.PostAsync(Relative("/upload"), new ByteArrayContent(upload));
            return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("sha256").GetString();
        }));

        Assert.Equal(uploads.Select(upload => Convert.ToHexStringLower(SHA256.HashData(upload))), hashes);
    }

    [Fact]
    public async Task A_stream_is_seen_as_it_is_written()
    {
        await using var stream = await _client.GetStreamAsync(Relative("/stream"));
        using var reader = new StreamReader(stream);

        for (var line = 1; line <= 10; line++)
            Assert.Equal($"line {line} of 10", await reader.ReadLineAsync());
        Assert.Null(await reader.ReadLineAsync());
    }

    [Fact]
    public async Task A_download_given_up_in_the_middle_harms_nobody()
    {
        await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(async _ =>
        {
            await using var stream = await _client.GetStreamAsync(Relative("/events?count=100"));
            await stream.ReadExactlyAsync(new byte[10]);
        }));

        Assert.Equal("Hello, World!", await _client.GetStringAsync(Relative("/plaintext")));
    }

    [Fact]
    public async Task A_cancelled_request_harms_nobody()
    {
        using var cancel = new CancellationTokenSource();
        var slow = Relative("/delay?milliseconds=10000");
        var requests = Enumerable.Range(0, Concurrency).Select(_ => _client.GetAsync(slow, cancel.Token)).ToArray();
        Assert.Equal("Hello, World!", await _client.GetStringAsync(Relative("/plaintext")));

        await cancel.CancelAsync();

        foreach (var request in requests)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        Assert.Equal("Hello, World!", await _client.GetStringAsync(Relative("/plaintext")));
    }

    [Fact]
    public async Task An_upload_broken_off_harms_nobody()
    {
        await using (var client = await RawClient.ConnectAsync(sample.EndPoint))
        {
            await client.SendAsync("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nonly this");
            client.Reset();
        }

        Assert.Equal("Hello, World!", await _client.GetStringAsync(Relative("/plaintext")));
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        string[] paths = ["/plaintext", "/async", "/json", "/delay?milliseconds=10", "/stream", "/plaintext"];
        await using var client = await RawClient.ConnectAsync(sample.EndPoint);

        await client.SendAsync(string.Concat(paths.Select(path => $"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")));

        foreach (var path in paths)
            Assert.Equal(await _client.GetStringAsync(Relative(path)), (await client.ReadResponseAsync())!.Content);
    }

    private static Uri Relative(string path) => new(path, UriKind.Relative);
}
