// What a connection waits for, and how long: at the limit, and one step of the timer wheel past it, on virtual time.

using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Connections;

public sealed class DeadlineTests
{
    private const int SeedCount = 20;
    private const int KeepAlive = 130_000;
    private const int Head = 30_000;
    private const int Drain = 5_000;
    private const int Step = TimerWheel.StepMilliseconds;

    [Fact]
    public void A_connection_without_a_request_is_closed_after_the_keep_alive_timeout() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("");

        server.Advance(KeepAlive - 1);
        Assert.Equal(ConnectionEnd.None, client.End);

        server.Advance(1 + Step);
        Assert.Equal((ConnectionEnd.Fin, ""), (client.End, client.Received));
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_keep_alive_timeout_starts_again_with_each_response() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("");
        for (var i = 0; i < 3; i++)
        {
            server.Advance(KeepAlive - 1);
            client.Send(Apps.Get);
            server.Run();
        }

        server.Advance(KeepAlive - 1);
        Assert.Equal((ConnectionEnd.None, 3), (client.End, Responses.Of(client).Count));

        server.Advance(1 + Step);
        Assert.Equal((ConnectionEnd.Fin, 3), (client.End, Responses.Of(client).Count));
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_keep_alive_timeout_does_not_run_while_the_response_is_taken() => Seeds.Run(SeedCount, seed =>
    {
        var limits = new ConnectionLimits { KeepAliveTimeoutMilliseconds = 1000 };
        var conditions = new NetworkConditions { SendCapacity = 600 };
        using var server = new SimulatedServer(exchange => Apps.Answer(exchange, Apps.Repeat("x", 50_000)), seed, limits, conditions);
        var client = server.Connect("");
        client.Window = 20_000;
        client.Send(Apps.Get);
        server.Advance(3000);

        client.Window = long.MaxValue;
        server.Run();
        client.Send(Apps.Get);
        server.Run();
        Assert.Equal((ConnectionEnd.None, 2), (client.End, Responses.Of(client).Count));

        server.Advance(2000 + Step);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_head_that_takes_too_long_is_answered_with_408() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("");
        server.Advance(60_000);
        client.Send("GET / HTTP/1.1\r\nHost: a\r\n");

        // Bytes that arrive meanwhile do not prolong it.
        server.Advance(Head / 2);
        client.Send("Field: value\r\n");
        server.Advance(Head / 2 - 1);
        Assert.Equal((ConnectionEnd.None, ""), (client.End, client.Received));

        server.Advance(1 + Step);
        var response = Assert.Single(Responses.Of(client));
        Assert.Equal((408, "close"), (response.Status, response.Field("Connection")));
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Fact]
    public void The_head_of_a_second_request_has_its_own_time() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("GET");
        server.Advance(Head - 1);
        client.Send(" / HTTP/1.1\r\nHost: a\r\n\r\nGET");
        server.Run();

        server.Advance(Head - 1);
        Assert.Equal(ConnectionEnd.None, client.End);

        server.Advance(1 + Step);
        Assert.Equal([200, 408], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_request_under_way_has_no_deadline() => Seeds.Run(SeedCount, seed =>
    {
        var end = new TaskCompletionSource();
        using var server = new SimulatedServer(Apps.PathAfter(end.Task), seed);
        var client = server.Connect(Apps.Get);

        server.Advance(24 * 3600 * 1000);
        SimulatedServer.OffLoop(end.SetResult);
        server.Run();

        Assert.Equal([200], Responses.Of(client).Select(response => response.Status));
        server.DemandNothingLeft();
    });

    [Fact]
    public void Unread_content_that_does_not_come_is_waited_for_so_long() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
        Assert.Equal([200], Responses.Of(client).Select(response => response.Status));

        server.Advance(Drain - 1);
        Assert.Equal(ConnectionEnd.None, client.End);

        server.Advance(1 + Step);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.Contains(server.Log.Entries, entry => entry is { Id.Id: 33, Level: LogLevel.Information });
        server.DemandNothingLeft();
    });

    [Fact]
    public void Unread_content_that_comes_in_time_lets_the_connection_go_on() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");

        server.Advance(Drain - 1);
        client.Send("world" + Apps.Get);
        server.Advance(KeepAlive - 1);

        Assert.Equal((ConnectionEnd.None, 2), (client.End, Responses.Of(client).Count));
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_client_that_goes_on_sending_after_a_refusal_is_listened_to_so_long() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("NONSENSE\r\n\r\n");
        Assert.Equal((ConnectionEnd.Fin, 1), (client.End, server.ConnectionCount));

        client.Send(Apps.Repeat("x", 1000));
        server.Advance(Drain - 1);
        Assert.Equal((ConnectionEnd.Fin, 1), (client.End, server.ConnectionCount));
        Assert.Equal(0, server.BlockCount);

        server.Advance(1 + Step);
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Draining_and_lingering_take_as_long_as_they_are_set() => Seeds.Run(SeedCount, seed =>
    {
        var limits = new ConnectionLimits { DrainTimeoutMilliseconds = 60_000, LingeringTimeoutMilliseconds = 20_000 };
        using var server = new SimulatedServer(Apps.Path, seed, limits);
        var client = server.Connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");

        server.Advance(60_000 - 1);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(1 + Step);
        Assert.Equal((ConnectionEnd.Fin, 1), (client.End, server.ConnectionCount));

        server.Advance(20_000 - 1 - Step);
        Assert.Equal(1, server.ConnectionCount);
        server.Advance(1 + Step + Step);
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void Without_lingering_a_refused_client_is_let_go_at_once() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed, new ConnectionLimits { LingeringTimeoutMilliseconds = 0 });

        var client = server.Connect("NONSENSE\r\n\r\n");

        Assert.NotEqual(ConnectionEnd.None, client.End);
        Assert.Equal(0, server.ConnectionCount);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_client_that_closes_after_a_refusal_is_let_go_at_once() => Seeds.Run(SeedCount, seed =>
    {
        using var server = new SimulatedServer(Apps.Path, seed);
        var client = server.Connect("NONSENSE\r\n\r\n");

        client.ShutdownSend();
        server.Run();

        Assert.Equal((ConnectionEnd.Fin, 0), (client.End, server.ConnectionCount));
        server.DemandNothingLeft();
    });
}
