// Content that the server refuses while an application reads it, and the application lets the exception go: what its client is told,
// and what the operator.

using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Application;

public sealed class RefusedContentTests
{
    private const string Head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    // RFC 9112, section 7.1. A stranger's bytes are not the application's error: nobody is woken for them.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_bad_chunk_that_the_app_does_not_catch_is_a_400_and_no_error(bool isOffLoop) => Seeds.Run(20, seed =>
    {
        var read = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                await read.Task;
                await context.Request.Body.CopyToAsync(Stream.Null);
            },
            seed);
        var client = server.Connect(Head + "no size\r\n");
        if (isOffLoop)
        {
            SimulatedServer.OffLoop(read.SetResult);
        }
        else
        {
            SimulatedServer.OnLoop(read.SetResult);
        }

        server.Run();

        Assert.Equal([400], Responses.Of(client).Select(response => response.Status));
        DemandLogged(server, 17, "ConnectionBadRequest");
        server.DemandNothingLeft();
    });

    // RFC 9112, section 8: the message is incomplete. That its client has left as well says less.
    [Fact]
    public void Content_cut_off_is_no_error_either() => Seeds.Run(20, seed =>
    {
        using var server = HostedDelegate.Serve(context => context.Request.Body.CopyToAsync(Stream.Null), seed);
        var client = server.Connect(Head + "5\r\nhel");
        client.ShutdownSend();

        server.Run();

        DemandLogged(server, 17, "ConnectionBadRequest");
        server.DemandNothingLeft();
    });

    private static void DemandLogged(SimulatedServer server, int id, string name)
    {
        Assert.DoesNotContain(server.Log.Entries, entry => entry.Level >= LogLevel.Error);
        var entry = Assert.Single(server.Log.Entries, entry => entry.Id.Id is 13 or 17 or 66 or 101);
        Assert.Equal((LogLevel.Debug, id, name), (entry.Level, entry.Id.Id, entry.Id.Name));
    }
}
