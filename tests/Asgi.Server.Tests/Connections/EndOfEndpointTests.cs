// The end of an endpoint while the server goes on: its connections are asked to end, and broken when the time of grace is over.

using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;

namespace Asgi.Server.Tests.Connections;

public sealed class EndOfEndpointTests
{
    private const int SeedCount = 20;
    private const int Grace = 5_000;

    [Fact]
    public void An_idle_connection_is_closed() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var fresh = server.Connect("");
        var used = server.Connect(Apps.Get);

        server.End(Grace);

        Assert.Equal((ConnectionEnd.Fin, ConnectionEnd.Fin), (fresh.End, used.End));
        server.Advance(Grace + TimerWheel.StepMilliseconds);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_request_in_flight_is_answered_with_close() => Seeds.Run(SeedCount, seed =>
    {
        var leave = new TaskCompletionSource();
        using var server = new SimulatedServer(async exchange =>
        {
            await leave.Task;
            await Apps.Path(exchange);
        }, seed);
        var client = server.Connect(Apps.Get);

        server.End(Grace);
        server.Advance(Grace - 1);
        Assert.Equal(ConnectionEnd.None, client.End);
        SimulatedServer.OffLoop(leave.SetResult);
        server.Run();

        Assert.Equal("close", Assert.Single(Responses.Of(client)).Field("Connection"));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.Advance(TimerWheel.StepMilliseconds + 1);
        server.DemandNothingLeft();
    });

    [Fact]
    public void What_is_left_after_the_time_of_grace_is_broken() => Seeds.Run(SeedCount, seed =>
    {
        var aborted = new TaskCompletionSource();
        using var server = new SimulatedServer(async exchange =>
        {
            using var registration = exchange.Disconnected.Register(aborted.SetResult);
            await aborted.Task;
        }, seed);
        var client = server.Connect(Apps.Get);

        server.End(Grace);
        server.Advance(Grace - 1);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(1 + TimerWheel.StepMilliseconds);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.True(aborted.Task.IsCompletedSuccessfully);
    });

    [Fact]
    public void Connections_of_another_endpoint_go_on() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect(Apps.Get);

        server.End(Grace, ofAnother: true);
        server.Advance(Grace + TimerWheel.StepMilliseconds);
        client.Send(Apps.Get);
        server.Run();

        Assert.Equal([null, null], Responses.Of(client).Select(response => response.Field("Connection")));
        Assert.Equal(ConnectionEnd.None, client.End);
    });
}
