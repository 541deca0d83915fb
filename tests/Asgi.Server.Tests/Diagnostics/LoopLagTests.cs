// asgi.server.loop.lag: how long a loop was busy before it looked for events again. Virtual time; the handler takes it.

using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class LoopLagTests
{
    [Fact]
    public void What_a_handler_takes_is_the_lag_of_its_loop()
    {
        SimulatedServer? server = null;
        using var its = server = new SimulatedServer(exchange =>
        {
            server!.Backend.MoveClock(70);
            return Apps.Path(exchange);
        });
        server.Loop.Observer = new LoopLag(server.Diagnostics);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "loop.lag");
        var client = server.Connect();
        server.Run();
        Assert.NotEmpty(probe.All);
        Assert.All(probe.All, lag => Assert.Equal(0, lag.Value));

        client.Send(Apps.Get);
        server.Run();

        var lag = Assert.Single(probe.All, lag => lag.Value > 0);
        Assert.Equal((0.07, "simulated loop"), (lag.Value, lag.Tags["asgi.server.loop"]));
    }

    [Fact]
    public void A_sleep_is_no_lag_and_nothing_is_measured_while_nobody_listens()
    {
        using var server = new SimulatedServer(Apps.Path);
        server.Loop.Observer = new LoopLag(server.Diagnostics);
        server.Connect(Apps.Get);
        using var probe = new MeterProbe(server.Diagnostics.Metrics, "loop.lag");

        Assert.Empty(probe.All);
        server.Advance(131_000);

        Assert.NotEmpty(probe.All);
        Assert.All(probe.All, lag => Assert.Equal(0, lag.Value));
    }
}
