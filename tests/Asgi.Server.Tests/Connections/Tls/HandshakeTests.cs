// Handshakes on the simulated loop: versions, keys, splits, what follows at once, and the ways in which they come to nothing.

using System.Security.Authentication;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class HandshakeTests
{
    private const int AuthenticationFailed = 134;
    private const int TimedOut = 135;
    private const int Established = 136;

    public static TheoryData<SslProtocols> Versions => [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_request_is_answered_over_each_version(SslProtocols version)
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server, version: version);

        Assert.Equal(version, client.Stream.SslProtocol);
        Assert.Equal("/one", client.Get("GET /one HTTP/1.1\r\nHost: a\r\n\r\n").Content);
        Assert.Equal("/two", client.Get("GET /two HTTP/1.1\r\nHost: a\r\n\r\n").Content);
        Assert.Equal(LogLevel.Debug, Assert.Single(Https(server), entry => entry.Id.Id == Established).Level);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_rsa_key_works_too()
    {
        using var server = TlsBed.Serve(Apps.Path, options: TlsBed.Options(TestCertificates.Rsa));
        using var client = TlsClient.Connect(server);

        Assert.Equal("/", client.Get(Apps.Get).Content);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, 1)]
    [InlineData(SslProtocols.Tls13, 1)]
    [InlineData(SslProtocols.Tls12, 5)]
    [InlineData(SslProtocols.Tls13, 6)]
    [InlineData(SslProtocols.Tls13, 100)]
    public void A_client_may_send_in_pieces(SslProtocols version, int length)
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = new TlsClient(server);
        client.Options.EnabledSslProtocols = version;
        client.Wire.SegmentLength = length;
        client.Handshake();

        Assert.Equal("/", client.Get(Apps.Get).Content);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void The_network_may_be_rough(SslProtocols version) => Seeds.Run(40, seed =>
    {
        using var server = TlsBed.Serve(Apps.Path, seed: seed);
        using var client = TlsClient.Connect(server, version: version);

        for (var i = 0; i < 3; i++)
            Assert.Equal($"/{i}", client.Get($"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n").Content);
        client.ShutDown();
        client.Raw.ShutdownSend();
        server.Run();
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_request_may_come_together_with_Finished()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = HoldFinished(server);
        client.Send("GET /early HTTP/1.1\r\nHost: a\r\n\r\n");
        client.Raw.Send(client.Wire.Held.ToArray());

        Assert.Equal("/early", client.ReadResponse().Content);
    }

    [Fact]
    public void So_may_a_request_of_which_a_part_is_still_to_come() => Seeds.Run(30, seed =>
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = HoldFinished(server);
        client.Send("GET /early HTTP/1.1\r\nHost: a\r\n\r\n");
        var held = client.Wire.Held.ToArray();
        var cut = new Random(seed).Next(1, held.Length);

        client.Raw.Send(held.AsSpan(0, cut));
        server.Run();
        client.Raw.Send(held.AsSpan(cut));

        Assert.Equal("/early", client.ReadResponse().Content);
    });

    [Fact]
    public void Fin_may_come_right_behind_the_request()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = HoldFinished(server);
        client.Send(Apps.Get);
        client.Raw.Send(client.Wire.Held.ToArray());
        client.Raw.ShutdownSend();

        Assert.Equal("/", client.ReadResponse().Content);
        server.Run();
        Assert.Equal(0, server.ConnectionCount);
    }

    [Fact]
    public void A_handshake_has_its_time_and_no_more()
    {
        using var server = TlsBed.Serve(Apps.Path);
        var silent = server.Connect();
        var started = server.Connect("\x16\x03\x01\x02\x00\x01\x00");
        server.Advance(TlsRules.HandshakeTimeoutMillisecondsDefault - 1);
        Assert.Equal((ConnectionEnd.None, ConnectionEnd.None), (silent.End, started.End));

        server.Advance(Loops.TimerWheel.StepMilliseconds);
        Assert.Equal((ConnectionEnd.Reset, ConnectionEnd.Reset), (silent.End, started.End));
        Assert.Equal(2, Https(server).Count(entry => entry.Id.Id == TimedOut));
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_client_that_stops_after_its_hello_has_no_more_time()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = new TlsClient(server);
        client.Wire.WritesMax = 1;
        client.Handshake();
        server.Advance(TlsRules.HandshakeTimeoutMillisecondsDefault + Loops.TimerWheel.StepMilliseconds);

        Assert.Equal(ConnectionEnd.Reset, client.Raw.End);
        Assert.Single(Https(server), entry => entry.Id.Id == TimedOut);
        server.DemandNothingLeft();
    }

    [Fact]
    public void The_time_of_the_handshake_is_over_with_it()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        server.Advance(TlsRules.HandshakeTimeoutMillisecondsDefault * 2);

        Assert.Equal("/", client.Get(Apps.Get).Content);
    }

    [Fact]
    public void A_reset_at_any_moment_leaves_nothing() => Seeds.Run(40, seed =>
    {
        using var server = TlsBed.Serve(Apps.Path, seed: seed);
        using var client = new TlsClient(server);
        client.Wire.WritesMax = seed % 3;
        if (seed % 2 == 0)
            client.Wire.SegmentLength = 50;
        Record.Exception(client.Handshake);
        client.Raw.Reset();
        server.Run();

        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("")]
    [InlineData("\x16\x03\x01\x02\x00\x01")]
    public void Who_leaves_before_a_first_record_has_not_failed(string bytes)
    {
        using var server = TlsBed.Serve(Apps.Path);
        var client = server.Connect(bytes);
        client.ShutdownSend();
        server.Run();

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.Empty(Https(server));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Who_leaves_after_it_has()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = new TlsClient(server);
        client.Wire.WritesMax = 1;
        client.Handshake();
        client.Raw.ShutdownSend();
        server.Run();

        Assert.Equal(LogLevel.Debug, Assert.Single(Https(server)).Level);
        Assert.Single(Https(server), entry => entry.Id.Id == AuthenticationFailed && entry.Exception is not null);
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_record_may_be_as_long_as_records_are_and_no_longer()
    {
        using var server = TlsBed.Serve(Apps.Path);
        var longest = server.Connect("\x16\x03\x01" + Length(TlsInput.FragmentLengthMax));
        var longer = server.Connect("\x16\x03\x01" + Length(TlsInput.FragmentLengthMax + 1));

        Assert.Equal(ConnectionEnd.None, longest.End);
        Assert.NotEqual(ConnectionEnd.None, longer.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_hello_that_is_none_fails_the_handshake()
    {
        using var server = TlsBed.Serve(Apps.Path);
        var client = server.Connect("\x16\x03\x01\x00\x04\x01\x00\x00\x00");

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.Single(Https(server), entry => entry.Id.Id == AuthenticationFailed);
        client.ShutdownSend();
        server.Run();
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_version_that_is_switched_off_is_refused()
    {
        using var server = TlsBed.Serve(Apps.Path, options: TlsBed.Options(protocols: SslProtocols.Tls13));
        using var client = new TlsClient(server);
        client.Options.EnabledSslProtocols = SslProtocols.Tls12;

        Assert.Throws<AuthenticationException>(client.Handshake);
        Assert.Single(Https(server), entry => entry.Id.Id == AuthenticationFailed);

        // An alert, and no RST that could overtake it: the server lingers until the client has gone.
        Assert.Equal(0x15, client.Wire.Seen.ToArray()[0]);
        server.Run();
        Assert.Equal((ConnectionEnd.Fin, 1), (client.Raw.End, server.ConnectionCount));
        client.Raw.ShutdownSend();
        server.Run();
        Assert.Equal(0, server.ConnectionCount);
    }

    [Fact]
    public void A_stop_does_not_wait_for_handshakes()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = new TlsClient(server);
        client.Wire.WritesMax = 1;
        client.Handshake();
        var silent = server.Connect();
        server.Run();
        var stopped = server.ShutDown();
        server.Run();

        Assert.True(stopped.IsCompleted);
        Assert.Equal((ConnectionEnd.Fin, ConnectionEnd.Fin), (client.Raw.End, silent.End));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Where_ALPN_finds_nothing_to_serve_the_connection_is_closed()
    {
        using var server = TlsBed.Serve(Apps.Path, rules => rules with { Next = (_, _) => null });
        using var client = TlsClient.Connect(server);

        Assert.Equal("", client.ReadToEnd());
        server.DemandNothingLeft();
    }

    [Fact]
    public void Options_that_do_not_work_fail_the_handshake_only()
    {
        using var server = TlsBed.Serve(
            Apps.Path, rules => rules with { Choice = () => throw new InvalidDataException("no certificate today") });
        using var client = new TlsClient(server);

        Assert.ThrowsAny<Exception>(client.Handshake);
        Assert.IsType<InvalidDataException>(Assert.Single(Https(server)).Exception);
        server.DemandNothingLeft();
    }

    private static string Length(int length) => $"{(char)(length >> 8)}{(char)(length & 0xff)}";

    private static IEnumerable<LogEntry> Https(SimulatedServer server) =>
        server.Log.Entries.Where(entry => entry.Category == "Asgi.Server.Https");

    // A client that has made its handshake, of which only its hello was sent: the rest, and what it sends from now on, is held.
    private static TlsClient HoldFinished(SimulatedServer server)
    {
        var client = new TlsClient(server);
        client.Options.EnabledSslProtocols = SslProtocols.Tls13;
        client.Wire.WritesMax = 1;
        client.Handshake();
        return client;
    }
}
