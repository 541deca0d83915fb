// Ciphertext that the socket does not take: a client that never takes it holds no connection, whatever was the last that was sent.

using System.Security.Authentication;
using Asgi.Server.Connections;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class UnsentTests
{
    // What the simulated socket takes while its client reads nothing.
    private const int SocketLength = 64 * 1024;

    [Fact]
    public void A_goodbye_that_is_not_taken_ends_the_connection_in_time()
    {
        // One of these lengths fills the socket with the last byte of the response.
        var fullCount = 0;
        for (var length = SocketLength - 260; length < SocketLength - 140; length++)
        {
            using var server = TlsBed.Serve(exchange => Apps.Answer(exchange, new string('x', length)));
            using var client = TlsClient.Connect(server, version: SslProtocols.Tls13);
            server.Run();
            client.Raw.Window = 0;
            client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            server.Advance(60_000);

            fullCount += client.Raw.End == ConnectionEnd.Reset ? 1 : 0;
            server.Advance(240_000);
            Assert.Equal(0, server.ConnectionCount);
        }

        Assert.InRange(fullCount, 1, 119);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_end_of_a_response_that_is_not_taken_ends_the_connection_in_time(bool isLengthKnown)
    {
        for (var length = SocketLength - 2_000; length < SocketLength + 20_000; length += 500)
        {
            var fields = isLengthKnown ? new FieldList().Add("Content-Length", $"{length}") : null;
            using var server = TlsBed.Serve(exchange =>
            {
                exchange.Send(new ResponseStart(200, fields));
                return exchange.SendAsync(new ResponseBody(new byte[length]));
            });
            using var client = TlsClient.Connect(server, version: SslProtocols.Tls13);
            server.Run();
            client.Raw.Window = 0;
            client.Send(Apps.Get);
            server.Advance(120_000);

            // Before its keep-alive time is over; a response that the socket has taken is not watched.
            Assert.Equal(length >= SocketLength, server.Log.Entries.Any(entry => entry.Id.Id == 28));
        }
    }

    [Fact]
    public void The_end_of_a_response_over_HTTP2_is_watched_too()
    {
        for (var length = SocketLength - 2_000; length < SocketLength + 20_000; length += 500)
        {
            SimulatedServer? made = null;
            using var server = TlsBed.Serve(
                exchange => Apps.Answer(exchange, new string('x', length)),
                rules => rules with { Next = (connection, _) => made!.Http2(connection) },
                limits: new ConnectionLimits { AllowsAlternateSchemes = true });
            made = server;
            using var client = TlsClient.Connect(server, version: SslProtocols.Tls13);
            server.Run();
            client.Stream.Write(Http2Bytes.Join(
                Http2Bytes.Preface,
                Http2Bytes.Settings((4, 1 << 20)),
                Http2Bytes.SettingsAck(),
                Http2Bytes.WindowUpdate(0, 1 << 20)));
            client.Raw.Window = 0;
            client.Stream.Write(Http2Bytes.Get(1));
            server.Advance(120_000);

            // Before its keep-alive time is over; a response that the socket has taken is not watched.
            Assert.Equal(length >= SocketLength, server.Log.Entries.Any(entry => entry.Id.Id == 28));
        }
    }
}
