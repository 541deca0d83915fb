// Applications that write and complete on other threads: one thread at a time where the order matters, and many at once.

using System.Text;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class OffLoopTests
{
    [Fact]
    public void A_response_may_be_written_on_another_thread() => Seeds.Run(20, seed =>
    {
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await hops.Next();
                exchange.Send(new ResponseStart(200));
                for (var i = 0; i < 10; i++)
                {
                    await exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes($"{i}"), MoreBody: true));
                    if (i % 3 == 0)
                    {
                        await hops.Next();
                    }
                }

                await exchange.SendAsync(default);
            },
            seed);
        var client = server.Connect(Apps.Get + Apps.Get);

        hops.RunAll(server);

        Assert.Equal(["0123456789", "0123456789"], Responses.Of(client).Select(response => response.Content));
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Content_may_be_read_on_another_thread() => Seeds.Run(20, seed =>
    {
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                var content = new StringBuilder();
                await hops.Next();
                await foreach (var piece in Apps.Content(exchange))
                {
                    content.Append(Encoding.ASCII.GetString(piece));
                    await hops.Next();
                }

                await Apps.Answer(exchange, content.ToString());
            },
            seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        hops.RunAll(server);
        client.Send("5\r\nworld\r\n0\r\n\r\n");

        hops.RunAll(server);

        Assert.Equal("helloworld", Assert.Single(Responses.Of(client)).Content);
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_client_may_leave_while_another_thread_writes() => Seeds.Run(40, seed =>
    {
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                exchange.Send(new ResponseStart(200));
                for (var i = 0; i < 20; i++)
                {
                    await hops.Next();
                    await exchange.SendAsync(new ResponseBody(new byte[10_000], MoreBody: true));
                }

                await exchange.SendAsync(default);
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = 1000 * (seed % 20);
        client.Send(Apps.Get);
        hops.RunAll(server);

        client.Reset();
        hops.RunAll(server);

        Assert.Equal((0, 0), (server.ConnectionCount, server.BlockCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Threads_of_the_pool_serve_many_connections_at_once()
    {
        const int ConnectionCount = 8;
        const int RequestCount = 100;
        var served = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await Task.Yield();
                var content = await Apps.ReadAll(exchange);
                await Task.Yield();
                exchange.Send(new ResponseStart(200));
                await exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes(content), MoreBody: true));
                await Task.Yield();
                await exchange.SendAsync(new ResponseBody(Encoding.ASCII.GetBytes(content)));
                Interlocked.Increment(ref served);
            },
            conditions: new NetworkConditions { SegmentLengthMax = 3000, ShortSendChance = 0.1, BlockedSendChance = 0.1 });
        var clients = Enumerable.Range(0, ConnectionCount).Select(_ => server.Connect()).ToArray();
        foreach (var client in clients)
        {
            for (var i = 0; i < RequestCount; i++)
            {
                client.Send($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1005\r\n\r\n{Content(i)}");
            }
        }

        server.RunUntil(() => Volatile.Read(ref served) == ConnectionCount * RequestCount && server.BlockCount == 0);
        server.Run();

        foreach (var client in clients)
        {
            Assert.Equal(
                Enumerable.Range(0, RequestCount).Select(i => Content(i) + Content(i)),
                Responses.Of(client).Select(response => response.Content));
        }

        server.DemandNothingLeft();

        static string Content(int number) => $"{number:d5}" + Apps.Repeat("x", 1000);
    }

    [Fact]
    public void Threads_of_the_pool_serve_clients_that_leave_at_any_time()
    {
        const int ConnectionCount = 200;
        var left = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                try
                {
                    await Task.Yield();
                    await Apps.Echo(exchange);
                }
                finally
                {
                    Interlocked.Increment(ref left);
                }
            },
            conditions: new NetworkConditions { SegmentLengthMax = 500 });
        for (var i = 0; i < ConnectionCount; i++)
        {
            var client = server.Connect();
            client.Send($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n{Apps.Repeat("x", i * 10)}");
            var begun = i + 1;
            for (var tick = 0; tick < 20; tick++)
            {
                server.Tick();
            }

            client.Reset();
            server.RunUntil(() => server.ConnectionCount == 0);
            Assert.InRange(Volatile.Read(ref left), 0, begun);
        }

        server.DemandNothingLeft();
    }
}
