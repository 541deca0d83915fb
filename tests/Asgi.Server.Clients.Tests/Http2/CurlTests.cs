// curl over HTTP/2 with prior knowledge, over HTTP/2 that ALPN has chosen, and over HTTP/1.1 with TLS.

using System.Security.Cryptography;

namespace Asgi.Server.Clients.Tests.Http2;

public sealed class CurlTests
{
    private static readonly byte[] Upload = WebRoutes.Bytes(3_000_000);

    [ClientTheory("curl")]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task A_plain_get(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var output = await CurlAsync(server, offer, "/plaintext", "--include");

        Assert.StartsWith(offer.IsHttp2() ? "HTTP/2 200 \r\n" : "HTTP/1.1 200 OK\r\n", output, StringComparison.Ordinal);
        Assert.Contains("\r\ncontent-type: text/plain; charset=utf-8\r\n", output, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\ndate: ", output, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("\r\n\r\nHello, World!", output, StringComparison.Ordinal);
    }

    [ClientTheory("curl")]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Head_has_the_fields_of_get_and_no_content(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var output = await CurlAsync(server, offer, "/length", "--head");

        Assert.Contains("\r\ncontent-length: 12345\r\n", output, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("\r\n\r\n", output, StringComparison.Ordinal);
    }

    [ClientTheory("curl")]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task An_upload_arrives_whole(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var run = await RunAsync(server, offer, "/hash", Upload, "--data-binary", "@-", "-H", "Expect:");

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Upload)), run.Succeeded);
    }

    [ClientTheory("curl")]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task An_upload_without_a_length_arrives_whole(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        // From a pipe curl does not know the length.
        var run = await RunAsync(server, offer, "/hash", Upload, "--upload-file", "-", "-X", "POST", "-H", "Expect:");

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Upload)), run.Succeeded);
    }

    // Over HTTP/2 curl asks for it too, when it is told to.
    [ClientTheory("curl")]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Expect_continue_is_answered(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var run = await RunAsync(
            server, offer, "/hash", Upload, "--verbose", "--data-binary", "@-", "-H", "Expect: 100-continue", "--expect100-timeout", "20");

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Upload)), run.Succeeded);
        Assert.Contains(offer.IsHttp2() ? "< HTTP/2 100" : "< HTTP/1.1 100 Continue", run.Errors, StringComparison.Ordinal);
    }

    [ClientTheory("curl")]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task A_download_is_whole(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        using var file = new TemporaryFile();

        var output = await CurlAsync(
            server, offer, "/bytes?n=5000000", "--output", file.Path, "--write-out", "%{http_version} %{size_download}");

        Assert.Equal($"{(offer.IsHttp2() ? "2" : "1.1")} 5000000", output);
        Assert.Equal(SHA256.HashData(WebRoutes.Bytes(5_000_000)), SHA256.HashData(await File.ReadAllBytesAsync(file.Path)));
    }

    [ClientTheory("curl")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    [InlineData(ServerKind.Asgi, Offer.Http1Tls)] // Kestrel has no trailers in HTTP/1.1
    public async Task A_trailer_comes_behind_the_content(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var output = (await RunAsync(server, offer, "/trailers", "content"u8.ToArray(), "--include", "--data-binary", "@-")).Succeeded;

        Assert.EndsWith("\r\n\r\ncontentx-length: 7\r\n", output, StringComparison.OrdinalIgnoreCase);
    }

    // Not with prior knowledge, by which curl 7.88 breaks its own connection at the second request.
    [ClientTheory("curl")]
    [MemberData(nameof(Offers.Tls), MemberType = typeof(Offers))]
    public async Task Urls_in_turn_share_a_connection(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var output = await CurlAsync(server, offer, "/plaintext?[1-30]", "--write-out", "[%{http_code} %{num_connects}]");

        Assert.Equal(1, output.Split("Hello, World![200 1]").Length - 1);
        Assert.Equal(29, output.Split("Hello, World![200 0]").Length - 1);
    }

    [ClientTheory("curl")]
    [InlineData(ServerKind.Kestrel)]
    [InlineData(ServerKind.Asgi)]
    public async Task Urls_at_once_share_a_connection_of_http_2(ServerKind kind)
    {
        await using var server = await WebRoutes.StartAsync(kind, Offer.Http2Tls);

        var output = await CurlAsync(
            server, Offer.Http2Tls, "/plaintext?[1-30]",
            "--parallel", "--parallel-max", "30", "--write-out", "[%{http_code} %{num_connects}]");

        Assert.Equal(30, output.Split("Hello, World!").Length - 1);
        Assert.Equal(1, output.Split("[200 1]").Length - 1);
        Assert.Equal(29, output.Split("[200 0]").Length - 1);
    }

    [ClientTheory("curl")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task A_reset_is_told_with_its_code(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var run = await RunAsync(server, offer, "/reset?code=11", null);

        Assert.Equal(92, run.ExitCode); // CURLE_HTTP2_STREAM
        Assert.Contains("ENHANCE_YOUR_CALM", run.Errors, StringComparison.Ordinal);
    }

    [ClientTheory("curl")]
    [InlineData(ServerKind.Kestrel)]
    [InlineData(ServerKind.Asgi)]
    public async Task A_certificate_of_nobody_is_refused_by_curl_and_the_server_goes_on(ServerKind kind)
    {
        await using var server = await WebRoutes.StartAsync(kind, Offer.Http2Tls);

        var run = await ClientProcess.RunAsync("curl", "--silent", new Uri(server.Address, "/plaintext").AbsoluteUri);

        Assert.Equal(60, run.ExitCode); // CURLE_PEER_FAILED_VERIFICATION
        Assert.Equal("Hello, World!", await CurlAsync(server, Offer.Http2Tls, "/plaintext"));
    }

    [ClientTheory("curl")]
    [InlineData(ServerKind.Kestrel, "--tlsv1.2", "1.2")]
    [InlineData(ServerKind.Kestrel, "--tlsv1.3", "1.3")]
    [InlineData(ServerKind.Asgi, "--tlsv1.2", "1.2")]
    [InlineData(ServerKind.Asgi, "--tlsv1.3", "1.3")]
    public async Task Both_versions_of_tls_are_spoken(ServerKind kind, string option, string version)
    {
        await using var server = await WebRoutes.StartAsync(kind, Offer.Http2Tls);

        var run = await RunAsync(server, Offer.Http2Tls, "/plaintext", null, "--verbose", option, "--tls-max", version);

        Assert.Equal("Hello, World!", run.Succeeded);
        Assert.Contains($"SSL connection using TLSv{version}", run.Errors, StringComparison.Ordinal);
        Assert.Contains("server accepted h2", run.Errors, StringComparison.Ordinal);
    }

    private static async Task<string> CurlAsync(AppServer server, Offer offer, string path, params string[] arguments) =>
        (await RunAsync(server, offer, path, null, arguments)).Succeeded;

    private static Task<ClientOutput> RunAsync(AppServer server, Offer offer, string path, byte[]? input, params string[] arguments) =>
        ClientProcess.RunAsync(
            "curl",
            input,
            [
                "--silent", "--show-error", "--max-time", "25", "--cacert", ServedCertificate.AuthorityFile,
                offer switch
                {
                    Offer.Http2 => "--http2-prior-knowledge",
                    Offer.Http2Tls => "--http2",
                    _ => "--http1.1",
                },
                .. arguments, $"{server.Address}{path[1..]}",
            ]);

    private sealed class TemporaryFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
