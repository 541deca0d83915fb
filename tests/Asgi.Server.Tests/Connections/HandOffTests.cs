// A handler that holds up its loop loses it: played on the simulated loop, over many seeds, against everything else that may happen to a
// connection at the same time.

using System.Globalization;
using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class HandOffTests
{
    private const int RequestsPerClient = 4;

    [Fact]
    public void Every_request_is_answered_by_its_own_handler_wherever_the_loop_is_handed_off() => Seeds.Run(60, seed =>
    {
        using var play = new Play(seed, actions: [Act.Stop, Act.Stop, Act.Write, Act.WriteMuch, Act.Flush, Act.Receive, Act.ReceiveAside]);
        play.Run(clientCount: 3);

        foreach (var (number, client) in play.Clients.Index())
        {
            var responses = Responses.Of(client, [.. Enumerable.Repeat("POST", RequestsPerClient)]);
            Assert.Equal(RequestsPerClient, responses.Count);
            for (var i = 0; i < RequestsPerClient; i++)
            {
                Assert.True(responses[i].IsComplete);
                Assert.Equal(200, responses[i].Status);
                DemandContentOf(number, i, responses[i].Content);
            }
        }

        Assert.Equal(play.Clients.Count * RequestsPerClient, play.StartedCount);
        play.DemandNothingLeft();
    });

    [Fact]
    public void Hand_offs_race_with_resets_aborts_failures_deadlines_and_a_stop_of_the_server() => Seeds.Run(100, seed =>
    {
        using var play = new Play(seed, actions: [.. Enum.GetValues<Act>()]) { IsRough = true };
        play.Run(clientCount: 4);

        foreach (var (number, client) in play.Clients.Index())
        {
            foreach (var (i, response) in Responses.Of(client, [.. Enumerable.Repeat("POST", RequestsPerClient)]).Index())
            {
                if (response.Status == 200)
                {
                    DemandContentOf(number, i, response.Content);
                }
                else
                {
                    Assert.True(response.Status is 500 or 408 or 400, $"{response.Status}");
                }
            }
        }

        play.DemandNothingLeft();
    });

    [Fact]
    public void What_an_exchange_has_taught_holds_for_the_rest_of_it()
    {
        using var stage = new HandOffStage(new Random(1), handOffChance: 1);
        using var server = new SimulatedServer(
            async exchange =>
            {
                await foreach (var _ in Apps.Content(exchange))
                {
                    stage.Point();
                }

                await Apps.Answer(exchange, "done");
            },
            spares: stage);
        var client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (var piece = 0; piece < 10; piece++)
        {
            client.Send("1\r\nx\r\n");
            stage.Play(server, () => { });
        }

        client.Send("0\r\n\r\n");
        stage.Play(server, () => { });

        // Two hand-offs teach; what continues after them is called beside the loop.
        Assert.Equal("done", Assert.Single(Responses.Of(client, "POST")).Content);
        Assert.Equal(2, stage.HandOffCount);
        Assert.True(stage.SpareCallCount >= 7, $"{stage.SpareCallCount} calls on spare threads");
        stage.Play(server, () => { });
    }

    [Fact]
    public void A_route_that_waits_again_and_again_is_learned_without_a_hand_off()
    {
        using var stage = new HandOffStage(new Random(1), handOffChance: 0);
        var here = 0;
        using var server = new SimulatedServer(
            exchange =>
            {
                if (Loop.Current?.Hold is { } hold)
                {
                    here++;
                    hold.NoteWait(hold.CallNumber);
                }

                return Apps.Answer(exchange, "done");
            },
            spares: stage);
        var client = server.Connect();
        for (var request = 0; request < 10; request++)
        {
            client.Send(Apps.Get);
            stage.Play(server, () => { });
        }

        // Eight have taught; what followed had no loop to hold up.
        Assert.Equal((8, 2), (here, stage.SpareCallCount));
        Assert.Equal(10, Responses.Of(client, Enumerable.Repeat("GET", 10).ToArray()).Count);
        Assert.Contains(server.Log.Entries, entry => entry.Id.Name == "RouteBlocks");
    }

    [Fact]
    public void What_waits_have_taught_holds_for_the_rest_of_the_exchange_as_well()
    {
        const int Pieces = BlockingRoutes.WaitsMin + 4;
        using var stage = new HandOffStage(new Random(1), handOffChance: 0);
        var here = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                await foreach (var _ in Apps.Content(exchange))
                {
                    if (Loop.Current?.Hold is { } hold)
                    {
                        here++;
                        hold.NoteWait(hold.CallNumber);
                    }
                }

                await Apps.Answer(exchange, "done");
            },
            spares: stage);
        var client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (var piece = 0; piece < Pieces; piece++)
        {
            client.Send("1\r\nx\r\n");
            stage.Play(server, () => { });
        }

        client.Send("0\r\n\r\n");
        stage.Play(server, () => { });

        Assert.Equal("done", Assert.Single(Responses.Of(client, "POST")).Content);
        Assert.Equal(BlockingRoutes.WaitsMin, here);
    }

    [Fact]
    public void The_plays_do_hand_off_and_learn()
    {
        var (handOffs, spareCalls) = (0, 0);
        Seeds.Run(20, seed =>
        {
            using var play = new Play(seed, actions: [Act.Stop, Act.Write, Act.Flush, Act.Receive]);
            play.Run(clientCount: 3);
            handOffs += play.Stage.HandOffCount;
            spareCalls += play.Stage.SpareCallCount;
            play.DemandNothingLeft();
        });

        Assert.True(handOffs > 20, $"{handOffs} hand-offs");
        Assert.True(spareCalls > 20, $"{spareCalls} calls on spare threads");
    }

    private static void DemandContentOf(int client, int request, string content)
    {
        var mark = Mark(client, request);
        Assert.Equal(string.Concat(Enumerable.Repeat(mark, content.Length / mark.Length + 1))[..content.Length], content);
    }

    private static string Mark(int client, int request) => $"<{client}.{request}>";

    private enum Act
    {
        Stop,
        Write,
        WriteMuch,
        Flush,
        Receive,
        ReceiveAside,
        Listen,
        Abort,
        Throw,
        Complete,
    }

    /// <summary>One play: an application that does what the seed says, and clients that may be rough.</summary>
    private sealed class Play : IDisposable
    {
        private readonly Random _random;
        private readonly Random _applicationRandom;
        private readonly Act[] _actions;
        private readonly SimulatedServer _server;
        private int _started;
        private int _ended;
        private int _steps;

        public Play(int seed, Act[] actions)
        {
            _random = new Random(seed);
            _applicationRandom = new Random(seed + 1_000_000);
            _actions = actions;
            Stage = new HandOffStage(new Random(seed + 2_000_000), handOffChance: 0.3);
            _server = new SimulatedServer(RunAsync, seed, conditions: NetworkConditions.Of(seed, segmentLengthMin: 100), spares: Stage);
        }

        public HandOffStage Stage { get; }

        public List<SimulatedClient> Clients { get; } = [];

        public bool IsRough { get; init; }

        public int StartedCount => _started;

        public void Run(int clientCount)
        {
            for (var number = 0; number < clientCount; number++)
            {
                var client = _server.Connect();
                Clients.Add(client);
                for (var request = 0; request < RequestsPerClient; request++)
                {
                    var path = request % 2 == 0 ? "even" : "odd";
                    client.Send($"POST /{path}?{number}.{request} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
                }
            }

            Stage.Play(_server, Between);
        }

        public void DemandNothingLeft()
        {
            _server.AbortAll();
            Stage.Play(_server, () => { });
            Assert.Equal(_started, _ended);
            _server.DemandNothingLeft();
        }

        public void Dispose()
        {
            _server.Dispose();
            Stage.Dispose();
        }

        private void Between()
        {
            _steps++;
            if (!IsRough || _random.Next(40) != 0)
            {
                return;
            }

            var client = Clients[_random.Next(Clients.Count)];
            switch (_random.Next(6))
            {
                case 0:
                    client.Reset();
                    break;
                case 1:
                    client.ShutdownSend();
                    break;
                case 2:
                    client.Window = _random.Next(2) == 0 ? 0 : long.MaxValue;
                    break;
                case 3:
                    _server.Backend.HorizonMilliseconds += _random.Next(10_000);
                    break;
                case 4 when _steps > 100:
                    _ = _server.ShutDown();
                    break;
                default:
                    client.Send("POST /late HTTP/1.1\r\nHost: a\r\nContent-Le");
                    break;
            }
        }

        private async ValueTask RunAsync(HttpExchange exchange)
        {
            _started++;
            try
            {
                var name = Encoding.ASCII.GetString(exchange.Scope.QueryString);
                var numbers = name.Split('.').Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToArray();
                await ActAsync(exchange, Mark(numbers[0], numbers[1]));
            }
            finally
            {
                _ended++;
            }
        }

        private async Task ActAsync(HttpExchange exchange, string mark)
        {
            exchange.Send(new ResponseStart(200));
            var isReceived = false;
            for (var i = _applicationRandom.Next(8); i >= 0; i--)
            {
                switch (_actions[_applicationRandom.Next(_actions.Length)])
                {
                    case Act.Stop:
                        Stage.Point();
                        break;
                    case Act.Write:
                        Write(exchange, mark);
                        break;
                    case Act.WriteMuch:
                        Write(exchange, string.Concat(Enumerable.Repeat(mark, 5000)));
                        break;
                    case Act.Flush:
                        await exchange.FlushAsync();
                        break;
                    case Act.Receive when !isReceived:
                        isReceived = await ReceiveAsync(exchange);
                        break;
                    case Act.ReceiveAside when !isReceived:
                        isReceived = true;
                        _ = ReceiveAsideAsync(exchange);
                        break;
                    case Act.Listen:
                        exchange.Disconnected.UnsafeRegister(static stage => ((HandOffStage)stage!).Point(), Stage);
                        break;
                    case Act.Abort when _applicationRandom.Next(3) == 0:
                        exchange.Abort();
                        break;
                    case Act.Throw when _applicationRandom.Next(3) == 0:
                        throw new InvalidOperationException("The application fails.");
                    case Act.Complete:
                        await exchange.SendAsync(default);
                        Stage.Point();
                        return;
                }
            }

            await exchange.SendAsync(default);
        }

        private static void Write(HttpExchange exchange, string text)
        {
            var bytes = Encoding.ASCII.GetBytes(text);
            for (var written = 0; written < bytes.Length;)
            {
                var memory = exchange.GetMemory();
                var count = Math.Min(memory.Length, bytes.Length - written);
                bytes.AsSpan(written, count).CopyTo(memory.Span);
                exchange.Advance(count);
                written += count;
            }
        }

        // What the application has begun and does not wait for may still run when it is done, with the exchange in its hands.
        private async Task ReceiveAsideAsync(HttpExchange exchange)
        {
            var body = await exchange.ReceiveAsync();
            var content = Encoding.ASCII.GetString(body.Body);
            for (var i = 0; i < 3; i++)
            {
                Stage.Point();
                Assert.Equal(content, Encoding.ASCII.GetString(body.Body));
            }

            if (!body.IsDisconnect)
            {
                exchange.AdvanceTo(body.Body.End, body.Body.End);
            }
        }

        private static async Task<bool> ReceiveAsync(HttpExchange exchange)
        {
            var body = await exchange.ReceiveAsync();
            if (!body.IsDisconnect)
            {
                exchange.AdvanceTo(body.Body.End, body.Body.End);
            }

            return body.IsDisconnect || !body.MoreBody;
        }
    }
}
