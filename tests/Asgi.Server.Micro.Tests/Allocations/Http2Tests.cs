// Zero allocations per request of HTTP/2: streams of one connection, one after the other and side by side, on the simulated loop.

using Asgi.Server.Application;
using Asgi.Server.Testing;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Micro.Tests.Allocations;

public sealed class Http2Tests
{
    private static readonly FieldList Fields = new FieldList().Add("Content-Type", "text/plain").Add("Content-Length", "13");
    private static readonly byte[] Content = "Hello, World!"u8.ToArray();

    [OptimizedTheory]
    [InlineData(1)]
    [InlineData(32)]
    public void Plaintext_requests_side_by_side(int streamCount) =>
        Assert.Equal(0, AllocatedBy(_ => new PlaintextApplication(), streamCount, Http2Bytes.Get(1)));

    [OptimizedFact]
    public void Content_received() => Assert.Equal(0, AllocatedBy(
        _ => new Application(static exchange =>
        {
            long length = 0;
            for (var isMore = true; isMore;)
            {
                var body = exchange.ReceiveAsync().Result;
                length += body.Body.Length;
                isMore = body.MoreBody;
                exchange.AdvanceTo(body.Body.End, body.Body.End);
            }

            exchange.Send(new ResponseStart(length == 5 ? 200 : 500, Fields));
            return exchange.SendAsync(new ResponseBody(Content));
        }),
        1,
        Http2Bytes.Post(1),
        Http2Bytes.DataFrame(1, "hello", end: true)));

    [OptimizedTheory]
    [InlineData(1)]
    [InlineData(8)]
    public void Requests_of_an_ASP_NET_application(int streamCount) => Assert.Equal(0, AllocatedBy(
        log => new HostedApplication<IFeatureCollection>(new HostedPlaintext(), log), streamCount, Http2Bytes.Get(1)));

    private static long AllocatedBy(Func<Diagnostics.ServerLog, IAsgiApplication> application, int streamCount, params byte[][] frames)
    {
        using var server = new SimulatedServer(application, logMinimum: LogLevel.Warning, isHttp2: true);
        var client = server.Connect();
        client.Send(Http2Bytes.Join(Http2Bytes.Start, Http2Bytes.SettingsAck(), Http2Bytes.WindowUpdate(0, 1 << 30)));
        server.Run();
        client.Discard();
        var request = Http2Bytes.Join([.. Enumerable.Repeat(frames, streamCount).SelectMany(frame => frame)]);
        var allocated = new long[AllocationBed.RequestCount / streamCount];
        var next = 1;
        for (var i = -AllocationBed.WarmUpCount; i < allocated.Length; i++)
        {
            Number(request, ref next, frames.Length);
            server.Backend.MoveClock(10);
            var before = GC.GetAllocatedBytesForCurrentThread();
            client.Send(request);
            server.Run();
            var length = client.Discard();
            if (i >= 0)
            {
                allocated[i] = GC.GetAllocatedBytesForCurrentThread() - before;
            }

            // HEADERS and DATA with all of the content, for each stream.
            if (length < streamCount * (9 + 9 + Content.Length))
            {
                Assert.Fail("A response is missing.");
            }
        }

        server.DemandNothingLeft();
        return PerRequest.Of(allocated);
    }

    // The frames of a stream have the same id, those of the next one the next.
    private static void Number(byte[] frames, ref int next, int framesPerStream)
    {
        var count = 0;
        for (var at = 0; at < frames.Length; at += 9 + ((frames[at] << 16) | (frames[at + 1] << 8) | frames[at + 2]))
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frames.AsSpan(at + 5), next);
            if (++count % framesPerStream == 0)
            {
                next += 2;
            }
        }
    }

    private sealed class Application(Func<HttpExchange, ValueTask> run) : IAsgiApplication
    {
        public ValueTask RunAsync(HttpExchange exchange) => run(exchange);
    }

    private sealed class HostedPlaintext : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

        public Task ProcessRequestAsync(IFeatureCollection context)
        {
            PlaintextFeatures.Answer(context);
            return Task.CompletedTask;
        }

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }
}
