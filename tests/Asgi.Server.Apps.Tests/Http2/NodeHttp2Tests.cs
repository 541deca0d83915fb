// Node's HTTP/2 client on one session: what a browser's or a service's session does in its life, and how it ends.

using System.Security.Cryptography;
using System.Text.Json;

namespace Asgi.Server.Apps.Tests.Http2;

public sealed class NodeHttp2Tests
{
    [ClientTheory("node")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task A_session_does_everything_a_client_does(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);

        // Kestrel does not tell a client that its table has shrunk (RFC 7541, section 4.2), and the client ends the connection.
        var tableSize = kind == ServerKind.Kestrel ? "4096" : "100";
        var said = JsonSerializer.Deserialize<Said>(await RunAsync("http2.mjs", server, tableSize), JsonSerializerOptions.Web)!;

        Assert.Equal(offer.HasTls() ? "h2" : "h2c", said.Alpn);
        Assert.True(said.ConnectProtocol);
        Assert.Equal(100, said.Streams);
        Assert.Equal("12345678", said.Ping);
        Assert.Equal(Enumerable.Range(0, 100).Select(number => Hash(number * 1000)), said.Hashes);
        Assert.Equal(Hash(3_000_000), said.Large);
        Assert.Equal("Hello, World!", said.Small);
        Assert.Equal("content", said.Trailers.Text);
        Assert.Equal("7", said.Trailers.Trailers["x-length"]);
        Assert.Equal("42", said.Trailers.Trailers["x-sum"]);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("expected"u8)), said.Expected);
        Assert.Equal("aborted", said.Cancelled);
        Assert.Equal(11, said.Reset);
        Assert.Equal("12345", said.Head);
        // A text frame, and the close with its code.
        Assert.Equal("8105" + Convert.ToHexStringLower("hello"u8) + "880203e8", said.Socket.Received);
        Assert.Equal(0, said.Socket.Code);
        Assert.StartsWith("HTTP/2 ", said.Version, StringComparison.Ordinal);
    }

    [ClientTheory("node")]
    [MemberData(nameof(Offers.Http2), MemberType = typeof(Offers))]
    public async Task At_the_stop_a_session_is_told_and_what_runs_is_answered(ServerKind kind, Offer offer)
    {
        await using var server = await WebRoutes.StartAsync(kind, offer);
        var output = RunAsync("http2-stop.mjs", server);
        var heard = server.Get<WebRoutes.Heard>();
        await heard.WaitAsync("release asked");

        var stop = server.StopAsync();
        heard.Release();

        Assert.Equal("""{"status":200,"answer":"released","codes":[0]}""", (await output).Trim()); // NO_ERROR
        await stop;
    }

    private static string Hash(int count) => Convert.ToHexStringLower(SHA256.HashData(WebRoutes.Bytes(count)));

    private static async Task<string> RunAsync(string script, AppServer server, params string[] arguments) => (await ClientProcess.RunAsync(
        "node",
        [
            Path.Combine(Repository.Clients, script), server.Address.GetLeftPart(UriPartial.Authority), ServedCertificate.AuthorityFile,
            .. arguments,
        ])).Succeeded;

    private sealed record Said(
        string Alpn, bool ConnectProtocol, int Streams, string Ping, string[] Hashes, string Large, string Small, TrailersSaid Trailers,
        string Expected, string Cancelled, int Reset, string Head, SocketSaid Socket, string Version);

    private sealed record TrailersSaid(string Text, Dictionary<string, string> Trailers);

    private sealed record SocketSaid(string Received, int Status, int Code);
}
