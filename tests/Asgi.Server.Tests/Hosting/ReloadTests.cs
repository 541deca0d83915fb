// Endpoints that follow the configuration while the server runs. Each test changes it and awaits a reload of its own, which has its turn
// after the one the change has started.

using System.Net;
using System.Net.Sockets;
using Asgi.Server.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Asgi.Server.Tests.Hosting;

public sealed class ReloadTests : IAsyncDisposable
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private readonly Source _source = new();
    private readonly IConfigurationRoot _section;
    private readonly LogSink _log = new();
    private readonly TaskCompletionSource _entered = new();
    private readonly TaskCompletionSource _leave = new();
    private AsgiServer? _server;

    public ReloadTests() => _section = new ConfigurationRoot([_source]);

    private AsgiServer Server => _server!;

    private string[] Shown => [.. Server.GetAddresses().Addresses];

    public async ValueTask DisposeAsync()
    {
        _leave.TrySetResult();
        await Server.StopAsync(new CancellationToken(canceled: true)).WaitAsync(AppHost.Patience);
        _log.Dispose();
    }

    [Fact]
    public async Task A_new_endpoint_is_bound_and_the_others_notice_nothing()
    {
        await StartAsync(("A", Addresses.Loopback));
        await using var client = await ConnectAsync(Shown[0]);
        var list = Server.GetAddresses().Addresses;

        await ChangeAsync(("Endpoints:B:Url", "http://[::1]:0"));

        Assert.Equal(2, list.Count);
        Assert.True(list.IsReadOnly);
        await AddressTests.AssertServesAsync(Addresses.EndPointOf(Shown[1]));
        Assert.True(await client.ProbeAsync());
        Assert.Equal([214], Told());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task An_endpoint_that_is_gone_refuses_and_its_idle_connections_are_closed(int loops)
    {
        await StartAsync(loops, [], ("A", Addresses.Loopback), ("B", Addresses.Loopback));
        var (kept, gone) = (Shown[0], Shown[1]);
        await using var other = await ConnectAsync(kept);
        List<RawClient> clients = [];
        for (var i = 0; i < loops * 3; i++)
            clients.Add(await ConnectAsync(gone));

        await RemoveAsync("B");

        Assert.Equal([kept], Shown);
        foreach (var client in clients)
        {
            Assert.Equal("", await client.ReadToEndAsync());
            await client.DisposeAsync();
        }

        var error = await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(Addresses.EndPointOf(gone)));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        Assert.True(await other.ProbeAsync());
        Assert.Equal([213], Told());
    }

    [Fact]
    public async Task A_request_in_flight_on_an_endpoint_that_is_gone_is_answered_with_close()
    {
        await StartAsync(("A", Addresses.Loopback), ("B", Addresses.Loopback));
        await using var client = await RawClient.ConnectAsync(Addresses.EndPointOf(Shown[1]));
        await client.SendAsync("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
        await _entered.Task.WaitAsync(AppHost.Patience);
        await using var idle = await ConnectAsync(Shown[1]);

        await RemoveAsync("B");

        // It came later to the one loop: when it is closed, the other has been asked to end.
        Assert.Equal("", await idle.ReadToEndAsync());
        _leave.SetResult();

        var response = (await client.ReadResponseAsync())!;
        Assert.Equal((200, "close"), (response.Status, response.Field("Connection")));
    }

    [Fact]
    public async Task A_changed_endpoint_is_bound_again_at_its_port()
    {
        var port = Addresses.FreePort();
        await StartAsync(("A", $"http://127.0.0.1:{port}"));
        await using var before = await ConnectAsync(Shown[0]);

        await ChangeAsync(("Endpoints:A:Limits:MaxRequestHeaderCount", "1"));

        Assert.Equal("", await before.ReadToEndAsync());
        var exchange = await RawClient.ExchangeAsync(Addresses.EndPointOf(Shown[0]), "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n");
        Assert.Equal("431 closed", exchange.Outcome);
        Assert.Equal([213, 214], Told());
    }

    [Fact]
    public async Task Changed_defaults_change_every_endpoint()
    {
        await StartAsync(("A", Addresses.Loopback), ("B", Addresses.Loopback));
        await using var before = await ConnectAsync(Shown[1]);

        await ChangeAsync(("EndpointDefaults:Backlog", "9"));

        Assert.Equal("", await before.ReadToEndAsync());
        Assert.Equal(2, Shown.Length);
    }

    [Fact]
    public async Task A_reload_without_a_change_does_nothing()
    {
        await StartAsync(("A", Addresses.Loopback));
        await using var client = await ConnectAsync(Shown[0]);

        await ChangeAsync();

        Assert.True(await client.ProbeAsync());
        Assert.Empty(Told());
    }

    [Fact]
    public async Task A_configuration_that_cannot_be_used_leaves_everything_as_it_is()
    {
        await StartAsync(("A", Addresses.Loopback));
        await using var client = await ConnectAsync(Shown[0]);
        var shown = Shown;

        await ChangeAsync(("Endpoints:A:Url", "http://localhost/path"), ("Endpoints:B:Url", Addresses.Loopback));

        Assert.True(await client.ProbeAsync());
        Assert.Equal(shown, Shown);
        Assert.Equal((LogLevel.Critical, 210), _log.Lines.Select(line => (line.Level, line.Id.Id)).Distinct().Single());

        await ChangeAsync(("Endpoints:A:Url", Addresses.Loopback));
        Assert.True(await client.ProbeAsync());
        Assert.Equal(2, Shown.Length);
    }

    [Fact]
    public async Task An_endpoint_that_cannot_be_bound_is_told_and_tried_again_at_the_next_change()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var address = $"http://{other.LocalEndPoint}";
        await StartAsync(("A", Addresses.Loopback));

        await ChangeAsync(("Endpoints:B:Url", address), ("Endpoints:C:Url", Addresses.Loopback));
        Assert.Equal(2, Shown.Length);
        Assert.Equal([214, 211], Told().Distinct());
        Assert.Equal(LogLevel.Critical, _log.Lines.Last().Level);

        other.Dispose();
        await ChangeAsync();

        Assert.Contains(address, Shown);
        await AddressTests.AssertServesAsync(Addresses.EndPointOf(address));
    }

    [Fact]
    public async Task Limits_outside_endpoints_stay_and_this_is_told_once()
    {
        await StartAsync(("A", Addresses.Loopback));

        await ChangeAsync(("Limits:MaxRequestHeaderCount", "1"), ("AddServerHeader", "false"));
        await ChangeAsync();

        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Information, 212), (line.Level, line.Id.Id));
        Assert.Contains("AddServerHeader, Limits:MaxRequestHeaderCount", line.Message, StringComparison.Ordinal);
        await AddressTests.AssertServesAsync(Addresses.EndPointOf(Shown[0]));
    }

    [Fact]
    public async Task A_unix_socket_comes_and_goes_with_its_file()
    {
        var path = Addresses.NewSocketPath();
        await StartAsync(("A", Addresses.Loopback));

        await ChangeAsync(("Endpoints:B:Url", $"http://unix:{path}"));
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await UnixSocketTests.GetAsync(path), StringComparison.Ordinal);

        await RemoveAsync("B");
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Endpoints_come_to_a_server_that_began_with_addresses()
    {
        await StartAsync(1, [Addresses.Loopback]);

        await ChangeAsync(("Endpoints:B:Url", "http://[::1]:0"));

        Assert.Equal(2, Shown.Length);
        await AddressTests.AssertServesAsync(Addresses.EndPointOf(Shown[0]));
    }

    [Fact]
    public async Task Where_addresses_are_preferred_nothing_is_followed()
    {
        _section["Endpoints:B:Url"] = "http://[::1]:0";
        _server = Create(1);
        Server.GetAddresses().Addresses.Add(Addresses.Loopback);
        Server.GetAddresses().PreferHostingUrls = true;
        await Server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Null(Server.Reload);
        Assert.StartsWith("http://127.0.0.1:", Assert.Single(Shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_reloadOnChange_nothing_is_followed()
    {
        _section["Endpoints:B:Url"] = "http://[::1]:0";
        _server = NativeHost.Create(options => options.Configure(_section));
        await Server.StartAsync(NativeApplication.Empty, CancellationToken.None);

        Assert.Null(Server.Reload);
    }

    [Fact]
    public async Task A_change_between_load_and_start_is_not_lost()
    {
        _section["Endpoints:A:Url"] = Addresses.Loopback;
        _server = Create(1, options => options.ConfigurationLoader!.Load());
        _section["Endpoints:B:Url"] = "http://[::1]:0";
        _section.Reload();

        await Server.StartAsync(new NativeApplication(RunAsync), CancellationToken.None);

        // It was told when the server began to listen for changes, and nothing in it had to wait.
        Assert.Equal(2, Shown.Length);
        Assert.Single(_log.Lines, line => line.Id.Id == 214);
    }

    [Fact]
    public async Task After_the_stop_a_change_does_nothing()
    {
        await StartAsync(("A", Addresses.Loopback));
        var shown = Shown;

        await Server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);
        _section["Endpoints:B:Url"] = Addresses.Loopback;
        _section.Reload();

        Assert.Equal(shown, Shown);
        Assert.Empty(Told());
    }

    // A change may be on its way on another thread when the server stops.
    [Fact]
    public async Task A_change_that_comes_as_late_as_after_the_stop_does_not_fail()
    {
        await StartAsync(("A", Addresses.Loopback));
        var reload = Server.Reload!;
        await Server.StopAsync(CancellationToken.None).WaitAsync(AppHost.Patience);

        await reload.ReloadAsync().WaitAsync(AppHost.Patience);

        Assert.Empty(Told());
    }

    [Fact]
    public async Task The_last_endpoint_may_go_and_another_come()
    {
        await StartAsync(("A", Addresses.Loopback));

        await RemoveAsync("A");
        Assert.Empty(Shown);

        await ChangeAsync(("Endpoints:B:Url", Addresses.Loopback));
        await AddressTests.AssertServesAsync(Addresses.EndPointOf(Shown.Single()));
    }

    // A socket that listens for nobody would have clients wait.
    [Fact]
    public async Task A_new_endpoint_whose_middleware_fails_is_not_bound()
    {
        var port = Addresses.FreePort();
        _section["Endpoints:A:Url"] = Addresses.Loopback;
        _server = Create(1, options => options.ConfigurationLoader!.Endpoint(
            "B", endpoint => endpoint.ListenOptions.Use(_ => throw new NotSupportedException("No middleware."))));
        await Server.StartAsync(new NativeApplication(RunAsync), CancellationToken.None);
        _log.Lines.Clear();

        await ChangeAsync(("Endpoints:B:Url", $"http://127.0.0.1:{port}"));

        Assert.Equal([214, 211], Told().Distinct());
        var error = await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Fact]
    public async Task Many_changes_at_once_are_taken_in_turn()
    {
        await StartAsync(("A", Addresses.Loopback));

        var reloads = Enumerable.Range(0, 8).Select(i =>
        {
            _section[$"Endpoints:B{i}:Url"] = Addresses.Loopback;
            return Server.Reload!.ReloadAsync();
        });
        await Task.WhenAll(reloads).WaitAsync(AppHost.Patience);

        Assert.Equal(9, Shown.Length);
    }

    [Fact]
    public async Task The_section_of_an_app_is_followed_from_the_start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddInMemoryCollection([new("AsgiServer:Endpoints:A:Url", Addresses.Loopback)]);
        builder.WebHost.UseAsgiServer();
        await using var app = builder.Build();
        await app.StartAsync();
        _server = (AsgiServer)app.Services.GetRequiredService<IServer>();

        app.Configuration["AsgiServer:Endpoints:B:Url"] = "http://[::1]:0";
        ((IConfigurationRoot)app.Configuration).Reload();
        await Server.Reload!.ReloadAsync().WaitAsync(AppHost.Patience);

        Assert.Equal(2, app.Urls.Count);
        Assert.Equal("404 open", (await RawClient.ExchangeAsync(Addresses.EndPointOf(app.Urls.Last()), Get)).Outcome);
    }

    private Task StartAsync(params (string Name, string Url)[] endpoints) => StartAsync(1, [], endpoints);

    private async Task StartAsync(int loops, string[] addresses, params (string Name, string Url)[] endpoints)
    {
        foreach (var (name, url) in endpoints)
            _section[$"Endpoints:{name}:Url"] = url;
        _server = Create(loops);
        foreach (var address in addresses)
            Server.GetAddresses().Addresses.Add(address);
        await Server.StartAsync(new NativeApplication(RunAsync), CancellationToken.None);
        _log.Lines.Clear();
    }

    private AsgiServer Create(int loops, Action<AsgiServerOptions>? configure = null)
    {
        var options = new AsgiServerOptions { LoopCount = loops };
        options.Configure(_section, reloadOnChange: true);
        configure?.Invoke(options);
        return new AsgiServer(Options.Create(options), LoggerFactory.Create(logging => logging.AddProvider(_log)));
    }

    private async Task ChangeAsync(params (string Key, string? Value)[] changes)
    {
        foreach (var (key, value) in changes)
            _section[key] = value;
        _section.Reload();
        await Server.Reload!.ReloadAsync().WaitAsync(AppHost.Patience);
    }

    private Task RemoveAsync(string name)
    {
        _source.Remove($"Endpoints:{name}:Url");
        return ChangeAsync();
    }

    private async ValueTask RunAsync(HttpExchange exchange)
    {
        if (exchange.Scope.Path == "/wait")
        {
            _entered.SetResult();
            await _leave.Task;
        }

        exchange.Send(new ResponseStart(200));
        await exchange.SendAsync(default);
    }

    private static async Task<RawClient> ConnectAsync(string address)
    {
        var client = await RawClient.ConnectAsync(Addresses.EndPointOf(address));
        await client.SendAsync(Get);
        Assert.NotNull(await client.ReadResponseAsync());
        return client;
    }

    /// <summary>A source whose keys can go.</summary>
    private sealed class Source : ConfigurationProvider
    {
        public void Remove(string key) => Data.Remove(key);
    }

    private int[] Told() => [.. _log.Lines.Where(line => line.Level >= LogLevel.Information).Select(line => line.Id.Id)];
}
