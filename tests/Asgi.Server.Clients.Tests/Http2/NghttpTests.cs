// nghttp and h2load, the tools of nghttp2: another implementation of HTTP/2, which tells each frame.

using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Asgi.Server.Clients.Tests.Http2;

public sealed class NghttpTests
{
    [ClientTheory("nghttp")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task A_request_is_answered_by_the_frames_of_the_specification(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var told = await NghttpAsync(server, null, ["/plaintext"]);

        // The server's preface is SETTINGS; the client's is acknowledged, and the response ends its stream.
        var frames = Received(told);
        Assert.StartsWith("SETTINGS frame <length=", frames[0], StringComparison.Ordinal);
        Assert.Contains("stream_id=0>", frames[0], StringComparison.Ordinal);
        Assert.Contains(frames, frame => frame.StartsWith("SETTINGS frame <length=0, flags=0x01, stream_id=0>", StringComparison.Ordinal));
        Assert.Contains("(stream_id=13) :status: 200", frames);
        Assert.Contains("(stream_id=13) content-type: text/plain; charset=utf-8", frames);
        Assert.DoesNotContain(frames, frame => frame.Contains("connection:", StringComparison.Ordinal));
        Assert.Equal(13, frames.Where(IsData).Sum(Length));
        Assert.Single(frames, EndsStream);
        Assert.DoesNotContain(frames, frame => frame.StartsWith("RST_STREAM", StringComparison.Ordinal));
    }

    [ClientTheory("nghttp")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task An_upload_and_a_download_keep_to_the_windows(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        var upload = WebRoutes.Bytes(3_000_000);

        var told = await NghttpAsync(server, upload, ["/hash"], "--data=-");
        var small = await NghttpAsync(server, null, ["/bytes?n=1000000"], "--null-out", "--window-bits=10", "--connection-window-bits=14");

        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(upload)), told, StringComparison.Ordinal);
        Assert.Contains(Received(told), frame => frame.StartsWith("WINDOW_UPDATE", StringComparison.Ordinal));
        var frames = Received(small);
        Assert.Equal(1_000_000, frames.Where(IsData).Sum(Length));
        // A stream's window is 2^10 - 1 here.
        Assert.All(frames.Where(IsData), frame => Assert.InRange(Length(frame), 0, 1023));
    }

    [ClientTheory("nghttp")]
    [InlineData(ServerKind.Kestrel, "--no-dep")]
    [InlineData(ServerKind.Kestrel, "--weight=256")] // priorities of RFC 7540, to be ignored
    [InlineData(ServerKind.Kestrel, "--padding=100")]
    [InlineData(ServerKind.Kestrel, "--continuation")]
    [InlineData(ServerKind.Kestrel, "--no-content-length")]
    [InlineData(ServerKind.Kestrel, "--expect-continue")]
    [InlineData(ServerKind.Kestrel, "--header-table-size=0")]
    [InlineData(ServerKind.Kestrel, "--encoder-header-table-size=0")]
    [InlineData(ServerKind.Asgi, "--no-dep")]
    [InlineData(ServerKind.Asgi, "--weight=256")]
    [InlineData(ServerKind.Asgi, "--padding=100")]
    [InlineData(ServerKind.Asgi, "--continuation")]
    [InlineData(ServerKind.Asgi, "--no-content-length")]
    [InlineData(ServerKind.Asgi, "--expect-continue")]
    [InlineData(ServerKind.Asgi, "--header-table-size=0")]
    [InlineData(ServerKind.Asgi, "--encoder-header-table-size=0")]
    public async Task All_ways_to_send_a_request_are_understood(ServerKind kind, string option)
    {
        await using var server = await WebRoutes.StartAsync(kind, Offer.Http2);
        var upload = WebRoutes.Bytes(100_000);

        var told = await NghttpAsync(server, upload, ["/hash"], "--data=-", option);

        Assert.Contains(Received(told), frame => frame.EndsWith(":status: 200", StringComparison.Ordinal));
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(upload)), told, StringComparison.Ordinal);
    }

    // The table shrinks and grows: an encoder has to say so in the next block (RFC 7541, section 4.2). Kestrel does not, and nghttp ends
    // its connection.
    [ClientFact("nghttp")]
    public async Task The_size_of_the_clients_table_is_followed()
    {
        await using var server = await WebRoutes.StartAsync(ServerKind.Asgi, Offer.Http2);

        var told = await NghttpAsync(
            server, null, ["/plaintext", "/protocol", "/plaintext?2"], "--header-table-size=0", "--header-table-size=4096");

        Assert.Equal(3, Received(told).Count(frame => frame.EndsWith(":status: 200", StringComparison.Ordinal)));
    }

    [ClientTheory("nghttp")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task Trailers_go_both_ways(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var frames = Received(await NghttpAsync(server, "content"u8.ToArray(), ["/trailers"], "--data=-", "--trailer=x-sum: 42"));

        var content = frames.FindIndex(IsData);
        Assert.True(content >= 0);
        Assert.Contains("(stream_id=13) x-length: 7", frames[content..]);
        Assert.Contains("(stream_id=13) x-sum: 42", frames[content..]);
        Assert.Single(frames, EndsStream);
    }

    [ClientTheory("nghttp")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task Requests_at_once_share_the_connection(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        string[] paths = ["/plaintext", "/bytes?n=100000", "/protocol"];
        var frames = Received(await NghttpAsync(server, null, paths, "--multiply=20", "--null-out"));

        Assert.Equal(60, frames.Count(frame => frame.EndsWith(":status: 200", StringComparison.Ordinal)));
        Assert.Equal(60, frames.Count(EndsStream));
    }

    [ClientTheory("nghttp")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task A_reset_has_the_code_of_the_app(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var told = await ClientProcess.RunAsync("nghttp", [.. Arguments, new Uri(server.Address, "/reset?code=11").AbsoluteUri]);

        Assert.Contains("RST_STREAM frame <length=4, flags=0x00, stream_id=13>", Received(told.Output));
        Assert.Contains("(error_code=ENHANCE_YOUR_CALM(0x0b))", told.Output, StringComparison.Ordinal);
    }

    [ClientTheory("h2load")]
    [MemberData(nameof(Offers.New), MemberType = typeof(Offers))]
    public async Task Under_load_every_request_succeeds(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        var told = (await ClientProcess.RunAsync(
            "h2load", ["-n", "4000", "-c", "8", "-m", "32", .. H2loadArguments(offer), $"{server.Address}plaintext"])).Succeeded;

        Assert.Contains("4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout", told, StringComparison.Ordinal);
        Assert.Contains("status codes: 4000 2xx", told, StringComparison.Ordinal);
        var protocol = offer switch
        {
            Offer.Http2 => "h2c",
            Offer.Http2Tls => "h2",
            _ => "http/1.1",
        };
        Assert.Contains($"Application protocol: {protocol}\n", told, StringComparison.Ordinal);
    }

    [ClientTheory("h2load")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task Uploads_and_downloads_under_load_succeed(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, WebRoutes.Bytes(200_000));

        var up = (await ClientProcess.RunAsync(
            "h2load", "-n", "200", "-c", "4", "-m", "10", "-d", file, $"{server.Address}hash")).Succeeded;
        var down = (await ClientProcess.RunAsync(
            "h2load", "-n", "200", "-c", "4", "-m", "10", "-w", "14", "-W", "16", $"{server.Address}bytes?n=200000")).Succeeded;

        File.Delete(file);
        Assert.Contains("200 succeeded, 0 failed, 0 errored", up, StringComparison.Ordinal);
        Assert.Contains("200 succeeded, 0 failed, 0 errored", down, StringComparison.Ordinal);
        Assert.Contains("(40000000) data", down, StringComparison.Ordinal);
    }

    private static readonly string[] Arguments = ["--verbose", "--no-verify-peer", "--no-push", "--timeout=25"];

    private static string[] H2loadArguments(Offer offer) => offer == Offer.Http1Tls ? ["--h1"] : [];

    private static async Task<string> NghttpAsync(AppServer server, byte[]? input, string[] paths, params string[] options) =>
        (await ClientProcess.RunAsync(
            "nghttp", input, [.. Arguments, .. options, .. paths.Select(path => $"{server.Address}{path[1..]}")])).Succeeded;

    // What nghttp has received, in order: frames by their first line, fields of heads, and flags.
    private static List<string> Received(string told) =>
        [.. Regex.Matches(told, @"\[ *[\d.]+\] recv (?<what>[^\n]+(?:\n +; [A-Z_ |]+)?)")
            .Select(match => match.Groups["what"].Value)];

    private static int Length(string frame) => int.Parse(Regex.Match(frame, @"length=(\d+)").Groups[1].Value);

    private static bool IsData(string frame) => frame.StartsWith("DATA", StringComparison.Ordinal);

    private static bool EndsStream(string frame) => frame.Contains("END_STREAM", StringComparison.Ordinal);
}
