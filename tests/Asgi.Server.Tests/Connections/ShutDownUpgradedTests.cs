// Upgraded connections when the server stops: asked to end, and ended after a grace, so that they do not hold up the host.

using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Connections;

public sealed class ShutDownUpgradedTests
{
    private const int SeedCount = 20;
    private const int Grace = 5_000;
    private const int Lingering = 5_000;
    private const int Step = TimerWheel.StepMilliseconds;
    private const string Head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

    private bool _isAsked;
    private bool _isAborted;
    private string? _read;

    [Fact]
    public void It_is_asked_to_end_and_ended_after_the_grace() => Seeds.Run(SeedCount, seed =>
    {
        using var server = HostedDelegate.Serve(ReadToEnd, seed);
        var client = server.Connect(Head + "bytes");

        var done = server.ShutDown();
        server.Advance(Grace - 1);
        Assert.Equal((true, false, null), (_isAsked, _isAborted, _read));
        Assert.Equal(ConnectionEnd.None, client.End);

        server.Advance(1 + Step);
        Assert.Equal((true, "bytes"), (_isAborted, _read));
        Assert.EndsWith("\r\n\r\nfarewell", client.Received, StringComparison.Ordinal);
        Assert.Equal(ConnectionEnd.Fin, client.End);

        // What the client sends now must not destroy the farewell.
        client.Send("too late");
        server.Run();
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.Advance(Lingering + Step);
        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
        Reset();
    });

    [Fact]
    public void One_that_ends_when_asked_is_waited_for() => Seeds.Run(SeedCount, seed =>
    {
        using var server = HostedDelegate.Serve(
            async context =>
            {
                var asked = new TaskCompletionSource();
                CloseRequested(context).Register(asked.SetResult);
                await using var stream = await Upgrade(context);
                await asked.Task;
                await stream.WriteAsync("farewell"u8.ToArray());
            },
            seed);
        var client = server.Connect(Head);

        var done = server.ShutDown();
        server.Run();
        Assert.EndsWith("\r\n\r\nfarewell", client.Received, StringComparison.Ordinal);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        client.ShutdownSend();
        server.Run();

        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    [Fact]
    public void One_upgraded_during_the_stop_has_the_same_grace() => Seeds.Run(SeedCount, seed =>
    {
        var go = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                await go.Task;
                await ReadToEnd(context);
            },
            seed);
        var client = server.Connect(Head);
        var done = server.ShutDown();
        server.Advance(Grace * 2);
        SimulatedServer.OffLoop(go.SetResult);

        server.Advance(Grace - 1);
        Assert.Equal((false, ConnectionEnd.None), (_isAborted, client.End));
        server.Advance(1 + Step);
        Assert.Equal((true, ConnectionEnd.Fin), (_isAborted, client.End));
        client.ShutdownSend();
        server.Run();

        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
        Reset();
    });

    [Fact]
    public void Without_end_it_is_waited_for_until_the_stops_patience_is_over() => Seeds.Run(SeedCount, seed =>
    {
        var limits = new ConnectionLimits { UpgradedShutdownTimeoutMilliseconds = (long)TimeSpan.FromDays(36_500).TotalMilliseconds };
        using var server = HostedDelegate.Serve(ReadToEnd, seed, limits);
        var client = server.Connect(Head);

        var done = server.ShutDown();
        server.Advance(3_600_000);
        Assert.Equal((false, ConnectionEnd.None, false), (_isAborted, client.End, done.IsCompleted));
        server.AbortAll();
        server.Run();

        Assert.Equal((true, ConnectionEnd.Reset, true), (_isAborted, client.End, done.IsCompleted));
        server.DemandNothingLeft();
        Reset();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_it_has_received_stays_readable_while_the_end_is_said(bool isOffLoop) => Seeds.Run(SeedCount, seed =>
    {
        var read = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                await using var stream = await Upgrade(context);
                await read.Task;
                _read = await ReadAll(stream);
            },
            seed);
        var client = server.Connect(Head + Apps.Repeat("0123456789", 10));

        var done = server.ShutDown();
        server.Advance(Grace + Step);
        client.Send(Apps.Repeat("lost", 10));
        server.Run();
        if (isOffLoop)
        {
            SimulatedServer.OffLoop(read.SetResult);
        }
        else
        {
            SimulatedServer.OnLoop(read.SetResult);
        }

        server.Run();
        Assert.Equal(Apps.Repeat("0123456789", 10), _read);
        client.ShutdownSend();
        server.Run();

        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
        Reset();
    });

    [Fact]
    public void One_that_writes_on_and_on_is_ended_all_the_same() => Seeds.Run(SeedCount, seed =>
    {
        var hops = new Hops();
        var isEnded = false;
        using var server = HostedDelegate.Serve(
            async context =>
            {
                await using var stream = await Upgrade(context);
                while (!isEnded)
                {
                    await hops.Next();
                    await stream.WriteAsync("tick "u8.ToArray());
                }
            },
            seed);
        var client = server.Connect(Head);
        var done = server.ShutDown();
        server.Advance(Grace + Step);
        Assert.Equal(ConnectionEnd.Fin, client.End);

        server.Advance(Lingering + Step);
        isEnded = true;
        hops.RunAll(server);

        Assert.True(done.IsCompletedSuccessfully);
        server.DemandNothingLeft();
    });

    private async Task ReadToEnd(HttpContext context)
    {
        context.RequestAborted.Register(() => _isAborted = true);
        CloseRequested(context).Register(() => _isAsked = true);
        await using var stream = await Upgrade(context);
        var read = await Record.ExceptionAsync(async () => _read = await ReadAll(stream));
        if (read is null)
        {
            await stream.WriteAsync("farewell"u8.ToArray());
        }
    }

    private void Reset() => (_isAsked, _isAborted, _read) = (false, false, null);

    private static CancellationToken CloseRequested(HttpContext context) =>
        context.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;

    private static Task<Stream> Upgrade(HttpContext context) => context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();

    private static async Task<string> ReadAll(Stream stream)
    {
        var all = new StringBuilder();
        var buffer = new byte[64];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
        {
            all.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return all.ToString();
    }
}
