// Established connections on the simulated loop: content of every size both ways, the contract of the transport, and how they end.

using System.Security.Authentication;
using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class TlsTransportTests
{
    private const byte AlertRecord = 0x15;

    public static TheoryData<SslProtocols> Versions => [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Versions))]
    public void Content_goes_both_ways_over_any_network(SslProtocols version) => Seeds.Run(20, seed =>
    {
        var random = new Random(seed);
        var content = Text(random, random.Next(1, 200_000));
        using var server = TlsBed.Serve(Apps.Echo, seed: seed, conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        using var client = TlsClient.Connect(server, version: version);
        client.Send($"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {content.Length}\r\n\r\n");
        for (var sent = 0; sent < content.Length;)
        {
            var length = Math.Min(random.Next(1, 40_000), content.Length - sent);
            client.Send(content.Substring(sent, length));
            sent += length;
        }

        var response = Assert.Single(Responses.Parse(client.ReadToEnd(), isEnded: true));
        Assert.True(response.IsComplete);
        Assert.Equal(content, response.Content);
        client.Raw.ShutdownSend();
        server.DemandNothingLeft();
    });

    [Fact]
    public void Requests_may_share_a_record_and_records_a_segment()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        string Get(int n) => $"GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n";
        client.Send(string.Concat(Enumerable.Range(0, 10).Select(Get)));
        for (var n = 10; n < 60; n++)
            client.Send(Get(n));

        for (var n = 0; n < 60; n++)
            Assert.Equal($"/{n}", client.ReadResponse().Content);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_transport_keeps_its_contract_for_every_size(SslProtocols version) => Seeds.Run(20, seed =>
    {
        var random = new Random(seed);
        using var bed = new TransportBed(version);
        var sent = new StringBuilder();
        var received = new StringBuilder();
        for (var turn = 0; turn < 30; turn++)
        {
            for (var record = random.Next(3); record >= 0; record--)
            {
                var text = Text(random, random.Next(4) == 0 ? 16 * 1024 : random.Next(1, 20_000));
                sent.Append(text);
                bed.Client.Send(text);
            }

            bed.Server.Run();

            // Until the transport says that there is no more now: then there is none.
            for (var isMore = true; isMore;)
            {
                var length = random.Next(5) == 0 ? 16 * 1024 : random.Next(1, 20_000);
                var result = bed.Receive(length, received);
                isMore = result.Status == TransportStatus.Done && (result.Length == length || bed.Connection.Transport.HasMore);
            }

            Assert.Equal(sent.Length, received.Length);
            Assert.Equal(TransportStatus.WouldBlock, bed.Receive(100, received).Status);
        }

        Assert.Equal(sent.ToString(), received.ToString());
        Assert.Equal(0, bed.Server.BlockCount);
    });

    [Fact]
    public void Every_length_around_a_record_is_sent_and_received_whole()
    {
        using var server = TlsBed.Serve(Apps.Echo);
        using var client = TlsClient.Connect(server);
        foreach (var length in new[] { 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1 })
        {
            var content = Text(new Random(length), length);
            client.Send($"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n\r\n{content}");
        }

        // HTTP/1.0 gets no chunks: the first response ends the connection.
        var response = client.ReadToEnd();
        Assert.EndsWith("\r\n\r\n" + Text(new Random(1), 1), response, StringComparison.Ordinal);
    }

    [Fact]
    public void A_response_and_its_head_are_one_record()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server, version: SslProtocols.Tls12);
        var before = client.Wire.Seen.Length;
        client.Get(Apps.Get);

        Assert.Single(Records(client.Wire.Seen.ToArray().AsSpan((int)before)));
    }

    [Fact]
    public void A_connection_that_waits_holds_no_memory_of_its_loop()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var silent = TlsClient.Connect(server);
        using var asked = TlsClient.Connect(server);
        asked.Get(Apps.Get);
        server.Run();

        Assert.Equal(0, server.BlockCount);
    }

    [Fact]
    public void A_record_that_is_not_whole_is_waited_for_in_a_block_and_no_more()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        client.Wire.WritesMax = 0;
        client.Send(Apps.Get);
        var held = client.Wire.Held.ToArray();
        client.Raw.Send(held.AsSpan(0, held.Length - 1));
        server.Run();
        Assert.Equal(1, server.BlockCount);

        client.Raw.Send(held.AsSpan(held.Length - 1));
        Assert.Equal("/", client.ReadResponse().Content);
    }

    [Fact]
    public void A_client_that_does_not_read_is_not_written_for()
    {
        var written = 0;
        using var server = TlsBed.Serve(async exchange =>
        {
            exchange.Send(new ResponseStart(200));
            for (var i = 0; i < 100; i++)
            {
                await exchange.SendAsync(new ResponseBody(new byte[10_000], MoreBody: true));
                written++;
            }

            await exchange.SendAsync(default);
        });
        using var client = TlsClient.Connect(server);
        server.Run();
        client.Raw.Window = 0;
        client.Send(Apps.Get);
        server.Run();

        // What the limit lets wait, what the socket takes, and the record between them.
        Assert.InRange(written, 5, (64 + 64 + 18) * 1024 / 10_000 + 2);
        Assert.InRange(server.BlockCount, 1, 12);
        client.Raw.Window = long.MaxValue;
        client.ReadResponse();
        server.Run();
        Assert.Equal(100, written);
    }

    [Fact]
    public void A_client_that_takes_too_little_is_reset()
    {
        using var server = TlsBed.Serve(exchange => Apps.Answer(exchange, new string('x', 1_000_000)));
        using var client = TlsClient.Connect(server);
        server.Run();
        client.Raw.Window = 0;
        client.Send(Apps.Get);
        server.Advance(300_000);

        Assert.Equal(ConnectionEnd.Reset, client.Raw.End);
        Assert.Contains(server.Log.Entries, entry => entry.Id.Id == 28);
        server.DemandNothingLeft();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_server_that_closes_says_so_before_its_FIN(SslProtocols version) => Seeds.Run(20, seed =>
    {
        using var server = TlsBed.Serve(Apps.Path, seed: seed);
        using var client = TlsClient.Connect(server, version: version);
        client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        var before = 0;

        Assert.EndsWith("\r\n\r\n/", client.ReadToEnd(), StringComparison.Ordinal);
        var records = Records(client.Wire.Seen.ToArray().AsSpan(before));
        if (version == SslProtocols.Tls12)
            Assert.Equal(AlertRecord, records[^1]);

        // The reader has ended by close_notify: the rest it has not looked at is nothing.
        server.Run();
        Assert.Equal(0, client.Raw.ReceivedLength);
        Assert.Equal(ConnectionEnd.Fin, client.Raw.End);
    });

    [Fact]
    public void A_client_that_says_goodbye_is_let_go()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        client.Get(Apps.Get);
        client.ShutDown();
        server.Run();

        Assert.Equal(ConnectionEnd.Fin, client.Raw.End);
        Assert.Equal(0, client.Stream.ReadByte() + 1);
        client.Raw.ShutdownSend();
        server.Run();
        Assert.Equal(0, server.ConnectionCount);
    }

    [Fact]
    public void A_client_may_close_without_a_goodbye()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        client.Get(Apps.Get);
        client.Raw.ShutdownSend();
        server.Run();

        Assert.Equal(ConnectionEnd.Fin, client.Raw.End);
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_record_that_is_cut_breaks_the_connection() => Seeds.Run(10, seed =>
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        client.Wire.WritesMax = 0;
        client.Send(Apps.Get);
        var held = client.Wire.Held.ToArray();
        client.Raw.Send(held.AsSpan(0, new Random(seed).Next(1, held.Length)));
        client.Raw.ShutdownSend();
        server.Run();

        Assert.Equal(ConnectionEnd.Reset, client.Raw.End);
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_record_that_was_tampered_with_breaks_the_connection()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        client.Wire.WritesMax = 0;
        client.Send(Apps.Get);
        var held = client.Wire.Held.ToArray();
        held[^1] ^= 1;
        client.Raw.Send(held);
        server.Run();

        Assert.Equal(ConnectionEnd.Reset, client.Raw.End);
        Assert.Single(server.Log.Entries, entry => entry.Id.Id == 133);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_record_that_is_too_long_is_not_waited_for()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        client.Raw.Send("\x17\x03\x03\x48\x01");
        server.Run();

        Assert.Equal(ConnectionEnd.Reset, client.Raw.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_keep_alive_timeout_says_goodbye_too()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        client.Get(Apps.Get);
        server.Advance(140_000);

        Assert.Equal(ConnectionEnd.Fin, client.Raw.End);
        Assert.Equal("", client.ReadToEnd());
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_upgraded_connection_carries_bytes_both_ways()
    {
        using var server = HostedTls(async context =>
        {
            var feature = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpUpgradeFeature>()!;
            await using var stream = await feature.UpgradeAsync();
            var buffer = new byte[100];
            while (await stream.ReadAsync(buffer) is var read and > 0)
                await stream.WriteAsync(buffer.AsMemory(0, read));
        });
        using var client = TlsClient.Connect(server);
        Assert.Equal(101, client.Get("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").Status);
        client.Send("to and fro");

        Assert.Equal("to and fro", client.Read(10));
    }

    private static SimulatedServer HostedTls(Microsoft.AspNetCore.Http.RequestDelegate run) =>
        HostedDelegate.Serve(run, before: http =>
        {
            var rules = TlsBed.Rules(http);
            return connection => new TlsDriver(connection, rules);
        });

    private static string Text(Random random, int length) => string.Create(length, random, static (text, random) =>
    {
        for (var i = 0; i < text.Length; i++)
            text[i] = (char)('a' + random.Next(26));
    });

    // The types of the records.
    private static List<byte> Records(ReadOnlySpan<byte> bytes)
    {
        var types = new List<byte>();
        while (bytes.Length >= TlsInput.HeaderLength)
        {
            types.Add(bytes[0]);
            bytes = bytes[(TlsInput.HeaderLength + (bytes[3] << 8) + bytes[4])..];
        }

        return types;
    }

    /// <summary>A connection whose bytes the test receives by itself.</summary>
    private sealed class TransportBed : IDisposable
    {
        public TransportBed(SslProtocols version)
        {
            Server = TlsBed.Serve(Apps.Path, rules => rules with
            {
                Next = (connection, _) =>
                {
                    Connection = connection;
                    return new SilentDriver(connection);
                },
            });
            Client = TlsClient.Connect(Server, version: version);
            Server.Run();
        }

        public SimulatedServer Server { get; }

        public TlsClient Client { get; }

        public Connection Connection { get; private set; } = null!;

        public TransportResult Receive(int length, StringBuilder into)
        {
            var buffer = GC.AllocateUninitializedArray<byte>(length, pinned: true);
            var result = Connection.Transport.Receive(buffer);
            into.Append(Encoding.Latin1.GetString(buffer, 0, result.Length));
            return result;
        }

        public void Dispose()
        {
            Server.AbortAll();
            Server.DemandNothingLeft();
            Client.Dispose();
            Server.Dispose();
        }
    }

    private sealed class SilentDriver(Connection connection) : ConnectionDriver
    {
        public override bool WantsInput => false;

        public override bool UsesInput => false;

        public override void OnStarted()
        {
        }

        public override void OnReceived()
        {
        }

        public override void OnEndOfInput()
        {
        }

        public override void OnPeerShutdown()
        {
        }

        public override void OnSent()
        {
        }

        public override void OnDeadline(long nowMilliseconds)
        {
        }

        public override void ShutDown()
        {
        }

        public override void OnClosed() => connection.Release();
    }
}
