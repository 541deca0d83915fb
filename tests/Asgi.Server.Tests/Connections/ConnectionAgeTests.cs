// Connections that end although nothing is wrong: after so many requests, or at such an age.

using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Connections;

public sealed class ConnectionAgeTests
{
    private const int SeedCount = 20;
    private const int Age = 100_000;
    private const int Earliest = 90_000;
    private const int Step = TimerWheel.StepMilliseconds;

    private readonly ConnectionLimits _aging = new() { AgeMaxMilliseconds = Age };

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_last_request_of_a_connection_is_answered_with_close(int max) => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed, new ConnectionLimits { RequestsMax = max });

        var client = server.Connect(Apps.Repeat(Apps.Get, max - 1));
        Assert.Equal(ConnectionEnd.None, client.End);
        client.Send(Apps.Get + Apps.Get);
        server.Run();

        var responses = Responses.Of(client);
        Assert.Equal(Enumerable.Repeat((string?)null, max - 1).Append("close"), responses.Select(response => response.Field("Connection")));
        Assert.All(responses, response => Assert.Equal((200, true), (response.Status, response.IsComplete)));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void An_idle_connection_is_closed_at_its_age() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed, _aging);
        var client = server.Connect("");
        server.Advance(Earliest / 2);
        client.Send(Apps.Get);
        server.Run();

        server.Advance(Earliest / 2 - 1);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(Age - Earliest + 1 + Step);

        Assert.Equal((ConnectionEnd.Fin, 0), (client.End, server.ConnectionCount));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_busy_connection_answers_with_close() => Seeds.Run(SeedCount, seed =>
    {
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(
            async exchange =>
            {
                await end.Task;
                await Apps.Path(exchange);
            },
            seed,
            _aging);
        var client = server.Connect(Apps.Get);

        server.Advance(2 * Age);
        Assert.Equal(ConnectionEnd.None, client.End);
        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal("close", Assert.Single(Responses.Of(client)).Field("Connection"));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Connections_of_one_moment_end_at_different_ones()
    {
        const int Count = 50;
        using var server = new SimulatedServer(Apps.Path, limits: _aging);
        for (var i = 0; i < Count; i++)
        {
            server.Connect("");
        }

        server.Advance((Earliest + Age) / 2);

        Assert.InRange(server.ConnectionCount, 1, Count - 1);
        server.DemandNothingLeft();
    }

    [Fact]
    public void An_upgraded_connection_is_told_and_left_alone() => Seeds.Run(SeedCount, seed =>
    {
        var isAsked = false;
        using var server = HostedDelegate.Serve(
            async context =>
            {
                context.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested.Register(() => isAsked = true);
                await using var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
                await stream.CopyToAsync(Stream.Null);
            },
            seed,
            _aging);
        var client = server.Connect("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");

        server.Advance(10 * Age);
        Assert.Equal((ConnectionEnd.None, true), (client.End, isAsked));

        client.ShutdownSend();
        server.Run();
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });
}
