// Clients that do nothing wrong, busy for longer than the span of the limits on abuse (Http2Limits): each habit is one that a known client
// has, at a rate that is honest and above what the limits would be if nothing were forgiven.

using Asgi.Server.Testing.Simulation;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class HonestTrafficTests
{
    private const int Steps = 1200;
    private const int StepMilliseconds = 10;

    // Ids of a step begin here: no step opens more streams than this allows.
    private const uint IdsPerStep = 64;

    /// <summary>What a client does in each step of 10 ms, given the first of its ids.</summary>
    private static readonly Dictionary<string, Action<Http2Peer, uint>> s_habits = new()
    {
        // 38 400 requests, 32 at a time, the windows opened by half of them.
        ["load"] = (peer, id) =>
        {
            peer.Send([.. Enumerable.Range(0, 32).Select(i => Get(id + 2 * (uint)i))]);
            peer.Send(WindowUpdate(0, 32));
        },

        // A proxy, or a map that is moved: of five requests two are not waited for.
        ["cancels"] = (peer, id) =>
        {
            peer.Send([.. Enumerable.Range(0, 5).Select(i => Request(id + 2 * (uint)i, path: i < 3 ? "/" : "/held"))]);
            peer.Send(RstStream(id + 6), RstStream(id + 8));
        },

        // Ends each stream by RST_STREAM, after the response too.
        ["resets what is over"] = (peer, id) =>
        {
            peer.Send(Post(id), DataFrame(id, "12345"), DataFrame(id, "", end: true), Get(id + 2));
            peer.Send(RstStream(id, 0), RstStream(id + 2, 0));
        },

        // Answered before all of it was sent: the end was on its way.
        ["ends what was refused"] = (peer, id) =>
        {
            peer.Send(Request(id, "POST", "/refused", end: false));
            peer.Send(DataFrame(id, "12345"), DataFrame(id, "", end: true));
        },

        // Accounts for each message, for what it waits for and for the whole, and measures the round trip with it.
        ["accounts for messages"] = (peer, id) =>
        {
            peer.Send(Post(id), DataFrame(id, "12345", end: true), WindowUpdate(id, 5));
            peer.Send(WindowUpdate(0, 5), Ping());
        },

        // Round trips for a window that grows: four at once, then one in two seconds; each stream's priority said twice in a while.
        ["priorities and pings"] = (peer, id) =>
        {
            var isFirst = id < IdsPerStep;
            peer.Send(isFirst ? [.. Enumerable.Range(1, 5).Select(i => Priority((uint)(2 * i + 1), i < 3 ? 0u : 3u))] : []);
            peer.Send(Frame(
                HeadersType,
                PriorityFlag | EndHeaders | EndStream,
                id + 20,
                [0, 0, 0, 11, 15, .. Block(":method: GET", ":scheme: http", ":path: /", ":authority: a")]));
            if (id / IdsPerStep % 2 == 0)
            {
                peer.Send(Priority(id + 20, 7));
            }

            if (isFirst || id / IdsPerStep % 200 == 0)
            {
                peer.Send(Repeat(Ping(), isFirst ? 4 : 1), WindowUpdate(0, 65_535));
            }
        },
    };

    public static TheoryData<string> Habits => new(s_habits.Keys);

    [Theory, MemberData(nameof(Habits))]
    public void Honest_clients_are_served_for_as_long_as_they_like(string habit)
    {
        using var server = new SimulatedServer(
            exchange => exchange.Scope.Path switch
            {
                "/held" => Hold(exchange),
                "/refused" => Apps.AnswerStatus(exchange, 401),
                _ when exchange.Scope.Method == "POST" => Apps.EchoWhole(exchange),
                _ => Apps.Path(exchange),
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        for (uint step = 0; step < Steps; step++)
        {
            s_habits[habit](peer, step * IdsPerStep + 1);
            server.Advance(StepMilliseconds);
        }

        Assert.DoesNotContain(peer.Read().Frames, frame => frame.Type == GoAwayType);
        Assert.Equal(ConnectionEnd.None, peer.Client.End);
        Assert.True(peer.Frames.Count(frame => frame.Ends) >= Steps, "Not all was answered.");
        server.DemandNothingLeft();
    }

    private static async ValueTask Hold(HttpExchange exchange)
    {
        var gone = new TaskCompletionSource();
        exchange.Disconnected.Register(gone.SetResult);
        await gone.Task;
    }
}
