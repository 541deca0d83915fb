// Endpoints from configuration: what a section of one may say, and how it meets those of code.

using System.Net;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting;

public sealed class ConfiguredEndpointTests
{
    private const string TwoFields = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";

    [Fact]
    public void An_endpoint_has_what_its_section_says()
    {
        var options = Load(new()
        {
            ["Endpoints:Web:Url"] = "http://127.0.0.1:81",
            ["Endpoints:Web:Protocols"] = "http1",
            ["Endpoints:Web:Backlog"] = "9",
            ["Endpoints:Web:Limits:MaxRequestHeaderCount"] = "7",
            ["Endpoints:Web:Limits:Http2:MaxStreamsPerConnection"] = "8",
            ["Endpoints:Web:DetectHttp2"] = "true",
            ["Endpoints:Socket:Url"] = "http://unix:/tmp/s",
            ["Endpoints:Socket:UnixSocketMode"] = "0660",
            ["Endpoints:Default:Url"] = "http://app.localhost:82",
        });

        Assert.Empty(options.Findings.Problems);
        var (byDefault, socket, web) = Three(options);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 81), web.IPEndPoint);
        Assert.Equal((HttpProtocols.Http1, 9, 7), (web.Protocols, web.Backlog, web.Limits.MaxRequestHeaderCount));
        Assert.Equal((true, 8, 100), (
            web.DetectHttp2, web.Limits.Http2.MaxStreamsPerConnection, options.Limits.Http2.MaxStreamsPerConnection));
        Assert.Equal("/tmp/s", socket.SocketPath);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, socket.UnixSocketMode);
        Assert.Equal(("app.localhost", HttpProtocols.Http1AndHttp2, 512, null), Said(byDefault));
        Assert.Null(byDefault.OwnLimits);

        static (string?, HttpProtocols, int, UnixFileMode?) Said(ListenOptions listen) =>
            (listen.LocalhostName, listen.Protocols, listen.Backlog, listen.UnixSocketMode);
    }

    [Fact]
    public void An_endpoint_reads_the_PROXY_protocol_as_its_section_says()
    {
        var options = Load(new()
        {
            ["Endpoints:Web:Url"] = "http://127.0.0.1:81",
            ["Endpoints:Web:ProxyProtocol:TrustedAddresses:0"] = "192.0.2.1",
            ["Endpoints:Web:ProxyProtocol:TrustedAddresses:1"] = "2001:db8::1",
            ["Endpoints:Web:ProxyProtocol:TrustedNetworks"] = "10.0.0.0/8, 192.168.0.0/16",
            ["Endpoints:Web:ProxyProtocol:Required"] = "false",
            ["Endpoints:Web:ProxyProtocol:Timeout"] = "00:00:01",
            ["Endpoints:Web:ProxyProtocol:MaxLength"] = "232",
            ["Endpoints:Socket:Url"] = "http://unix:/tmp/s",
            ["Endpoints:Socket:ProxyProtocol:TrustAll"] = "true",
            ["Endpoints:Default:Url"] = "http://127.0.0.1:82",
        });

        Assert.Empty(options.Findings.Problems);
        Assert.Empty(options.Findings.UnknownKeys);
        var (byDefault, socket, web) = Three(options);
        Assert.Null(byDefault.ProxyProtocol);
        Assert.True(socket.ProxyProtocol!.TrustsAll);
        var rules = web.ProxyProtocol!;
        Assert.Equal((false, false, 1000, 232), (rules.TrustsAll, rules.IsRequired, rules.TimeoutMilliseconds, rules.LengthMax));
        Assert.Equal(
            ["192.0.2.1/32", "2001:db8::1/128", "10.0.0.0/8", "192.168.0.0/16"],
            rules.TrustedNetworks.Select(network => network.ToString()));
    }

    [Theory]
    [InlineData("http://1.2.3.4", "1.2.3.4:80")]
    [InlineData("http://*", "[::]:80")]
    [InlineData("http://[::1]", "[::1]:80")]
    [InlineData("http://localhost", "127.0.0.1:80")]
    public void Without_a_port_it_is_80(string url, string endPoint)
    {
        var options = Load(new() { ["Endpoints:Web:Url"] = url });

        Assert.Equal(IPEndPoint.Parse(endPoint), options.ConfigurationLoader!.Endpoints.Single().Listen.IPEndPoint);
    }

    [Theory]
    [InlineData("Endpoints:Web:Backlog", "1",
        "Endpoints:Web:Url is missing: every endpoint needs an address, such as http://localhost:5000.")]
    [InlineData("Endpoints:Web:Url", "", "Endpoints:Web:Url is missing: every endpoint needs an address, such as http://localhost:5000.")]
    [InlineData("Endpoints:Web:Url", "localhost", "Endpoints:Web:Url (localhost) cannot be listened on. Invalid url: 'localhost'")]
    [InlineData("Endpoints:Web:Url", "http://pipe:/p",
        "Endpoints:Web:Url (http://pipe:/p) cannot be listened on. "
        + "'http://pipe:/p': named pipes exist on Windows only; use a unix socket.")]
    [InlineData("Endpoints:Web:Url", "http://127.0.0.1:65536",
        "Endpoints:Web:Url (http://127.0.0.1:65536) cannot be listened on. "
        + "Specified argument was out of the range of valid values. (Parameter 'port')")]
    [InlineData("Endpoints:Tcp:Certificate:Path", "a.pfx",
        "Endpoints:Tcp:Certificate is for https, and Endpoints:Tcp:Url (http://127.0.0.1:0) is http.")]
    [InlineData("Endpoints:Tcp:Sni:*:Protocols", "Http1",
        "Endpoints:Tcp:Sni is for https, and Endpoints:Tcp:Url (http://127.0.0.1:0) is http.")]
    [InlineData("Endpoints:Tcp:UnixSocketMode", "660",
        "Endpoints:Tcp:UnixSocketMode (660) is for unix sockets, and Endpoints:Tcp:Url (http://127.0.0.1:0) is none.")]
    [InlineData("Endpoints:Tcp:ProxyProtocol", "true",
        "Endpoints:Tcp:ProxyProtocol (true) must be a section with TrustedAddresses, TrustedNetworks or TrustAll.")]
    [InlineData("Endpoints:Tcp:ProxyProtocol:TrustedNetworks", "10.0.0.0",
        "Endpoints:Tcp:ProxyProtocol:TrustedNetworks (10.0.0.0) must be networks such as 10.0.0.0/8: a list, or one text with commas.")]
    [InlineData("Endpoints:Tcp:ProxyProtocol:TrustedAddresses:0", "proxy",
        "Endpoints:Tcp:ProxyProtocol:TrustedAddresses (a section) must be IP addresses: a list, or one text with commas.")]
    [InlineData("Endpoints:Tcp:ProxyProtocol:MaxLength", "231",
        "Endpoints:Tcp:ProxyProtocol:MaxLength (231) must be a whole number from 232 to 65551.")]
    [InlineData("Endpoints:Tcp:ProxyProtocol:Required", "false",
        "Endpoints:Tcp:ProxyProtocol cannot be used. 127.0.0.1:0: UseProxyProtocol trusts no proxy. Name yours, as in "
        + "UseProxyProtocol(options => options.TrustedNetworks.Add(IPNetwork.Parse(\"10.0.0.0/8\"))) or with TrustedAddresses, or set "
        + "TrustAll if nobody but the proxy can reach the endpoint.")]
    [InlineData("Endpoints:Tcp:Backlog", "0", "Endpoints:Tcp:Backlog (0) must be a whole number greater than 0.")]
    [InlineData("Endpoints:Tcp:Limits:RequestHeadersTimeout", "5",
        "Endpoints:Tcp:Limits:RequestHeadersTimeout (5) must be a time such as 00:00:30, greater than 0, or Infinite.")]
    [InlineData("Endpoints:Tcp:Limits:MaxRequestBufferSize", "10000",
        "http://127.0.0.1:0: Limits.MaxRequestBufferSize (10000) must be greater than or equal to "
        + "Limits.MaxRequestHeadersTotalSize (32768).")]
    [InlineData("Endpoints:Tcp:Protocols", "Http3",
        "http://127.0.0.1:0: Protocols (Http3) must be Http1, Http2 or Http1AndHttp2: Asgi.Server does not serve others.")]
    [InlineData("Endpoints:Tcp:Limits:Http2:InitialConnectionWindowSize", "70000",
        "http://127.0.0.1:0: Limits.Http2.InitialConnectionWindowSize (70000) must be greater than or equal to "
        + "Limits.Http2.InitialStreamWindowSize (786432).")]
    public void An_endpoint_that_cannot_be_served_stops_the_start(string key, string value, string problem)
    {
        var values = new Dictionary<string, string?> { [key] = value };
        if (key.StartsWith("Endpoints:Tcp", StringComparison.Ordinal))
            values["Endpoints:Tcp:Url"] = Addresses.Loopback;
        var options = Load(values);

        Assert.Equal(problem, Assert.Throws<InvalidOperationException>(options.Validate).Message);
    }

    [Fact]
    public void A_path_that_no_socket_can_have_is_told_with_its_key()
    {
        var options = Load(new() { ["Endpoints:Web:Url"] = $"http://unix:/{new string('a', 108)}" });

        var error = Assert.Throws<InvalidOperationException>(options.Validate);

        Assert.StartsWith("Endpoints:Web:Url (http://unix:/aaa", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_come_from_configuration_then_code_then_the_endpoint()
    {
        var options = new AsgiServerOptions();
        var loader = options.Configure(Section(new()
        {
            ["EndpointDefaults:Backlog"] = "1",
            ["EndpointDefaults:Protocols"] = "Http1",
            ["EndpointDefaults:UnixSocketMode"] = "600",
            ["EndpointDefaults:SslProtocols:0"] = "Tls13",
            ["Endpoints:A:Url"] = "http://127.0.0.1:0",
            ["Endpoints:B:Url"] = "http://127.0.0.1:0",
            ["Endpoints:B:Backlog"] = "3",
            ["Endpoints:C:Url"] = "http://127.0.0.1:0",
            ["Endpoints:C:Backlog"] = "3",
        }));
        ListenOptions inCode = null!;
        options.ListenLocalhost(80, listen => inCode = listen);
        options.ConfigureEndpointDefaults(listen => listen.Backlog++);
        loader.Endpoint("c", endpoint => endpoint.ListenOptions.Backlog *= 10);

        loader.Load();

        Assert.Empty(options.Findings.Problems);
        Assert.Empty(options.Findings.UnknownKeys);
        Assert.Equal([2, 3, 30], loader.Endpoints.Select(endpoint => endpoint.Listen.Backlog));
        Assert.Equal((1, HttpProtocols.Http1), (inCode.Backlog, inCode.Protocols));
    }

    [Fact]
    public void The_loader_gives_its_callback_the_section()
    {
        var options = new AsgiServerOptions();
        List<(string?, string, bool)> seen = [];

        options.Configure(Section(new() { ["Endpoints:A:Url"] = "http://127.0.0.1:0", ["Endpoints:A:Mine"] = "x" }))
            .Endpoint("A", it => seen.Add((it.ConfigSection["Mine"], it.ListenOptions.EndPoint.ToString()!, it.IsHttps)))
            .Endpoint("none", _ => seen.Add(default))
            .Load();

        Assert.Equal([("x", "127.0.0.1:0", false)], seen);
        Assert.Equal("Endpoints:A:Mine", options.Findings.UnknownKeys.Single().Path);
    }

    [Fact]
    public void The_loaders_own_endpoints_are_added_once_when_it_loads()
    {
        var options = new AsgiServerOptions();
        var loader = options.Configure()
            .LocalhostEndpoint(81)
            .AnyIPEndpoint(82)
            .Endpoint(IPAddress.Loopback, 83)
            .Endpoint(new IPEndPoint(IPAddress.Loopback, 84), listen => listen.Backlog = 1)
            .UnixSocketEndpoint("/tmp/s")
            .HandleEndpoint(9);
        Assert.Empty(options.Endpoints);

        loader.Load();
        loader.Load();

        Assert.Equal(
            [
                "http://localhost:81", "http://[::]:82", "http://127.0.0.1:83", "http://127.0.0.1:84", "http://unix:/tmp/s",
                "http://<file handle>",
            ],
            options.Endpoints.Select(endpoint => endpoint.Display));
        Assert.Equal(9u, options.Endpoints[^1].FileHandle);
    }

    [Fact]
    public async Task Endpoints_of_code_come_first_and_both_override_addresses()
    {
        List<string> shown = [];
        var log = await ConfigurationTests.StartAsync(
            new()
            {
                ["urls"] = "http://127.0.0.1:1",
                ["AsgiServer:Endpoints:Web:Url"] = Addresses.Loopback,
            },
            builder => builder.Services.Configure<AsgiServerOptions>(options => options.Listen(IPAddress.IPv6Loopback, 0)),
            app => app.Lifetime.ApplicationStarted.Register(() => shown.AddRange(app.Urls)));

        Assert.Collection(
            shown,
            address => Assert.StartsWith("http://[::1]:", address, StringComparison.Ordinal),
            address => Assert.StartsWith("http://127.0.0.1:", address, StringComparison.Ordinal));
        Assert.Contains(log, line => line is { Level: LogLevel.Warning, Id.Name: "OverridingAddresses" });
    }

    [Fact]
    public async Task Addresses_that_are_preferred_override_both()
    {
        List<string> shown = [];
        await ConfigurationTests.StartAsync(
            new()
            {
                ["urls"] = Addresses.Loopback,
                ["preferHostingUrls"] = "true",
                ["AsgiServer:Endpoints:Web:Url"] = "http://[::1]:0",
            },
            start: app => app.Lifetime.ApplicationStarted.Register(() => shown.AddRange(app.Urls)));

        Assert.StartsWith("http://127.0.0.1:", Assert.Single(shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_of_an_endpoint_hold_there_alone()
    {
        using var server = NativeHost.Create(options => options.Configure(Section(new()
        {
            ["Endpoints:A:Url"] = Addresses.Loopback,
            ["Endpoints:A:Limits:MaxRequestHeaderCount"] = "1",
            ["Endpoints:B:Url"] = Addresses.Loopback,
        })));
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        List<string> outcomes = [];
        foreach (var address in server.GetAddresses().Addresses)
            outcomes.Add((await RawClient.ExchangeAsync(Addresses.EndPointOf(address), TwoFields)).Outcome);

        Assert.Equal(["431 closed", "200 open"], outcomes);
    }

    private static (ListenOptions, ListenOptions, ListenOptions) Three(AsgiServerOptions options) =>
        options.ConfigurationLoader!.Endpoints is [var one, var two, var three] ? (one.Listen, two.Listen, three.Listen) : default;

    private static AsgiServerOptions Load(Dictionary<string, string?> values)
    {
        var options = new AsgiServerOptions();
        options.Configure(Section(values)).Load();
        return options;
    }

    private static IConfiguration Section(Dictionary<string, string?> values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values).Build();
}
