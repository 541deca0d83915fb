// What several streams ask of the loop at once: one post for all, in which a stream that fails takes no other with it.

using Asgi.Server.Protocols.Http;
using Asgi.Server.Testing.Simulation;
using Microsoft.Extensions.Logging;
using static Asgi.Server.Testing.Http2Bytes;

namespace Asgi.Server.Tests.Connections.Http2;

public sealed class PostTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_stream_that_fails_on_the_loop_leaves_no_application_and_no_connection_behind(int failing)
    {
        TaskCompletionSource[] gates = [new(), new(), new()];
        var began = 0;
        var ended = 0;
        using var server = new SimulatedServer(
            async exchange =>
            {
                var index = began++;
                await gates[index].Task;
                exchange.Send(new ResponseStart(200, index == failing ? new FailingFields() : new FieldList()));
                await exchange.SendAsync(new ResponseBody("hello"u8.ToArray()));
                ended++;
            },
            isHttp2: true);
        var peer = new Http2Peer(server);
        peer.Send(Get(1), Get(3), Get(5));

        SimulatedServer.OffLoop(() => Array.ForEach(gates, gate => gate.SetResult()));
        server.Run();

        Assert.Equal((3, 0, 0), (ended, server.ConnectionCount, server.BlockCount));
        Assert.Equal(ConnectionEnd.Reset, peer.Client.End);
        Assert.Single(server.Log.Entries, entry => entry.Level == LogLevel.Critical);
    }

    // Looked at on the thread that sends, and read again on the loop.
    private sealed class FailingFields : ResponseFields
    {
        private bool _wasRead;

        public override long? ContentLength => null;

        public override ResponseFieldTraits Traits => ResponseFieldTraits.None;

        public override bool Next(ref FieldCursor cursor)
        {
            if (_wasRead)
                throw new InvalidOperationException("No fields.");
            _wasRead = true;
            return false;
        }
    }
}
