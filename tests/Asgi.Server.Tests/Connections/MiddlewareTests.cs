// Connection middleware on the simulated loop: HTTP over the connection's own pipe and over one in its place, and connections that are no
// HTTP. Middleware goes on on the pool, so the tests run the loop until what is awaited has happened.

using System.Net;
using System.Text;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using static Asgi.Server.Tests.Connections.MiddlewareBed;

namespace Asgi.Server.Tests.Connections;

public sealed class MiddlewareTests
{
    private const int SeedCount = 20;

    [Fact]
    public void Http_runs_over_the_connections_own_pipe() => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(PassOn, Apps.EchoWhole, seed);
        var client = server.Connect();
        for (var i = 0; i < 3; i++)
        {
            client.Send($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody{i}");
            server.RunUntil(() => Responses.Of(client) is [{ IsComplete: true }]);
            Assert.Equal($"body{i}", Assert.Single(Responses.Of(client)).Content);
            client.Take();
        }

        Assert.Equal(ConnectionEnd.None, client.End);
        DemandNothingLeft(server);
    });

    [Fact]
    public void Http_runs_over_a_pipe_that_middleware_has_put_in_its_place() => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(Xor, Apps.EchoWhole, seed);
        var client = server.Connect();
        for (var i = 0; i < 3; i++)
        {
            client.Send(XorOf($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody{i}"));
            var ending = XorOf($"\r\n\r\nbody{i}");
            server.RunUntil(() => client.Received.EndsWith(ending, StringComparison.Ordinal));
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", XorOf(client.Take()), StringComparison.Ordinal);
        }

        client.Send(XorOf("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        DemandNothingLeft(server);
    });

    [Fact]
    public void Middleware_may_look_at_the_first_bytes_and_leave_them()
    {
        var seen = "";
        using var server = Serve(
            next => async context =>
            {
                var read = await context.Transport.Input.ReadAtLeastAsync(4);
                seen = Encoding.ASCII.GetString(read.Buffer.Slice(0, 4));
                context.Transport.Input.AdvanceTo(read.Buffer.Start);
                await next(context);
            },
            Apps.Path,
            conditions: new NetworkConditions { SegmentLengthMax = 1 });

        var client = server.Connect(Apps.Get);
        server.RunUntil(() => Responses.Of(client) is [{ IsComplete: true }]);

        Assert.Equal("GET ", seen);
        DemandNothingLeft(server);
    }

    [Fact]
    public void What_is_no_http_gets_every_byte_and_sends_any() => Seeds.Run(4, seed =>
    {
        const int Length = 1024 * 1024;
        var bytes = new byte[Length];
        new Random(seed).NextBytes(bytes);
        using var server = Serve(_ => Echo, Apps.Path, conditions: NetworkConditions.Of(seed, segmentLengthMin: 4096));
        var client = server.Connect();
        client.Send(bytes);
        client.ShutdownSend();
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.Equal(bytes, Encoding.Latin1.GetBytes(client.Received));
        DemandNothingLeft(server);
    });

    [Fact]
    public void Whoever_does_not_read_is_not_read_from()
    {
        var goOn = new TaskCompletionSource();
        using var server = Serve(
            _ => async context =>
            {
                await goOn.Task;
                await Echo(context);
            },
            Apps.Path,
            limits: new ConnectionLimits { RequestBufferSizeMax = 10_000 });
        var client = server.Connect();
        client.Send(new byte[1_000_000]);
        server.Run();

        // One receive is a block; the kernel's buffer is not ours.
        Assert.InRange(1_000_000 - client.UnsentLength, 10_000, 10_000 + (32 * 1024));
        goOn.SetResult();
        client.ShutdownSend();
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        Assert.Equal(1_000_000, client.ReceivedLength);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_client_that_does_not_read_is_waited_for()
    {
        long written = 0;
        using var server = Serve(
            _ => async context =>
            {
                for (var i = 0; i < 1000; i++)
                {
                    await context.Transport.Output.WriteAsync(new byte[1000]);
                    Interlocked.Add(ref written, 1000);
                }
            },
            Apps.Path,
            limits: new ConnectionLimits { ResponseBufferSizeMax = 10_000 },
            conditions: new NetworkConditions { SendCapacity = 5_000 });
        var client = server.Connect();
        client.Window = 0;
        server.RunUntil(() => Volatile.Read(ref written) >= 10_000);
        server.Run();

        // The pipe, the connection behind it with a block, and what the kernel has.
        Assert.InRange(Volatile.Read(ref written), 10_000, 10_000 + 10_000 + (16 * 1024) + 5_000 + 1_000);
        client.Window = long.MaxValue;
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        Assert.Equal(1_000_000, client.ReceivedLength);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_large_response_to_a_slow_reader_arrives_whole(bool isReplaced) => Seeds.Run(4, seed =>
    {
        var content = new string('c', 300_000);
        using var server = Serve(
            isReplaced ? Xor : PassOn,
            exchange => Apps.Answer(exchange, content),
            conditions: NetworkConditions.Of(seed, segmentLengthMin: 1000));
        var client = server.Connect();
        client.Window = 0;
        client.Send(isReplaced ? XorOf(Apps.Get) : Apps.Get);
        var length = 0;
        while (length < content.Length)
        {
            client.Window = 10_000;
            var before = length;
            server.RunUntil(() => client.ReceivedLength > before);
            length = client.ReceivedLength;
        }

        server.RunUntil(() => Text(client, isReplaced).EndsWith("cc", StringComparison.Ordinal));
        client.Window = long.MaxValue;
        server.RunUntil(() => Text(client, isReplaced).Count(c => c == 'c') >= content.Length);
        DemandNothingLeft(server);
    });

    [Fact]
    public void What_middleware_sets_is_what_requests_see()
    {
        var features = "";
        var tls = new Tls();
        using var server = HostedDelegate.Serve(
            context =>
            {
                var connection = context.Connection;
                features = $"{connection.RemoteIpAddress}:{connection.RemotePort} {connection.Id} {context.Request.Scheme} "
                    + $"{context.Features.Get<string>()} {context.Features.Get<IConnectionItemsFeature>()!.Items["key"]} "
                    + $"{context.Features.Get<ITlsConnectionFeature>() == tls} "
                    + $"{context.Features.Any(feature => feature.Key == typeof(ITlsConnectionFeature))}";
                return Task.CompletedTask;
            },
            before: Before(next => context =>
            {
                context.RemoteEndPoint = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 77);
                context.ConnectionId = "named";
                context.Features.Set("set");
                context.Features.Set<ITlsConnectionFeature>(tls);
                context.Items["key"] = "item";
                return next(context);
            }));
        var client = server.Connect(Apps.Get);
        server.RunUntil(() => Responses.Of(client) is [{ IsComplete: true }]);

        Assert.Equal("192.0.2.7:77 named https set item True False", features);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_context_has_the_features_of_its_connection()
    {
        Type[] expected =
        [
            typeof(IConnectionIdFeature), typeof(IConnectionItemsFeature), typeof(IConnectionTransportFeature),
            typeof(IConnectionEndPointFeature), typeof(IConnectionLifetimeFeature), typeof(IConnectionLifetimeNotificationFeature),
            typeof(IConnectionHeartbeatFeature), typeof(IConnectionCompleteFeature), typeof(IMemoryPoolFeature),
        ];
        Type[] missing = [typeof(object)];
        using var server = Serve(
            _ => context =>
            {
                missing = [.. expected.Where(type => context.Features[type] is null)];
                return Task.CompletedTask;
            },
            Apps.Path);
        var client = server.Connect();
        server.RunUntil(() => client.End == ConnectionEnd.Fin);

        Assert.Empty(missing);
        DemandNothingLeft(server);
    }

    private sealed class Tls : ITlsConnectionFeature
    {
        public System.Security.Cryptography.X509Certificates.X509Certificate2? ClientCertificate { get; set; }

        public Task<System.Security.Cryptography.X509Certificates.X509Certificate2?> GetClientCertificateAsync(
            CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }
}
