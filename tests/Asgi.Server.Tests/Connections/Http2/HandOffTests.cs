// Handlers that hold up their loop, as streams of one connection: played on the simulated loop, over many seeds, against resets of streams
// and of the connection. Each response is its own stream's, whoever has used the record before, and nothing is left in the end.

using System.Buffers;
using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class HandOffTests
{
    private const int StreamsPerRound = 4;
    private const int RoundCount = 4;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_stream_is_answered_by_its_own_handler_wherever_the_loop_is_handed_off(bool isRough) => Seeds.Run(40, seed =>
    {
        var random = new Random(seed);
        var applicationRandom = new Random(seed + 1_000_000);
        var (started, ended) = (0, 0);
        using var stage = new HandOffStage(new Random(seed + 2_000_000), handOffChance: 0.3);
        using var server = new SimulatedServer(
            async exchange =>
            {
                started++;
                try
                {
                    await ActAsync(exchange, stage, applicationRandom, isRough);
                }
                finally
                {
                    ended++;
                }
            },
            seed,
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 100),
            spares: stage,
            isHttp2: true);
        var peer = new Http2Peer(server, isOpen: false);
        peer.Post(Preface, Settings((4, 1 << 20)), SettingsAck(), WindowUpdate(0, 1 << 30));
        uint id = 1;
        for (var round = 0; round < RoundCount; round++)
        {
            var first = id;
            for (var i = 0; i < StreamsPerRound; i++, id += 2)
            {
                peer.Post(Request(id, "POST", $"/{id % 4}?{id}", end: false), DataFrame(id, "0123456789", end: true));
            }

            stage.Play(server, () =>
            {
                if (isRough && random.Next(20) == 0)
                {
                    peer.Post(RstStream(first + (uint)(2 * random.Next(StreamsPerRound))));
                }
            });
        }

        for (var stream = 1; stream < id; stream += 2)
        {
            var response = peer[stream];
            Assert.True(isRough || (response is { Status: "200", IsEnded: true } && response.Content.Length > 0));
            Assert.DoesNotContain(response.Content.Split(' ', StringSplitOptions.RemoveEmptyEntries), mark => mark != $"?{stream}");
        }

        server.AbortAll();
        stage.Play(server, () => { });
        Assert.Equal(started, ended);
        Assert.True(isRough || started == RoundCount * StreamsPerRound);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_route_is_learned_of_the_streams_that_waited_and_of_no_other()
    {
        using var stage = new HandOffStage(new Random(1), handOffChance: 0);
        var here = 0;
        using var server = new SimulatedServer(
            exchange =>
            {
                if (exchange.Scope.Path == "/waits" && Loop.Current?.Hold is { } hold)
                {
                    here++;
                    hold.NoteWait(hold.CallNumber);
                }

                return Apps.Answer(exchange, HandOffStage.IsAway ? "away" : "here");
            },
            spares: stage,
            isHttp2: true);
        var peer = new Http2Peer(server, isOpen: false);
        peer.Post(Start, SettingsAck());
        for (uint id = 1; id < 4 * (BlockingRoutes.WaitsMin + 2); id += 4)
        {
            peer.Post(Request(id, path: "/waits"), Request(id + 2, path: "/other"));
            stage.Play(server, () => { });
        }

        Assert.Equal((BlockingRoutes.WaitsMin, 2), (here, stage.SpareCallCount));
        var last = 4 * (BlockingRoutes.WaitsMin + 1) + 1;
        Assert.Equal(("here", "away", "here"), (peer[1].Content, peer[last].Content, peer[last + 2].Content));
    }

    private static async Task ActAsync(HttpExchange exchange, HandOffStage stage, Random random, bool isRough)
    {
        var mark = Encoding.ASCII.GetBytes($"?{Encoding.ASCII.GetString(exchange.Scope.QueryString)} ");
        exchange.Send(new ResponseStart(200));
        var isReceived = false;
        for (var i = random.Next(8); i >= 0; i--)
        {
            switch (random.Next(isRough ? 9 : 6))
            {
                case 0 or 1:
                    stage.Point();
                    break;
                case 2:
                    exchange.Write(mark);
                    break;
                case 3:
                    exchange.Write(Repeat(mark, 5000));
                    break;
                case 4:
                    await exchange.FlushAsync();
                    break;
                case 5 when !isReceived:
                    var body = await exchange.ReceiveAsync();
                    isReceived = body.IsDisconnect || !body.MoreBody;
                    if (!body.IsDisconnect)
                    {
                        exchange.AdvanceTo(body.Body.End, body.Body.End);
                    }

                    break;
                case 6:
                    exchange.Disconnected.UnsafeRegister(static stage => ((HandOffStage)stage!).Point(), stage);
                    break;
                case 7 when random.Next(3) == 0:
                    exchange.Abort();
                    break;
                case 8 when random.Next(3) == 0:
                    throw new InvalidOperationException("The application fails.");
            }
        }

        exchange.Write(mark);
        await exchange.SendAsync(default);
        stage.Point();
    }
}
