// One port for both versions: who begins with the preface speaks HTTP/2, all others HTTP/1 (RFC 9113, section 3.4).

using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class PrefaceTests
{
    private const int Step = TimerWheel.StepMilliseconds;

    [Fact]
    public void Both_versions_are_served_whatever_pieces_they_come_in() => Seeds.Run(30, seed =>
    {
        using var server = Serve(seed);
        var peer = new Http2Peer(server);
        peer.Send(Request(1, path: "/two"));
        var client = server.Connect("PRIVATE /one HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.Equal("/two", peer[1].Content);
        Assert.EndsWith("/one", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    });

    [Fact]
    public void It_is_decided_by_the_last_byte_of_the_preface()
    {
        using var server = Serve();
        var client = server.Connect();
        client.Send(Preface.AsSpan(0, 23));
        server.Run();
        Assert.Equal("", client.Received);
        client.Send("\r");
        server.Run();

        Assert.StartsWith("HTTP/1.1 505 ", client.Received, StringComparison.Ordinal);
        Assert.Equal(ConnectionEnd.Fin, client.End);
    }

    [Fact]
    public void Silence_and_half_a_preface_have_their_deadlines()
    {
        using var server = Serve();
        var silent = server.Connect("");
        var half = server.Connect("PRI * HT");
        server.Advance(29_999);
        Assert.Equal(ConnectionEnd.None, half.End);
        server.Advance(1 + Step);
        Assert.StartsWith("HTTP/1.1 408 ", half.Received, StringComparison.Ordinal);
        Assert.Equal((ConnectionEnd.Fin, ConnectionEnd.None), (half.End, silent.End));
        server.Advance(100_000);
        Assert.Equal((ConnectionEnd.Fin, ""), (silent.End, silent.Received));
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_stop_ends_a_connection_that_has_said_nothing()
    {
        using var server = Serve();
        var client = server.Connect("");
        _ = server.ShutDown();
        server.Run();

        Assert.Equal(ConnectionEnd.Fin, client.End);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_stop_amid_the_preface_lets_the_client_have_its_say(bool hasBothVersions)
    {
        using var server = hasBothVersions ? Serve() : new SimulatedServer(Apps.Path, isHttp2: true);
        var peer = new Http2Peer(server, isOpen: false);
        peer.Send(Preface[..10]);
        _ = server.ShutDown();
        server.Run();
        Assert.Equal(ConnectionEnd.None, peer.Client.End);

        peer.Send(Preface[10..], Settings(), SettingsAck(), Get(1));
        Assert.Equal("/", peer[1].Content);
        Assert.Contains("GOAWAY 2147483647 0", peer.Told);
        server.Advance(1000 + Step);
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
    }

    [Fact]
    public void HTTP_1_alone_answers_the_preface_with_a_frame_that_says_so()
    {
        using var server = new SimulatedServer(Apps.Path);
        var peer = new Http2Peer(server);

        Assert.Equal(["GOAWAY 0 13"], peer.Frames.Select(frame => frame.ToString()));
        Assert.Equal(17, 9 + peer.Frames[0].Payload.Length);
        Assert.Equal(ConnectionEnd.Fin, peer.Client.End);
    }

    private static SimulatedServer Serve(int seed = 0)
    {
        SimulatedServer? server = null;
        return server = new SimulatedServer(
            Apps.Path, seed, before: http1 => connection => new PrefaceDriver(connection, http1, one => server!.Http2(one)));
    }
}
