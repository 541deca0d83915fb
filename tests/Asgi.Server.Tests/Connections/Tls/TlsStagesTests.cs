// TLS among other stages: behind a proxy's header, before connection middleware and behind it, and what watchers are told.

using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Security.Authentication;
using Asgi.Server.Application;
using Asgi.Server.Connections;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Asgi.Server.Tests.Connections.Tls;

public sealed class TlsStagesTests
{
    private const string ProxyHeader = "PROXY TCP4 203.0.113.7 203.0.113.1 4711 443\r\n";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Behind_a_header_of_the_PROXY_protocol(bool isTogether)
    {
        using var server = new SimulatedServer(
            exchange => Apps.Answer(exchange, $"{exchange.Scope.Scheme} {exchange.Scope.Client}"),
            before: http =>
            {
                var rules = TlsBed.Rules(http);
                return connection => new ProxyProtocolDriver(
                    connection, new ProxyProtocolRules { TrustsAll = true }, upper => new TlsDriver(upper, rules));
            });
        using var client = new TlsClient(server);
        client.Raw.Send(ProxyHeader);
        if (!isTogether)
            server.Run();
        client.Handshake();

        Assert.Equal("https 203.0.113.7:4711", client.Get(Apps.Get).Content);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Before_connection_middleware(SslProtocols version)
    {
        var seen = new List<object?>();
        Func<ConnectionDelegate, ConnectionDelegate> middleware = next => context =>
        {
            seen.Add(context.Features.Get<ITlsHandshakeFeature>()!.Protocol);
            seen.Add(context.Features.Get<SslStream>()!.IsAuthenticated);
            return next(context);
        };
        using var server = HostedDelegate.Serve(
            context => Answer(context, $"{context.Request.Scheme} {context.Features.Get<ITlsHandshakeFeature>()!.Protocol}"),
            before: http =>
            {
                var rules = TlsBed.Rules(MiddlewareBed.Before(middleware)(http));
                return connection => new TlsDriver(connection, rules);
            });
        using var client = TlsClient.Connect(server, version: version, spins: true);

        Assert.Equal($"https {version}", client.Get(Apps.Get).Content);
        Assert.Equal($"https {version}", client.Get(Apps.Get).Content);
        Assert.Equal([version, true], seen);
        MiddlewareBed.DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Behind_connection_middleware(SslProtocols version)
    {
        var count = 0;
        Func<ConnectionDelegate, ConnectionDelegate> middleware = next => context =>
        {
            count++;
            Assert.Null(context.Features.Get<ITlsHandshakeFeature>());
            return next(context);
        };
        using var server = HostedDelegate.Serve(
            context => Answer(context, $"{context.Request.Scheme} {context.Features.Get<ITlsHandshakeFeature>()!.Protocol}"),
            before: http =>
            {
                var rules = TlsBed.Rules(http);
                return MiddlewareBed.Before(middleware)(connection => new TlsDriver(connection, rules));
            });
        using var client = TlsClient.Connect(server, version: version, spins: true);

        Assert.Equal($"https {version}", client.Get(Apps.Get).Content);
        Assert.Equal($"https {version}", client.Get(Apps.Get).Content);
        Assert.Equal(1, count);
        MiddlewareBed.DemandNothingLeft(server);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Behind_middleware_that_has_pipes_of_its_own(SslProtocols version)
    {
        using var server = HostedDelegate.Serve(
            context => Answer(context, new string('x', 100_000)),
            before: http =>
            {
                var rules = TlsBed.Rules(http);
                var middleware = new ConnectionMiddleware(next => async context =>
                {
                    // Twice the same change is none.
                    var before = context.Transport;
                    context.Transport = new MiddlewareBed.XorPipe(new MiddlewareBed.XorPipe(before));
                    await next(context);
                    context.Transport = before;
                });
                return connection => new PipedDriver(connection, middleware, upper => new TlsDriver(upper, rules));
            });
        using var client = TlsClient.Connect(server, version: version, spins: true);

        Assert.Equal(new string('x', 100_000), client.Get(Apps.Get).Content);
        MiddlewareBed.DemandNothingLeft(server);
    }

    [Fact]
    public void Twice_is_possible()
    {
        using var server = HostedDelegate.Serve(
            context => Answer(context, context.Request.Scheme),
            before: http =>
            {
                var inner = TlsBed.Rules(http);
                var outer = TlsBed.Rules(MiddlewareBed.Before(MiddlewareBed.PassOn)(connection => new TlsDriver(connection, inner)));
                return connection => new TlsDriver(connection, outer);
            });
        using var client = TlsClient.Connect(server, spins: true);
        using var stream = new SslStream(client.Stream);
        stream.AuthenticateAsClient(client.Options);
        stream.Write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8);

        using var reader = new StreamReader(stream);
        Assert.EndsWith("\r\n\r\nhttps", reader.ReadToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void Meters_are_told_of_handshakes()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var measured = new Measured(server);
        var silent = server.Connect();
        server.Run();
        Assert.Equal(1, measured.Active);
        using var client = TlsClient.Connect(server, version: SslProtocols.Tls13);
        client.Get(Apps.Get);
        Assert.Equal(1, measured.Active);
        server.Connect("\x16\x03\x01\x00\x04\x01\x00\x00\x00").ShutdownSend();
        server.Connect("GET / HTTP/1.1\r\n\r\n").ShutdownSend();
        silent.ShutdownSend();
        client.Raw.ShutdownSend();
        server.Run();

        Assert.Equal(0, measured.Active);

        // The one that came and went has asked for none.
        Assert.Equal(3, measured.Handshakes.Count);
        Assert.Equal("1.3", measured.Handshakes[0]["tls.protocol.version"]);
        Assert.False(measured.Handshakes[0].ContainsKey("error.type"));
        Assert.False(measured.Handshakes[1].ContainsKey("tls.protocol.version"));
        Assert.All(
            measured.Handshakes.Skip(1), tags => Assert.EndsWith("Exception", (string)tags["error.type"]!, StringComparison.Ordinal));
        Assert.All(measured.Handshakes, tags => Assert.Equal("127.0.0.1", tags["server.address"]));
    }

    [Fact]
    public void The_duration_of_a_connection_has_the_version_and_the_failure()
    {
        using var server = TlsBed.Serve(Apps.Path);
        using var measured = new Measured(server);
        using (var client = TlsClient.Connect(server, version: SslProtocols.Tls12))
        {
            client.Get(Apps.Get);
            client.Raw.ShutdownSend();
            server.Run();
        }

        server.Connect("\x16\x03\x01\x00\x04\x01\x00\x00\x00").ShutdownSend();
        server.Run();
        server.Connect();
        server.Advance(TlsRules.HandshakeTimeoutMillisecondsDefault + Loops.TimerWheel.StepMilliseconds);

        Assert.Equal(3, measured.Connections.Count);
        Assert.Equal("1.2", measured.Connections[0]["tls.protocol.version"]);
        Assert.False(measured.Connections[0].ContainsKey("error.type"));
        Assert.All(measured.Connections.Skip(1), tags => Assert.Equal("tls_handshake_failed", tags["error.type"]));
        Assert.All(measured.Connections.Skip(1), tags => Assert.False(tags.ContainsKey("tls.protocol.version")));
    }

    private static Task Answer(HttpContext context, string text)
    {
        context.Response.ContentLength = text.Length;
        return context.Response.WriteAsync(text);
    }

    /// <summary>Listens to the meter of one server.</summary>
    private sealed class Measured : IDisposable
    {
        private readonly MeterListener _listener = new();

        public Measured(SimulatedServer server)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == server.Diagnostics.Metrics.Meter)
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
                Active += instrument.Name == "asgi.server.active_tls_handshakes" ? value : 0);
            _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
            {
                var kept = new Dictionary<string, object?>(tags.ToArray());
                if (instrument.Name == "asgi.server.tls_handshake.duration")
                    Handshakes.Add(kept);
                else if (instrument.Name == "asgi.server.connection.duration")
                    Connections.Add(kept);
            });
            _listener.Start();
        }

        public long Active { get; private set; }

        public List<Dictionary<string, object?>> Handshakes { get; } = [];

        public List<Dictionary<string, object?>> Connections { get; } = [];

        public void Dispose() => _listener.Dispose();
    }
}
