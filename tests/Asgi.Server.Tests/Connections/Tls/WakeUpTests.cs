// Bytes that wait where no edge tells of them, in the socket, in a record or in SslStream, are received all the same.

using System.Security.Authentication;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class WakeUpTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData(49_999)]
    public void Content_may_follow_the_handshake_at_once(int length)
    {
        using var server = TlsBed.Serve(Apps.EchoWhole);
        using var client = new TlsClient(server);
        client.Options.EnabledSslProtocols = SslProtocols.Tls13;
        client.Wire.WritesMax = 1;
        client.Handshake();
        client.Send($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        client.Send(new string('x', length));

        // Its Finished, the request and the content are in the socket before the server looks: one edge for all of them.
        client.Raw.Send(client.Wire.Held.ToArray());

        Assert.Equal(length, client.ReadResponse().Content.Length);
    }

    [Fact]
    public void What_comes_while_the_application_does_not_read_is_received_when_it_does() => Seeds.Run(200, seed =>
    {
        var random = new Random(seed);
        var gate = new TaskCompletionSource();
        var limits = new ConnectionLimits { RequestBufferSizeMax = random.Next(1, 40_000) };
        using var server = TlsBed.Serve(
            async exchange =>
            {
                await gate.Task;
                await Apps.EchoWhole(exchange);
            },
            limits: limits);
        using var client = TlsClient.Connect(server);
        client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        var sent = 0;
        for (var turn = random.Next(2, 6); turn > 0; turn--)
        {
            var lengthMax = random.Next(2) == 0 ? 1_000 : 10_000;
            for (var record = random.Next(1, 20); record > 0; record--)
            {
                var length = random.Next(1, lengthMax);
                client.Send($"{length:x}\r\n{new string('x', length)}\r\n");
                sent += length;
            }

            server.Run();
        }

        client.Send("0\r\n\r\n");
        server.Run();
        SimulatedServer.OnLoop(gate.SetResult);

        Assert.Equal(sent, client.ReadResponse().Content.Length);
        client.Raw.ShutdownSend();
        server.DemandNothingLeft();
    });

    [Fact]
    public void FIN_behind_records_that_wait_loses_none_of_them() => Seeds.Run(50, seed =>
    {
        var random = new Random(seed);
        var gate = new TaskCompletionSource();
        var limits = new ConnectionLimits { RequestBufferSizeMax = random.Next(1, 40_000) };
        var length = random.Next(1, 60_000);
        using var server = TlsBed.Serve(
            async exchange =>
            {
                await gate.Task;
                await Apps.EchoWhole(exchange);
            },
            limits: limits);
        using var client = TlsClient.Connect(server);
        client.Send($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        for (var left = length; left > 0;)
        {
            var part = Math.Min(left, random.Next(1, 3_000));
            client.Send(new string('x', part));
            left -= part;
        }

        client.Raw.ShutdownSend();
        server.Run();
        SimulatedServer.OnLoop(gate.SetResult);

        Assert.Equal(length, client.ReadResponse().Content.Length);
        server.Run();
        Assert.Equal(ConnectionEnd.Fin, client.Raw.End);
        Assert.Equal(0, server.ConnectionCount);
    });

    [Fact]
    public void A_goodbye_right_behind_a_request_is_heard()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var client = TlsClient.Connect(server);
        server.Run();
        client.Wire.WritesMax = 0;
        client.Send(Apps.Get);
        client.ShutDown();
        client.Raw.Send(client.Wire.Held.ToArray());

        Assert.Equal("/", client.ReadResponse().Content);
        server.Run();
        Assert.Equal(ConnectionEnd.Fin, client.Raw.End);
    }

    [Fact]
    public void The_loop_lets_go_of_the_wire_before_it_has_a_read_completed()
    {
        Connection? connection = null;
        using var server = new SimulatedServer(Apps.Path, before: http => made => http(connection = made));
        server.Connect();
        server.Run();
        using var wire = new TlsWire(server.Loop);
        var operation = new TlsOperation(
            connection!, wire, runsApplicationCode: true, () => wire.ReadAsync(new byte[6]).AsTask(), () => { }, _ => { });
        operation.Begin();
        server.Run();
        Assert.True(operation.LoopHasWire);

        // The call is in the ready list, from where it may go to any thread: more bytes must not be added meanwhile.
        wire.Input.Append([0x17, 3, 3, 0, 1, 0]);
        operation.Pump();
        Assert.False(operation.LoopHasWire);

        server.Run();
        Assert.True(operation.HasEnded);
        wire.Input.Clear();
        server.DemandNothingLeft();
    }
}
