// Which addresses win: endpoints in code, those of Hosting (urls, ports), the app's own, and the default.

using System.Net;
using System.Net.Sockets;
using Asgi.Server.Testing.Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Asgi.Server.Tests.Hosting;

public sealed class PrecedenceTests : IDisposable
{
    private readonly LogSink _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Endpoints_in_code_override_addresses_with_a_warning()
    {
        var shown = await StartAsync(
            new() { ["urls"] = "http://127.0.0.1:1" }, options => options.Listen(IPAddress.IPv6Loopback, 0));

        Assert.StartsWith("http://[::1]:", Assert.Single(shown), StringComparison.Ordinal);
        Assert.Contains(_log.Lines, line => line is { Level: LogLevel.Warning, Category: "Asgi.Server" }
            && line.Message
            == "Overriding address(es) 'http://127.0.0.1:1'. Binding to endpoints defined in code or configuration instead.");
    }

    [Fact]
    public async Task PreferHostingUrls_turns_it_round()
    {
        var shown = await StartAsync(
            new() { ["urls"] = Addresses.Loopback, ["preferHostingUrls"] = "true" }, options => options.Listen(IPAddress.IPv6Loopback, 0));

        Assert.StartsWith("http://127.0.0.1:", Assert.Single(shown), StringComparison.Ordinal);
        Assert.Contains(_log.Lines, line => line is { Level: LogLevel.Information, Category: "Asgi.Server" }
            && line.Message.Contains("PreferHostingUrls", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PreferHostingUrls_without_addresses_leaves_the_endpoints_in_code()
    {
        using var server = NativeHost.Create(options => options.Listen(IPAddress.IPv6Loopback, 0));
        server.GetAddresses().PreferHostingUrls = true;
        await server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.StartsWith("http://[::1]:", server.GetAddresses().Addresses.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoints_in_code_are_bound_in_their_order()
    {
        var port = Addresses.FreePort();
        var shown = await StartAsync([], options =>
        {
            options.Listen(IPAddress.IPv6Loopback, 0);
            options.ListenLocalhost(port);
            options.ListenAnyIP(0);
        });

        Assert.Collection(
            shown,
            address => Assert.StartsWith("http://[::1]:", address, StringComparison.Ordinal),
            address => Assert.Equal($"http://localhost:{port}", address),
            address => Assert.StartsWith("http://[::]:", address, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Several_urls_are_separated_by_semicolons()
    {
        var shown = await StartAsync(new() { ["urls"] = "http://127.0.0.1:0;http://[::1]:0" });

        Assert.Equal(2, shown.Count);
    }

    [Fact]
    public async Task Http_ports_stand_for_all_addresses()
    {
        var shown = await StartAsync(new() { ["http_ports"] = "0" });

        Assert.StartsWith("http://[::]:", Assert.Single(shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Urls_beat_http_ports()
    {
        var shown = await StartAsync(new() { ["urls"] = Addresses.Loopback, ["http_ports"] = "0" });

        Assert.StartsWith("http://127.0.0.1:", Assert.Single(shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_apps_own_urls_beat_the_configuration()
    {
        var shown = await StartAsync(new() { ["urls"] = Addresses.Loopback }, start: app => app.Urls.Add("http://[::1]:0"));

        Assert.StartsWith("http://[::1]:", Assert.Single(shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_ports_have_the_default_certificate()
    {
        var shown = await StartAsync(
            new() { ["https_ports"] = "0" },
            options => options.ConfigureHttpsDefaults(https => https.ServerCertificate = TestCertificates.Ecdsa));

        Assert.StartsWith("https://[::]:", Assert.Single(shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoint_defaults_hold_for_addresses_too()
    {
        List<IPEndPoint?> configured = [];

        await StartAsync(
            new() { ["urls"] = Addresses.Loopback },
            options => options.ConfigureEndpointDefaults(listen => configured.Add(listen.IPEndPoint)));

        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 0)], configured);
    }

    [FreePortFact(5000)]
    public async Task Without_any_it_is_localhost_5000()
    {
        var shown = await StartAsync([]);

        Assert.Equal(["http://localhost:5000"], shown);
        Assert.Contains(_log.Lines, line => line is { Level: LogLevel.Debug, Category: "Asgi.Server" }
            && line.Message.EndsWith("Binding to http://localhost:5000 by default.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hosting_logs_what_it_listens_on()
    {
        var shown = await StartAsync(new() { ["urls"] = Addresses.Loopback });

        Assert.Contains(_log.Lines, line => line is { Category: "Microsoft.Hosting.Lifetime", Id.Id: 14 }
            && line.Message == $"Now listening on: {shown.Single()}");
    }

    private async Task<IReadOnlyList<string>> StartAsync(
        Dictionary<string, string?> configuration, Action<AsgiServerOptions>? options = null, Action<WebApplication>? start = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.WebHost.UseAsgiServer(options ?? (_ => { }));
        builder.Logging.AddProvider(_log).SetMinimumLevel(LogLevel.Debug);
        await using var app = builder.Build();
        start?.Invoke(app);
        await app.StartAsync();
        var shown = app.Urls.ToArray();
        await app.StopAsync();
        return shown;
    }

    /// <summary>Runs when nothing listens on the port.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class FreePortFactAttribute : FactAttribute
    {
        public FreePortFactAttribute(int port)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
                socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            }
            catch (SocketException)
            {
                Skip = $"Somebody listens on port {port}.";
            }
        }
    }
}
