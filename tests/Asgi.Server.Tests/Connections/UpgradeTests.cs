// Switching protocols (RFC 9110, section 7.8) from the loop's thread and from another: what lies behind the head belongs to the loop.

using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Connections;

public sealed class UpgradeTests
{
    private const string Head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

    [Theory]
    [InlineData(false, "")]
    [InlineData(false, "with the head ")]
    [InlineData(true, "")]
    [InlineData(true, "with the head ")]
    public void Both_directions_are_raw_on_any_thread(bool isOffLoop, string early) => Seeds.Run(20, seed =>
    {
        var start = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                await start.Task;
                await using var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
                var buffer = new byte[100];
                for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
                {
                    await stream.WriteAsync(buffer.AsMemory(0, read));
                }
            },
            seed);
        var client = server.Connect(Head + early);
        if (isOffLoop)
        {
            SimulatedServer.OffLoop(start.SetResult);
        }
        else
        {
            SimulatedServer.OnLoop(start.SetResult);
        }

        server.Run();
        client.Send("and later");
        server.Run();
        client.ShutdownSend();
        server.Run();

        Assert.StartsWith("HTTP/1.1 101 Switching Protocols\r\n", client.Received, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n" + early + "and later", client.Received, StringComparison.Ordinal);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });
}
