// curl against the sample: the client most people try first.

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Asgi.Server.Clients.Tests;

public sealed class CurlTests(SampleProcess sample) : IClassFixture<SampleProcess>
{
    private static readonly byte[] Upload = [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i * 31 >> 3))];
    private static readonly string[] Common = ["--silent", "--show-error", "--max-time", "20"];

    [ClientFact("curl")]
    public async Task A_plain_get()
    {
        var output = await CurlAsync("--include", Url("/plaintext"));

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", output, StringComparison.Ordinal);
        Assert.Contains("\r\nServer: Asgi.Server\r\n", output, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nHello, World!", output, StringComparison.Ordinal);
    }

    [ClientFact("curl")]
    public async Task Http_1_0_is_answered_and_closed()
    {
        var output = await CurlAsync("--http1.0", "--include", Url("/stream"));

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", output, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Transfer-Encoding", output, StringComparison.Ordinal);
        Assert.EndsWith("line 10 of 10\n", output, StringComparison.Ordinal);
    }

    [ClientFact("curl")]
    public async Task Early_hints_come_before_the_response()
    {
        var output = await CurlAsync("--include", Url("/hints"));

        Assert.StartsWith(
            "HTTP/1.1 103 Early Hints\r\nLink: </numbers.txt>; rel=preload; as=fetch\r\n\r\nHTTP/1.1 200 OK\r\n",
            output,
            StringComparison.Ordinal);
        Assert.EndsWith("The hint came first", output, StringComparison.Ordinal);
    }

    [ClientFact("curl")]
    public async Task A_trailer_comes_behind_the_content()
    {
        var output = await CurlAsync("--include", Url("/trailers"));

        var content = string.Concat(Enumerable.Range(1, 10).Select(line => $"line {line} of 10\n"));
        var digest = Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(content)));
        Assert.Contains("\r\nTrailer: Content-Digest\r\n", output, StringComparison.Ordinal);
        Assert.EndsWith($"{content}Content-Digest: sha-256=:{digest}:\r\n", output, StringComparison.Ordinal);
    }

    [ClientTheory("curl")]
    [InlineData("Content-Length: 3000000", "Expect:")]
    [InlineData("Transfer-Encoding: chunked", "Expect:")]
    [InlineData("Content-Length: 3000000", "Expect: 100-continue")]
    [InlineData("Transfer-Encoding: chunked", "Expect: 100-continue")]
    public async Task An_upload_arrives_whole(string framing, string expect)
    {
        var run = await ClientProcess.RunAsync(
            "curl", Upload, [.. Common, "--verbose", "-H", framing, "-H", expect, "--data-binary", "@-", Url("/upload")]);

        using var json = JsonDocument.Parse(run.Succeeded);
        Assert.Equal(Upload.Length, json.RootElement.GetProperty("length").GetInt64());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Upload)), json.RootElement.GetProperty("sha256").GetString());
        Assert.Contains($"> {framing}", run.Errors, StringComparison.Ordinal);
        Assert.Equal(expect == "Expect: 100-continue", run.Errors.Contains("< HTTP/1.1 100 Continue", StringComparison.Ordinal));
    }

    [ClientFact("curl")]
    public async Task An_echo_is_what_was_sent()
    {
        var text = new string('x', 50_000) + new string('y', 50_000);

        var run = await ClientProcess.RunAsync("curl", Encoding.ASCII.GetBytes(text), [.. Common, "--data-binary", "@-", Url("/echo")]);

        Assert.Equal(text, run.Succeeded);
    }

    [ClientFact("curl")]
    public async Task Head_has_the_fields_of_get_and_no_content()
    {
        var output = await CurlAsync("--head", Url("/numbers.txt"));

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", output, StringComparison.Ordinal);
        Assert.Contains("\r\nAccept-Ranges: bytes\r\n", output, StringComparison.Ordinal);
        Assert.Matches("\r\nContent-Length: [1-9][0-9]*\r\n", output);
        Assert.EndsWith("\r\n\r\n", output, StringComparison.Ordinal);
    }

    [ClientFact("curl")]
    public async Task A_range_of_a_static_file()
    {
        var whole = await CurlAsync(Url("/numbers.txt"));

        var part = await CurlAsync("--include", "--range", "10-19", Url("/numbers.txt"));

        Assert.StartsWith("HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\n", part, StringComparison.Ordinal);
        Assert.Contains($"\r\nContent-Range: bytes 10-19/{whole.Length}\r\n", part, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n" + whole[10..20], part, StringComparison.Ordinal);
    }

    [ClientFact("curl")]
    public async Task Server_sent_events_arrive_and_end()
    {
        var output = await CurlAsync("--no-buffer", "--include", Url("/events?count=2"));

        Assert.Contains("\r\nContent-Type: text/event-stream", output, StringComparison.Ordinal);
        Assert.Equal(2, output.Split("event: tick\n").Length - 1);
        Assert.Contains("id: 2\n", output, StringComparison.Ordinal);
    }

    [ClientFact("curl")]
    public async Task Several_urls_share_a_connection()
    {
        string[] paths = ["/plaintext", "/json", "/stream", "/numbers.txt", "/async"];

        var output = await CurlAsync(["--write-out", "[%{num_connects}]", .. paths.Select(Url)]);

        Assert.Equal(1, output.Split("[1]").Length - 1);
        Assert.Equal(4, output.Split("[0]").Length - 1);
    }

    [ClientFact("curl")]
    public async Task Curl_gives_up_in_the_middle_and_the_server_goes_on()
    {
        var run = await ClientProcess.RunAsync("curl", "--silent", "--max-time", "0.3", Url("/delay?milliseconds=10000"));

        Assert.Equal(28, run.ExitCode); // CURLE_OPERATION_TIMEDOUT
        Assert.Equal("Hello, World!", await CurlAsync(Url("/plaintext")));
    }

    private string Url(string path) => new Uri(sample.Address, path).AbsoluteUri;

    private static async Task<string> CurlAsync(params string[] arguments) =>
        (await ClientProcess.RunAsync("curl", [.. Common, .. arguments])).Succeeded;
}
