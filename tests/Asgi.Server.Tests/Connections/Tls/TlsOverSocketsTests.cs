// TLS over real sockets: what HttpClient and SslStream make of it, on the backend of this system.

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Diagnostics;
using Asgi.Server.Loops;
using Asgi.Server.Testing.Certificates;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class TlsOverSocketsTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task HttpClient_gets_what_it_asks_for(SslProtocols version)
    {
        using var server = new RealServer(context => context.Response.WriteAsync(context.Request.Scheme + context.Request.Path));
        using var client = server.CreateClient(version);

        for (var i = 0; i < 3; i++)
            Assert.Equal($"https/{i}", await client.GetStringAsync(new Uri(server.Address, $"/{i}")));
    }

    [Fact]
    public async Task Large_content_goes_both_ways()
    {
        using var server = new RealServer(async context =>
        {
            // Off the loop and on it.
            await Task.Yield();
            await context.Request.Body.CopyToAsync(context.Response.Body);
        });
        using var client = server.CreateClient();
        var content = new byte[5_000_000];
        new Random(1).NextBytes(content);

        using var response = await client.PostAsync(new Uri(server.Address, "/"), new ByteArrayContent(content));

        Assert.Equal(content, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Many_connections_at_once_are_served()
    {
        using var server = new RealServer(context => context.Response.WriteAsync(context.Request.Query["n"]!), loopCount: 2);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async n =>
        {
            using var client = server.CreateClient();
            for (var i = 0; i < 5; i++)
                Assert.Equal($"{n}", await client.GetStringAsync(new Uri(server.Address, $"/?n={n}")));
        }));
    }

    [Fact]
    public async Task A_session_is_resumed()
    {
        using var server = new RealServer(context => context.Response.WriteAsync("x"));
        var options = new SslClientAuthenticationOptions
        {
            // No other test's: the framework keeps a client's sessions by the name.
            TargetHost = "resumed.test",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => TestCertificates.IsOurs(certificate),
        };
        var received = new List<long>();
        for (var i = 0; i < 2; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
            var counted = new CountingStream(new NetworkStream(socket, ownsSocket: false));
            await using var stream = new SslStream(counted);
            await stream.AuthenticateAsClientAsync(options);
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray());
            using var reader = new StreamReader(stream);
            Assert.EndsWith("1\r\nx\r\n0\r\n\r\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
            received.Add(counted.Received);
        }

        // The certificate is not sent again.
        Assert.True(received[1] < received[0] - 300, $"{received[0]} and {received[1]} bytes");
    }

    private sealed class CountingStream(Stream inner) : Stream
    {
        public long Received { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            Received += read;
            return read;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    /// <summary>Loops, sockets and a TLS endpoint, without a host.</summary>
    private sealed class RealServer : IDisposable
    {
        private readonly LoopGroup _group;
        private readonly ServerMetrics _metrics = new(factory: null);

        public RealServer(RequestDelegate run, int loopCount = 1, SslServerAuthenticationOptions? options = null)
        {
            _group = new LoopGroup(loopCount);
            Log = new RecordingLog();
            var log = new ServerLog(Log);
            var diagnostics = new ServerDiagnostics(log, _metrics, ServerEvents.Log, TimeProvider.System);
            var overload = new Overload("nothing", retryAfterSeconds: 1, log, TimeProvider.System);
            var dispatch = new ApplicationDispatch(CallPlace.Loop, learns: false, 10, log, overload, diagnostics);
            Registry = new ConnectionRegistry(_group.Loops, dispatch, diagnostics);
            var served = new HostedApplication<HttpContext>(new HostedDelegate(run), log);
            var fields = new DefaultFields(TimeProvider.System, serverName: null);
            var rules = TlsBed.Rules(connection => new Http1Driver(connection, served, fields), options);
            var bound = _group.Bind(new IPEndPoint(IPAddress.Loopback, 0), backlog: 100);
            Address = new Uri($"https://localhost:{((IPEndPoint)bound.LocalEndPoint).Port}");
            _group.Start();
            bound.StartAccepting(new ConnectionAcceptor(Registry, new ConnectionLimits(), connection => new TlsDriver(connection, rules)));
        }

        public Uri Address { get; }

        public RecordingLog Log { get; }

        public ConnectionRegistry Registry { get; }

        public HttpClient CreateClient(SslProtocols version = SslProtocols.None) => new(new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = version,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => TestCertificates.IsOurs(certificate),
            },
        });

        public void Dispose()
        {
            _group.Dispose();
            _metrics.Dispose();
            Assert.DoesNotContain(Log.Entries, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
        }
    }
}
