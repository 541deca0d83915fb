// The PROXY protocol before HTTP: whose header is believed, what it changes, and what becomes of connections without one.

using System.Net;
using Asgi.Server.Connections;
using Asgi.Server.Features;
using Asgi.Server.Testing.Simulation;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Connections;

public sealed class ProxyProtocolTests
{
    private const int SeedCount = 40;
    private const string V1 = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
    private const string V2 =
        "\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u0010\u00C0\0\u0002\u0001\u00C6\u0033\u0064\u0002\u00DC\u0004\u0001\u00BB\u0002\0\u0001a";
    private const string Local = "\r\n\r\n\0\r\nQUIT\n\u0020\0\0\0";

    private static ProxyProtocolRules TrustsLoopback => new() { TrustedNetworks = [IPNetwork.Parse("127.0.0.0/8")] };

    private static ProxyProtocolRules TrustsOthers => new() { TrustedNetworks = [IPNetwork.Parse("10.0.0.0/8")] };

    [Theory]
    [InlineData(V1)]
    [InlineData(V2)]
    public void The_request_comes_from_whom_the_header_names(string header) => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(ClientAndServer, TrustsLoopback, seed);

        var client = server.Connect(header + Apps.Get);

        Assert.Equal("192.0.2.1:56324 198.51.100.2:443", Assert.Single(Responses.Of(client)).Content);
        client.Take();
        client.Send(Apps.Get + Apps.Get);
        server.Run();
        Assert.Equal(2, Responses.Of(client).Count);
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n")]
    [InlineData(Local)]
    public void Without_addresses_in_the_header_the_connection_has_its_own(string header)
    {
        using var server = Serve(ClientAndServer, TrustsLoopback);
        var client = server.Connect();
        client.Send(header + Apps.Get);
        server.Run();

        Assert.StartsWith($"{client.LocalEndPoint} 127.0.0.1:", Assert.Single(Responses.Of(client)).Content, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_unix_client_has_no_address()
    {
        using var server = Serve(ClientAndServer, TrustsLoopback);
        var unix = "\r\n\r\n\0\r\nQUIT\n\u0021\u0031\0\u00D8" + new string('\0', 108) + "/run/s".PadRight(108, '\0');

        var client = server.Connect(unix + Apps.Get);

        Assert.Equal("- /run/s", Assert.Single(Responses.Of(client)).Content);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_header_that_names_nobody_trusted_is_not_read_and_the_connection_closed()
    {
        using var server = Serve(ClientAndServer, TrustsOthers);

        var client = server.Connect(V1 + Apps.Get);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Equal("", client.Received);
        Assert.Equal([(110, LogLevel.Debug), (116, LogLevel.Warning)], server.Told.Select(entry => (entry.Id.Id, entry.Level)));
        Assert.All(
            server.Told, entry => Assert.Contains(client.LocalEndPoint.ToString()!, entry.Message, StringComparison.Ordinal));
        server.DemandNothingLeft();
    }

    [Fact]
    public void Where_the_header_is_not_required_others_are_served_and_cannot_claim_an_address()
    {
        using var server = Serve(ClientAndServer, TrustsOthers with { IsRequired = false });

        var honest = server.Connect(Apps.Get);
        var liar = server.Connect(V1 + Apps.Get);

        Assert.StartsWith($"{honest.LocalEndPoint} ", Assert.Single(Responses.Of(honest)).Content, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400 ", liar.Received, StringComparison.Ordinal);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Where_the_header_is_not_required_a_proxy_may_leave_it_out() => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(ClientAndServer, TrustsLoopback with { IsRequired = false }, seed);

        var without = server.Connect("PUT / HTTP/1.1\r\nHost: a\r\n\r\n");
        var with = server.Connect(V1 + Apps.Get);

        Assert.StartsWith($"{without.LocalEndPoint} ", Assert.Single(Responses.Of(without)).Content, StringComparison.Ordinal);
        Assert.StartsWith("192.0.2.1:56324 ", Assert.Single(Responses.Of(with)).Content, StringComparison.Ordinal);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData(Apps.Get, 111)]
    [InlineData("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n" + Apps.Get, 112)]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0031\0\0\0", 112)]
    public void A_connection_without_a_valid_header_is_closed(string bytes, int logId) => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(ClientAndServer, TrustsLoopback, seed);

        var client = server.Connect(bytes);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Equal("", client.Received);
        Assert.Equal([logId, 116], server.Told.Select(entry => entry.Id.Id));
        server.DemandNothingLeft();
    });

    [Fact]
    public void An_operator_is_warned_once_a_minute()
    {
        using var server = Serve(ClientAndServer, TrustsOthers);
        for (var i = 0; i < 10; i++)
        {
            server.Connect(Apps.Get);
            server.Advance(i == 5 ? Reminder.TellMilliseconds : 1);
        }

        Assert.Equal(10, server.Told.Count(entry => entry.Level == LogLevel.Debug));
        Assert.Equal(2, server.Told.Count(entry => entry.Level == LogLevel.Warning));
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData("")]
    [InlineData("PROXY TCP4 192.0.2.1 ")]
    public void The_header_has_its_time(string part)
    {
        using var server = Serve(ClientAndServer, TrustsLoopback with { TimeoutMilliseconds = 2_000 });
        var client = server.Connect(part);

        server.Advance(1_990);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(200);

        Assert.Equal(ConnectionEnd.Reset, client.End);
        Assert.Equal(113, Assert.Single(server.Told).Id.Id);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Behind_the_header_the_deadlines_are_those_of_http()
    {
        using var server = Serve(
            ClientAndServer,
            TrustsLoopback with { TimeoutMilliseconds = 1_000 },
            limits: new ConnectionLimits { KeepAliveTimeoutMilliseconds = 60_000 });
        var client = server.Connect(V1);

        server.Advance(59_000);
        Assert.Equal(ConnectionEnd.None, client.End);
        server.Advance(2_000);

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.Empty(server.Told);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData("")]
    [InlineData("PROXY TCP4 ")]
    [InlineData(V1)]
    public void A_probe_that_only_connects_is_closed_silently(string bytes) => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(ClientAndServer, TrustsLoopback, seed);
        var client = server.Connect(bytes);
        client.ShutdownSend();
        server.Run();

        Assert.Equal(ConnectionEnd.Fin, client.End);
        Assert.Empty(server.Told);
        server.DemandNothingLeft();
    });

    [Fact]
    public void A_header_and_a_request_before_FIN_are_answered() => Seeds.Run(SeedCount, seed =>
    {
        using var server = Serve(ClientAndServer, TrustsLoopback, seed);
        var client = server.Connect();
        client.Send(V2 + Apps.Get);
        client.ShutdownSend();
        server.Run();

        Assert.StartsWith("192.0.2.1:56324", Assert.Single(Responses.Of(client)).Content, StringComparison.Ordinal);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    });

    [Theory]
    [InlineData("")]
    [InlineData("PROXY TCP4 ")]
    public void A_stop_does_not_wait_for_a_header(string part)
    {
        using var server = Serve(ClientAndServer, TrustsLoopback);
        var client = server.Connect(part);

        var stopped = server.ShutDown();
        server.Run();

        Assert.True(stopped.IsCompletedSuccessfully);
        Assert.Equal(ConnectionEnd.Fin, client.End);
        server.DemandNothingLeft();
    }

    [Fact]
    public void A_header_may_be_longer_than_a_block()
    {
        var length = 20_000;
        var tlv = $"\u00E0{(char)(length >> 8)}{(char)(length & 0xFF)}{new string('t', length)}";
        var rest = V2[16..28] + tlv;
        var header = $"{V2[..14]}{(char)(rest.Length >> 8)}{(char)(rest.Length & 0xFF)}{rest}";
        using var server = Serve(ClientAndServer, TrustsLoopback with { LengthMax = header.Length });

        var client = server.Connect(header + Apps.Get);

        Assert.StartsWith("192.0.2.1:56324", Assert.Single(Responses.Of(client)).Content, StringComparison.Ordinal);
        Assert.Equal(0, server.BlockCount);
        server.DemandNothingLeft();
    }

    [Theory]
    [InlineData("127.0.0.0/8", "127.0.0.1", true)]
    [InlineData("127.0.0.0/8", "::ffff:127.9.9.9", true)]
    [InlineData("127.0.0.0/8", "128.0.0.1", false)]
    [InlineData("10.1.2.3/32", "10.1.2.3", true)]
    [InlineData("10.1.2.3/32", "10.1.2.4", false)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::1", false)]
    [InlineData("fe80::/10", "fe80::1%3", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("::/0", "10.0.0.1", false)]
    public void Who_is_trusted_is_said_by_networks(string network, string peer, bool isTrusted)
    {
        var rules = new ProxyProtocolRules { TrustedNetworks = [IPNetwork.Parse(network)] };

        Assert.Equal(isTrusted, rules.Trusts(new IPEndPoint(IPAddress.Parse(peer), 1)));
        Assert.False(rules.Trusts(null));
        Assert.True((rules with { TrustsAll = true }).Trusts(null));
    }

    [Fact]
    public void Applications_see_the_client_and_the_proxy()
    {
        IProxyProtocolFeature? proxy = null;
        IHttpConnectionFeature? addresses = null;
        using var server = HostedDelegate.Serve(
            context =>
            {
                proxy = context.Features.Get<IProxyProtocolFeature>();
                addresses = context.Features.Get<IHttpConnectionFeature>();
                Assert.Equal("192.0.2.1:56324 to 198.51.100.2:443 by ", $"{addresses!.RemoteIpAddress}:{addresses.RemotePort} to "
                    + $"{addresses.LocalIpAddress}:{addresses.LocalPort} by ");
                return context.Response.WriteAsync(proxy!.ProxyEndPoint!.ToString()!);
            },
            before: http => connection => new ProxyProtocolDriver(connection, TrustsLoopback, http));
        var client = server.Connect();
        client.Send(V2 + Apps.Get);
        server.Run();

        Assert.Equal(client.LocalEndPoint.ToString(), Assert.Single(Responses.Of(client)).Content);
        Assert.Equal((2, false, "a"), (proxy!.Version, proxy.IsLocal, proxy.Authority));
        Assert.Equal("192.0.2.1:56324", proxy.SourceEndPoint?.ToString());
        Assert.Equal("198.51.100.2:443", proxy.DestinationEndPoint?.ToString());
        Assert.True(proxy.TryGetTlv(2, out var authority));
        Assert.Equal("a"u8, authority.Span);
        Assert.False(proxy.TryGetTlv(0x20, out _));
        Assert.True(proxy.UniqueId.IsEmpty);
        server.DemandNothingLeft();
    }

    [Fact]
    public void Without_the_protocol_there_is_no_feature()
    {
        using var server = HostedDelegate.Serve(
            context => context.Response.WriteAsync($"{context.Features.Get<IProxyProtocolFeature>() is null}"));

        Assert.Equal("True", Assert.Single(Responses.Of(server.Connect(Apps.Get))).Content);
    }

    private static SimulatedServer Serve(
        Func<HttpExchange, ValueTask> app, ProxyProtocolRules rules, int seed = 0, ConnectionLimits? limits = null) =>
        new(app, seed, limits, before: http => connection => new ProxyProtocolDriver(connection, rules, http));

    private static ValueTask ClientAndServer(HttpExchange exchange) =>
        Apps.Answer(exchange, $"{exchange.Scope.Client?.ToString() ?? "-"} {exchange.Scope.Server?.ToString() ?? "-"}");
}
