// Connection middleware, the same lambdas on both servers: what moves over by renaming the call.

using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Asgi.Server.Parity.Tests;

public class ConnectionMiddlewareTests
{
    public static TheoryData<HostKind> Sockets => Hosts.Sockets;

    [Theory, MemberData(nameof(Sockets))]
    public async Task It_may_look_at_the_first_bytes_and_pass_them_on(HostKind kind)
    {
        var seen = new TaskCompletionSource<string>();
        await using var host = await StartAsync(kind, endpoint => endpoint.Use(next => async context =>
        {
            var read = await context.Transport.Input.ReadAtLeastAsync(3);
            seen.SetResult(Encoding.ASCII.GetString(read.Buffer.Slice(0, 3)));
            context.Transport.Input.AdvanceTo(read.Buffer.Start);
            await next(context);
        }));

        var exchange = await host.With(context => context.Response.WriteAsync("hello")).GetAsync();

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal("hello", exchange.Answer.Content);
        Assert.Equal("GET", await seen.Task);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task What_it_sets_is_what_requests_see(HostKind kind)
    {
        await using var host = await StartAsync(kind, endpoint => endpoint.Use((context, next) =>
        {
            context.RemoteEndPoint = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 7);
            context.LocalEndPoint = new IPEndPoint(IPAddress.Parse("192.0.2.2"), 8);
            context.ConnectionId = "mine";
            context.Items["key"] = "item";
            context.Features.Set("feature");
            context.Features.Set<ITlsConnectionFeature>(new Tls());
            return next();
        }));

        var exchange = await host.With(context => context.Response.WriteAsync(
            $"{context.Connection.RemoteIpAddress}:{context.Connection.RemotePort} "
            + $"{context.Connection.LocalIpAddress}:{context.Connection.LocalPort} {context.Connection.Id} {context.TraceIdentifier} "
            + $"{context.Request.Scheme} {context.Features.Get<string>()} {context.Features.Get<IConnectionItemsFeature>()!.Items["key"]} "
            + $"{context.Features.Get<ITlsConnectionFeature>() is Tls}")).GetAsync();

        Assert.Equal("192.0.2.1:7 192.0.2.2:8 mine mine:00000001 https feature item True", exchange.Answer.Content);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task Requests_find_these_features_of_the_connection(HostKind kind)
    {
        await using var host = await StartAsync(kind, endpoint => endpoint.Use((_, next) => next()));

        var exchange = await host.With(context =>
        {
            Type[] types =
            [
                typeof(IConnectionIdFeature), typeof(IConnectionItemsFeature), typeof(IConnectionLifetimeFeature),
                typeof(IConnectionLifetimeNotificationFeature), typeof(IConnectionHeartbeatFeature), typeof(IConnectionCompleteFeature),
                typeof(IConnectionSocketFeature), typeof(IMemoryPoolFeature), typeof(IConnectionTransportFeature),
            ];
            return context.Response.WriteAsync(string.Join(' ', types.Where(type => context.Features[type] is null)));
        }).GetAsync();

        Assert.Equal("", exchange.Answer.Content);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task Without_middleware_requests_find_the_features_of_the_connection_as_well(HostKind kind)
    {
        await using var host = await StartAsync(kind, _ => { });
        var isOver = new TaskCompletionSource();

        var exchange = await host.With(context =>
        {
            context.Features.Get<IConnectionCompleteFeature>()!.OnCompleted(
                state =>
                {
                    ((TaskCompletionSource)state).SetResult();
                    return Task.CompletedTask;
                },
                isOver);
            var socket = context.Features.Get<IConnectionSocketFeature>()!.Socket;
            return context.Response.WriteAsync(
                $"{socket.NoDelay} {socket.Connected} {((IPEndPoint)socket.RemoteEndPoint!).Port == context.Connection.RemotePort}");
        }).ExchangeAsync(Wire.GetAndClose);

        Assert.Equal("True True True", exchange.Answer.Content);
        await isOver.Task.WaitAsync(Hosts.Patience);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task A_transport_in_the_place_of_the_connections_carries_http(HostKind kind)
    {
        await using var host = await StartAsync(kind, endpoint => endpoint.Use(next => async context =>
        {
            var before = context.Transport;
            context.Transport = new UpperCase(before);
            await next(context);
            context.Transport = before;
        }));

        var content = new string('x', 200_000);
        var exchange = await host.With(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync(await reader.ReadToEndAsync());
        }).ExchangeAsync(Wire.Post(content));

        Assert.Equal("200 open", exchange.Outcome);
        Assert.Equal(content.ToUpperInvariant(), exchange.Answer.Content);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task A_handler_that_is_no_http_moves_a_MiB_both_ways(HostKind kind)
    {
        await using var host = await StartAsync(kind, endpoint => endpoint.UseConnectionHandler<EchoHandler>());
        var bytes = new byte[1024 * 1024];
        new Random(1).NextBytes(bytes);
        using var client = new TcpClient();
        await client.ConnectAsync(host.EndPoint);
        var stream = client.GetStream();

        var sending = SendAsync();
        var received = new byte[bytes.Length];
        await stream.ReadExactlyAsync(received).AsTask().WaitAsync(Hosts.Patience);
        await sending;
        Assert.Equal(bytes, received);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Hosts.Patience));

        async Task SendAsync()
        {
            await stream.WriteAsync(bytes);
            client.Client.Shutdown(SocketShutdown.Send);
        }
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task What_a_handler_has_written_is_sent_when_it_ends(HostKind kind)
    {
        await using var host = await StartAsync(kind, endpoint => endpoint.Run(async context =>
            await context.Transport.Output.WriteAsync("the end"u8.ToArray())));
        await using var client = await host.ConnectAsync();

        Assert.Equal("the end", await client.ReadToEndAsync());
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task What_it_throws_ends_the_connection_and_no_other(HostKind kind)
    {
        int connections = 0;
        await using var host = await StartAsync(kind, endpoint => endpoint.Use((_, next) =>
            Interlocked.Increment(ref connections) == 1 ? throw new InvalidOperationException("thrown by a test") : next()));
        host.With(_ => Task.CompletedTask);
        using var client = new TcpClient();

        var end = await Record.ExceptionAsync(async () =>
        {
            await client.ConnectAsync(host.EndPoint);
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Hosts.Patience));
        });

        Assert.True(end is null or IOException or SocketException, end?.ToString());
        Assert.Equal("200 open", (await host.GetAsync()).Outcome);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task An_abort_ends_the_connection_and_cancels_its_token(HostKind kind)
    {
        var closed = new TaskCompletionSource();
        await using var host = await StartAsync(kind, endpoint => endpoint.Run(async context =>
        {
            using var registration = context.ConnectionClosed.Register(closed.SetResult);
            context.Abort(new ConnectionAbortedException("aborted by a test"));
            await closed.Task;
        }));
        using var client = new TcpClient();

        // It may be over before the client knows that it is connected.
        var end = await Record.ExceptionAsync(async () =>
        {
            await client.ConnectAsync(host.EndPoint);
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Hosts.Patience));
        });

        Assert.True(end is null or IOException or SocketException, end?.ToString());
        await closed.Task.WaitAsync(Hosts.Patience);
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task A_stop_asks_a_handler_and_waits_for_it(HostKind kind)
    {
        await using var host = await StartAsync(kind, endpoint => endpoint.Run(async context =>
        {
            await context.Transport.Output.WriteAsync("hello "u8.ToArray());
            var asked = new TaskCompletionSource();
            var notification = context.Features.Get<IConnectionLifetimeNotificationFeature>()!;
            using var registration = notification.ConnectionClosedRequested.Register(asked.SetResult);
            await asked.Task;
            await context.Transport.Output.WriteAsync("and good bye"u8.ToArray());
        }));
        await using var client = await host.ConnectAsync();
        Assert.Equal("hello ", await client.ReadBytesAsync(6));

        var stop = host.StopAsync();
        Assert.Equal("and good bye", await client.ReadToEndAsync());
        await stop;
    }

    [Theory, MemberData(nameof(Sockets))]
    public async Task An_upgraded_connection_is_raw_bytes_through_middleware_too(HostKind kind)
    {
        await using var host = await StartAsync(kind, endpoint => endpoint.Use((_, next) => next()));
        host.With(async context =>
        {
            await using var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
            var bytes = new byte[4];
            await stream.ReadExactlyAsync(bytes);
            await stream.WriteAsync(bytes);
        });
        await using var client = await host.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
        Assert.Equal(101, (await client.ReadHeadAsync())?.Status);
        await client.SendAsync("ping");

        Assert.Equal("ping", await client.ReadToEndAsync());
    }

    private static Task<ParityHost> StartAsync(HostKind kind, Action<IConnectionBuilder> configure) => ParityHost.StartAsync(
        kind,
        builder =>
        {
            builder.Services.Configure<KestrelServerOptions>(options => options.ConfigureEndpointDefaults(configure));
            builder.Services.Configure<AsgiServerOptions>(options => options.ConfigureEndpointDefaults(configure));
        },
        _ => { });

    private sealed class EchoHandler : ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync();
                foreach (var part in read.Buffer)
                    await connection.Transport.Output.WriteAsync(part);
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
    }

    private sealed class Tls : ITlsConnectionFeature
    {
        public System.Security.Cryptography.X509Certificates.X509Certificate2? ClientCertificate { get; set; }

        public Task<System.Security.Cryptography.X509Certificates.X509Certificate2?> GetClientCertificateAsync(
            CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }

    /// <summary>Receives x as X.</summary>
    private sealed class UpperCase(IDuplexPipe inner) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(new Upper(inner.Input.AsStream()));

        public PipeWriter Output => inner.Output;

        private sealed class Upper(Stream stream) : Stream
        {
            public override bool CanRead => true;

            public override bool CanSeek => false;

            public override bool CanWrite => false;

            public override long Length => throw new NotSupportedException();

            public override long Position
            {
                get => throw new NotSupportedException();
                set => throw new NotSupportedException();
            }

            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                int length = await stream.ReadAsync(buffer, cancellationToken);
                buffer.Span[..length].Replace((byte)'x', (byte)'X');
                return length;
            }

            public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            public override void Flush()
            {
            }

            public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

            public override void SetLength(long value) => throw new NotSupportedException();
        }
    }
}
