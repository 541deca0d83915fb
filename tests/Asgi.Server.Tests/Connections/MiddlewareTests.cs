// Connection middleware on the simulated loop: HTTP over the connection's own pipe and over one in its place, connections that are no HTTP,
// and every way such a connection ends. Middleware goes on on the pool, so the tests run the loop until what is awaited has happened.

using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Connections;

public sealed class MiddlewareTests
{
    private const int SeedCount = 20;

    private static readonly Func<ConnectionDelegate, ConnectionDelegate> PassOn = next => next.Invoke;

    /// <summary>Middleware that changes every byte, both ways, with streams as TLS does.</summary>
    private static readonly Func<ConnectionDelegate, ConnectionDelegate> Xor = next => async context =>
    {
        var before = context.Transport;
        context.Transport = new XorPipe(before);
        await next(context);
        context.Transport = before;
    };

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_middleware_throws_is_logged_and_aborts_the_connection(bool isLater)
    {
        using var server = Serve(
            _ => async context =>
            {
                if (isLater)
                    await context.Transport.Input.ReadAsync();
                throw new InvalidOperationException("thrown");
            },
            Apps.Path);
        var client = server.Connect("x");
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        var entry = Assert.Single(server.Log.Entries);
        Assert.Equal((114, LogLevel.Error, "thrown"), (entry.Id.Id, entry.Level, entry.Exception?.Message));
        DemandNothingLeft(server);
    }

    [Fact]
    public void An_abort_resets_the_connection_and_ends_the_reader_with_its_reason()
    {
        Exception? seen = null;
        var isClosed = false;
        using var server = Serve(
            _ => async context =>
            {
                context.Abort(new ConnectionAbortedException("enough"));
                seen = await Record.ExceptionAsync(async () =>
                {
                    while (true)
                        context.Transport.Input.AdvanceTo((await context.Transport.Input.ReadAsync()).Buffer.End);
                });
                isClosed = context.ConnectionClosed.IsCancellationRequested;
            },
            Apps.Path);
        var client = server.Connect("x");
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Equal("enough", Assert.IsType<ConnectionAbortedException>(seen).Message);
        Assert.True(isClosed);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_reset_ends_the_reader_with_an_error_and_is_not_logged_as_one()
    {
        Exception? seen = null;
        using var server = Serve(
            _ => async context =>
            {
                try
                {
                    while (true)
                        context.Transport.Input.AdvanceTo((await context.Transport.Input.ReadAsync()).Buffer.End);
                }
                catch (Exception exception)
                {
                    seen = exception;
                    throw;
                }
            },
            Apps.Path);
        var client = server.Connect("x");
        client.Reset();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.IsType<ConnectionResetException>(seen);
        Assert.DoesNotContain(server.Log.Entries, entry => entry.Level >= LogLevel.Warning);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reset_reaches_the_request_under_way(bool isReplaced)
    {
        var isAborted = new TaskCompletionSource();
        using var server = HostedDelegate.Serve(
            async context =>
            {
                context.RequestAborted.Register(isAborted.SetResult);
                await isAborted.Task;
            },
            before: Before(isReplaced ? Xor : PassOn));
        var client = server.Connect();

        // What waits behind the request must not hide the reset.
        client.Send(isReplaced ? XorOf(Apps.Get + Apps.Get) : Apps.Get + Apps.Get);
        server.Run();
        client.Reset();
        server.RunUntil(() => isAborted.Task.IsCompleted && server.ConnectionCount == 0);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FIN_behind_a_request_leaves_its_response_alone(bool isReplaced) => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(isReplaced ? Xor : PassOn, Apps.Path, seed);
        var client = server.Connect();
        client.Send(isReplaced ? XorOf(Apps.Get) : Apps.Get);
        client.ShutdownSend();
        server.RunUntil(() => client.End != ConnectionEnd.None);

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.EndsWith("\r\n\r\n/", Text(client, isReplaced), StringComparison.Ordinal);
        DemandNothingLeft(server);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Deadlines_of_http_hold(bool isReplaced)
    {
        using var server = Serve(
            isReplaced ? Xor : PassOn, Apps.Path, limits: new ConnectionLimits { KeepAliveTimeoutMilliseconds = 10_000 });
        var client = server.Connect();
        client.Send(isReplaced ? XorOf(Apps.Get) : Apps.Get);
        server.RunUntil(() => client.ReceivedLength > 0);
        server.Run();

        server.Advance(9_000);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(2_000);
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stop_ends_idle_connections_and_lets_a_request_finish(bool isReplaced)
    {
        var answer = new TaskCompletionSource();
        using var server = Serve(
            isReplaced ? Xor : PassOn,
            async exchange =>
            {
                await answer.Task;
                await Apps.Path(exchange);
            });
        var idle = server.Connect("");
        var busy = server.Connect();
        busy.Send(isReplaced ? XorOf(Apps.Get) : Apps.Get);
        server.Run();
        server.Advance(1);

        var stopped = server.ShutDown();
        server.RunUntil(() => idle.End == ConnectionEnd.Fin);
        idle.ShutdownSend();
        Assert.Equal(ConnectionEnd.None, busy.End);
        answer.SetResult();
        server.RunUntil(() => busy.End == ConnectionEnd.Fin);
        busy.ShutdownSend();
        server.RunUntil(() => stopped.IsCompleted);

        Assert.Contains("Connection: close\r\n", Text(busy, isReplaced), StringComparison.Ordinal);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_stop_asks_what_is_no_http_by_its_token()
    {
        using var server = Serve(
            _ => async context =>
            {
                var asked = new TaskCompletionSource();
                var notification = context.Features.Get<IConnectionLifetimeNotificationFeature>()!;
                using var registration = notification.ConnectionClosedRequested.Register(asked.SetResult);
                await asked.Task;
                await context.Transport.Output.WriteAsync("bye"u8.ToArray());
            },
            Apps.Path);
        var client = server.Connect("x");
        server.Run();

        var stopped = server.ShutDown();
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        client.ShutdownSend();
        server.RunUntil(() => stopped.IsCompleted);

        Assert.Equal("bye", client.Received);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_connection_has_one_place_among_those_allowed()
    {
        var limit = new ConcurrencyLimit(1);
        using var server = Serve(PassOn, Apps.Path, limits: new ConnectionLimits { Connections = limit });
        var first = server.Connect(Apps.Get);
        server.RunUntil(() => first.ReceivedLength > 0);
        var second = server.Connect(Apps.Get);
        server.RunUntil(() => second.End != ConnectionEnd.None);
        first.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);

        var third = server.Connect(Apps.Get);
        server.RunUntil(() => third.ReceivedLength > 0);
        Assert.Equal("", second.Received);
        DemandNothingLeft(server);
    }

    [Fact]
    public void Http_runs_once_on_a_connection()
    {
        using var server = Serve(
            next => async context =>
            {
                await next(context);
                await next(context);
            },
            Apps.Path);
        var client = server.Connect();
        client.Send(Apps.Get);
        client.ShutdownSend();
        server.RunUntil(() => server.Log.Entries.Any());

        Assert.IsType<InvalidOperationException>(Assert.Single(server.Log.Entries).Exception);
        server.RunUntil(() => client.End == ConnectionEnd.Fin);
        Assert.Single(Responses.Of(client));
        DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Callbacks_run_when_the_connection_is_over_last_added_first(bool hasMiddleware)
    {
        var called = new List<string>();
        using var server = HostedDelegate.Serve(
            context =>
            {
                var completion = context.Features.Get<IConnectionCompleteFeature>()!;
                completion.OnCompleted(
                    async state =>
                    {
                        await Task.Yield();
                        called.Add((string)state);
                    },
                    "first");
                completion.OnCompleted(_ => throw new InvalidOperationException("thrown"), "");
                completion.OnCompleted(
                    state =>
                    {
                        called.Add((string)state);
                        return Task.CompletedTask;
                    },
                    "last");
                return Task.CompletedTask;
            },
            before: hasMiddleware ? Before(PassOn) : null);
        var client = server.Connect(Apps.Get);
        server.RunUntil(() => client.ReceivedLength > 0);
        Assert.Empty(called);
        client.ShutdownSend();
        server.RunUntil(() => server.ConnectionCount == 0);

        Assert.Equal(["last", "first"], called);
        Assert.Equal("thrown", Assert.Single(server.Log.Entries).Exception?.Message);
        DemandNothingLeft(server);
    }

    [Fact]
    public void A_proxys_header_comes_before_middleware()
    {
        var seen = "";
        var rules = new ProxyProtocolRules { TrustsAll = true };
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, exchange.Scope.Client!.ToString()!),
            before: http => connection => new ProxyProtocolDriver(connection, rules, Before(next => context =>
            {
                seen = $"{context.RemoteEndPoint} {context.Features.Get<Features.IProxyProtocolFeature>()!.Version}";
                return next(context);
            })(http)));
        var client = server.Connect("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n" + Apps.Get);
        server.RunUntil(() => Responses.Of(client) is [{ IsComplete: true }]);

        Assert.Equal("192.0.2.1:56324", Assert.Single(Responses.Of(client)).Content);
        Assert.Equal("192.0.2.1:56324 1", seen);
        DemandNothingLeft(server);
    }

    private static async Task Echo(ConnectionContext context)
    {
        while (true)
        {
            var read = await context.Transport.Input.ReadAsync();
            foreach (var part in read.Buffer)
                await context.Transport.Output.WriteAsync(part);
            context.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    private static SimulatedServer Serve(
        Func<ConnectionDelegate, ConnectionDelegate> middleware,
        Func<HttpExchange, ValueTask> app,
        int seed = 0,
        ConnectionLimits? limits = null,
        NetworkConditions? conditions = null) =>
        new(app, seed, limits, conditions, before: Before(middleware));

    private static Func<Func<Connection, ConnectionDriver>, Func<Connection, ConnectionDriver>> Before(
        Func<ConnectionDelegate, ConnectionDelegate> middleware)
    {
        var application = new ConnectionMiddleware(middleware);
        return http => connection => new PipedDriver(connection, application, http);
    }

    // Middleware whose connection is aborted ends on the pool.
    private static void DemandNothingLeft(SimulatedServer server)
    {
        server.AbortAll();
        server.RunUntil(() => server.ConnectionCount == 0);
        server.DemandNothingLeft();
    }

    private static string Text(SimulatedClient client, bool isXor) => isXor ? XorOf(client.Received) : client.Received;

    private static string XorOf(string text) => string.Concat(text.Select(c => (char)(c ^ 0x55)));

    private sealed class Tls : ITlsConnectionFeature
    {
        public System.Security.Cryptography.X509Certificates.X509Certificate2? ClientCertificate { get; set; }

        public Task<System.Security.Cryptography.X509Certificates.X509Certificate2?> GetClientCertificateAsync(
            CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }

    private sealed class XorPipe(IDuplexPipe inner) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(new XorStream(inner.Input.AsStream()));

        public PipeWriter Output { get; } = PipeWriter.Create(new XorStream(inner.Output.AsStream()));
    }

    private sealed class XorStream(Stream inner) : Stream
    {
        public override bool CanRead => inner.CanRead;

        public override bool CanSeek => false;

        public override bool CanWrite => inner.CanWrite;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var length = await inner.ReadAsync(buffer, cancellationToken);
            foreach (ref var b in buffer.Span[..length])
                b ^= 0x55;
            return length;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            await inner.WriteAsync(buffer.ToArray().Select(b => (byte)(b ^ 0x55)).ToArray(), cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
        }
    }
}
