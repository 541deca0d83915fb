// A call that blocks somewhere else: what the rest of its exchange does meanwhile, on the loop that went on without it.

using System.Buffers;
using Asgi.Server.Application;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Asgi.Server.Tests.Connections;

public sealed class AwayTests
{
    private const string Head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

    [Fact]
    public void A_response_that_is_complete_is_sent_while_a_call_of_its_request_still_blocks()
    {
        using var blocked = new BlockedCall();
        var hops = new Hops();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                _ = ReadAsideAsync(context, blocked);
                await hops.Next();
                context.Response.BodyWriter.Write("done"u8);
            },
            spares: blocked);
        var client = server.Connect();
        client.Send(Head);
        SimulatedServer.OffLoop(server.Run);
        client.Send("hello");
        blocked.TakeLoopFrom(server);

        hops.RunAll(server);

        Assert.Equal("done", Assert.Single(Responses.Of(client, "POST")).Content);
        blocked.Return(server);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_response_is_sent_though_what_disposes_of_its_context_blocks()
    {
        using var blocked = new BlockedCall();
        using var server = new SimulatedServer(
            log => new HostedApplication<int>(new BlocksAtItsEnd(blocked), log), spares: blocked);
        var client = server.Connect();
        client.Send(Apps.Get);
        blocked.TakeLoopFrom(server);

        server.Run();

        Assert.Equal(204, Assert.Single(Responses.Of(client)).Status);
        blocked.Return(server);
        server.DemandNothingLeft();
    }

    [Fact]
    public void What_a_call_is_still_writing_stays_its_own_though_the_application_has_failed()
    {
        using var blocked = new BlockedCall();
        var hops = new Hops();
        using var server = new SimulatedServer(
            async exchange =>
            {
                _ = WriteAsideAsync(exchange, blocked);
                await hops.Next();
                throw new InvalidOperationException("The application fails.");
            },
            spares: blocked);
        var client = server.Connect();
        client.Send(Head);
        SimulatedServer.OffLoop(server.Run);
        client.Send("hello");
        blocked.TakeLoopFrom(server);

        hops.RunAll(server);

        Assert.Equal("", client.Received);
        blocked.Return(server);
        Assert.StartsWith("HTTP/1.1 200 ", client.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_loop_survives_a_route_whose_name_cannot_be_had()
    {
        using var blocked = new BlockedCall();
        using var server = new SimulatedServer(
            exchange =>
            {
                exchange.Route = new Nameless();
                blocked.Block();
                return Apps.AnswerStatus(exchange, 200);
            },
            spares: blocked);
        var client = server.Connect();
        client.Send(Apps.Get);
        blocked.TakeLoopFrom(server);

        server.Run();
        blocked.Return(server);

        Assert.NotEqual(ConnectionEnd.None, client.End);
        Assert.Equal([200], Responses.Of(server.Connect(Apps.Get)).Select(response => response.Status));
    }

    private static async Task ReadAsideAsync(HttpContext context, BlockedCall blocked)
    {
        var read = await context.Request.BodyReader.ReadAsync();
        context.Request.BodyReader.AdvanceTo(read.Buffer.End);
        blocked.Block();
    }

    private static async Task WriteAsideAsync(HttpExchange exchange, BlockedCall blocked)
    {
        var body = await exchange.ReceiveAsync();
        exchange.AdvanceTo(body.Body.End, body.Body.End);
        exchange.Send(new ResponseStart(200));
        exchange.WriteHead();
        blocked.Block();
    }

    private sealed class BlocksAtItsEnd(BlockedCall blocked) : IHttpApplication<int>
    {
        public int CreateContext(IFeatureCollection contextFeatures)
        {
            contextFeatures.Get<IHttpResponseFeature>()!.StatusCode = 204;
            return 1;
        }

        public Task ProcessRequestAsync(int context) => Task.CompletedTask;

        public void DisposeContext(int context, Exception? exception) => blocked.Block();
    }

    private sealed class Nameless
    {
        public override string ToString() => throw new InvalidOperationException("No name.");
    }

    /// <summary>A thread that runs a loop until a call of the application blocks it; then the test has the loop.</summary>
    private sealed class BlockedCall : ISpares, ILoopSuccessor, IDisposable
    {
        private readonly ManualResetEventSlim _isBlocked = new();
        private readonly ManualResetEventSlim _gate = new();
        private Thread _thread = null!;

        public void Block()
        {
            _isBlocked.Set();
            _gate.Wait();
        }

        public void TakeLoopFrom(SimulatedServer server)
        {
            _thread = new Thread(() =>
            {
                while (server.Loop.Tick())
                {
                }
            });
            _thread.Start();
            _isBlocked.Wait();
            Assert.True(server.Loop.TryHandOff(server.Loop.Hold!, HandOffReason.Waits));
        }

        public void Return(SimulatedServer server)
        {
            _gate.Set();
            _thread.Join();
            server.Run();
        }

        public ILoopSuccessor TryReserve() => this;

        public bool TryRun(IThreadPoolWorkItem call, bool mayWait) => throw new NotSupportedException("No route is learned here.");

        public void TakeOver(Loop loop)
        {
        }

        public void Release()
        {
        }

        public void Dispose()
        {
            _gate.Set();
            _isBlocked.Dispose();
            _gate.Dispose();
        }
    }
}
