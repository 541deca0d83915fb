// What the log says of the life of a connection at Debug: Kestrel's ids and names, in the order things happen.

using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Asgi.Server.Tests.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Diagnostics;

public sealed class ConnectionLogTests
{
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    private const string Close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    [Fact]
    public void A_connection_from_its_accept_to_its_end()
    {
        using var server = new SimulatedServer(Apps.EchoWhole);
        server.Connect(Post + "hello" + Close);

        Assert.Equal(
            [
                "ConnectionAccepted 39", "ConnectionStart 1", "RequestBodyDone 26", "RequestBodyStart 25", "ConnectionKeepAlive 9",
                "ConnectionDisconnect 10", "ConnectionWriteFin 7", "ConnectionStop 2",
            ],
            Logged(server));
        Assert.All(server.Log.Entries, entry => Assert.Equal(LogLevel.Debug, entry.Level));
    }

    [Fact]
    public void Content_that_the_application_waits_for()
    {
        using var server = new SimulatedServer(Apps.EchoWhole);
        var client = server.Connect(Post + "hel");
        Assert.Equal(["RequestBodyStart 25"], Logged(server).Skip(2));
        client.Send("lo");
        server.Run();

        Assert.Equal(["RequestBodyStart 25", "RequestBodyDone 26", "ConnectionKeepAlive 9"], Logged(server).Skip(2));
    }

    [Fact]
    public void Content_that_the_application_leaves()
    {
        using var server = new SimulatedServer(Apps.Path);
        server.Connect(Post + "hel");

        Assert.Equal(["RequestBodyNotEntirelyRead 32"], Logged(server).Skip(2));
        Assert.Equal(LogLevel.Information, server.Log.Entries.Last().Level);
    }

    [Fact]
    public void Content_that_comes_too_slowly()
    {
        using var server = new SimulatedServer(Apps.EchoWhole);
        server.Connect(Post + "hel");
        server.Advance(20_000);

        Assert.Equal("RequestBodyMinimumDataRateNotSatisfied 27", Logged(server)[3]);
    }

    [Fact]
    public void A_client_that_resets()
    {
        using var server = new SimulatedServer(Apps.Path);
        server.Connect().Reset();
        server.Run();

        Assert.Equal(["ConnectionReset 19", "ConnectionStop 2"], Logged(server).Skip(2));
    }

    [Fact]
    public void A_client_that_closes()
    {
        using var server = new SimulatedServer(Apps.Path);
        server.Connect().ShutdownSend();
        server.Run();

        Assert.Equal(
            ["ConnectionReadFin 6", "ConnectionDisconnect 10", "ConnectionWriteFin 7", "ConnectionStop 2"], Logged(server).Skip(2));
    }

    [Fact]
    public void An_application_that_aborts()
    {
        using var server = new SimulatedServer(exchange =>
        {
            exchange.Abort();
            return default;
        });
        server.Connect(Apps.Get);

        Assert.Equal(
            ["ApplicationAbortedConnection 34", "ConnectionDisconnect 10", "ConnectionWriteRst 8", "ConnectionStop 2"],
            Logged(server).Skip(2));
    }

    [Fact]
    public void Content_of_a_response_to_HEAD()
    {
        using var server = new SimulatedServer(Apps.Path);
        server.Connect("HEAD /1234 HTTP/1.1\r\nHost: a\r\n\r\n");

        var entry = Assert.Single(server.Log.Entries, entry => entry.Id.Id == 18);
        Assert.Contains(" 5 bytes", entry.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_line_names_its_connection()
    {
        using var server = new SimulatedServer(Apps.EchoWhole);
        server.Connect(Post + "hello" + Close);

        var id = server.Log.Entries.First().Message.Split('"')[1];
        Assert.Equal(13, id.Length);
        Assert.All(server.Log.Entries, entry => Assert.StartsWith($"Connection id \"{id}\"", entry.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_whose_patience_is_over_and_whose_application_never_ends()
    {
        var entered = new TaskCompletionSource();
        var end = new TaskCompletionSource();
        using var logs = new RecordingLog();
        using var server = new AsgiServer(Options.Create(new AsgiServerOptions { LoopCount = 1 }), logs);
        server.GetAddresses().Addresses.Add(Addresses.Loopback);
        var application = new NativeApplication(async _ =>
        {
            entered.SetResult();
            await end.Task;
        });
        await server.StartAsync(application, CancellationToken.None);
        await using var client = await RawClient.ConnectAsync(Addresses.EndPointOf(server.GetAddresses().Addresses.Single()));
        await client.SendAsync(Apps.Get);
        await entered.Task;

        await server.StopAsync(new CancellationToken(canceled: true));

        Assert.Equal(
            ["NotAllConnectionsClosedGracefully 16", "NotAllConnectionsAborted 21"],
            logs.Entries.Where(entry => entry.Id.Name!.StartsWith("NotAll", StringComparison.Ordinal)).Select(Name));
        Assert.Contains(
            logs.Entries, entry => entry.Id.Id == 8 && entry.Message.EndsWith(": AppShutdownTimeout", StringComparison.Ordinal));
        end.SetResult();
    }

    private static List<string> Logged(SimulatedServer server) => [.. server.Log.Entries.Select(Name)];

    private static string Name(LogEntry entry) => $"{entry.Id.Name} {entry.Id.Id}";
}
